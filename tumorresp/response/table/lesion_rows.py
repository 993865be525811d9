"""From a row of a lesion table to an observation: units, states, and sizes that contradict each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.domain.organ import LYMPH_NODE_ORGAN, organ_of
from tumorresp.response.observation import LesionObservation
from tumorresp.response.table.rows import Row

_LENGTHS = ("long_axis_mm", "short_axis_mm", "viable_long_axis_mm")
_VOLUMES = ("volume_mm3", "volume_ml")
_SIZES = (*_LENGTHS, *_VOLUMES)


@dataclass(frozen=True, slots=True)
class LesionFacts:
    """What is true of a lesion at every time point."""

    lesion_id: str
    role: LesionRole
    nodal: bool
    site: str
    parents: tuple[str, ...] = ()


def lesion_facts(rows: Sequence[Row]) -> tuple[LesionFacts | None, list[Finding]]:
    """Return what the rows of one lesion, in order of date, say of it; None where its role is not told."""
    lesion_id = str(rows[0].values["lesion"])
    findings: list[Finding] = []
    role = _first(rows, "role", findings, f"The role of {lesion_id}")
    site = str(_first(rows, "site", findings, f"The site of {lesion_id}") or "")
    nodal = _first(rows, "nodal", findings, f"Whether {lesion_id} is a node")
    if role is None:
        words = f"{lesion_id} has no role: expected target, non-target or new; its rows are not used."
        return None, [Finding("role-not-given", Severity.ERROR, words, rows[0].where)]
    in_node = organ_of(None, site) == LYMPH_NODE_ORGAN
    if nodal is None and in_node:
        words = f"{lesion_id} is taken as a lymph node, as its site says: its short axis counts."
        findings.append(Finding("node-by-site", Severity.INFO, words, rows[0].where))
    if nodal is False and in_node:
        words = f"The site of {lesion_id} is a lymph node, but nodal is no: its long axis counts."
        findings.append(Finding("node-denied", Severity.WARNING, words, rows[0].where))
    stated = str(_first(rows, "parents", findings, f"The parents of {lesion_id}") or "")
    parents = tuple(part.strip() for part in stated.split(";") if part.strip())
    node = in_node if nodal is None else bool(nodal)
    return LesionFacts(lesion_id, LesionRole(str(role)), node, site, parents), findings


def _first(rows: Sequence[Row], name: str, findings: list[Finding], what: str) -> object:
    """Return the first value of a column, and report a later one that differs."""
    stated = [row for row in rows if name in row.values]
    if not stated:
        return None
    value = stated[0].values[name]
    other = next((row for row in stated if row.values[name] != value), None)
    if other is not None:
        words = f"{what} changes from {value} to {other.values[name]}: {value}, which came first, is used."
        findings.append(Finding(f"{name}-changes", Severity.WARNING, words, other.where))
    return value


def observation(row: Row, facts: LesionFacts) -> tuple[LesionObservation, list[Finding]]:
    """Return a row as an observation; one that contradicts itself is not evaluable, with a finding."""
    values = row.values
    findings: list[Finding] = []
    long_axis, short_axis, viable = (_length(row, name) for name in _LENGTHS)
    volume = _volume(row)
    state = _state(row, facts.role, findings)
    trouble = _contradiction(row, long_axis, short_axis)
    if trouble:
        findings.append(
            Finding("sizes-contradict", Severity.ERROR, f"{trouble}: {facts.lesion_id} is not evaluable.", row.where)
        )
        state = LesionState.NOT_EVALUABLE
    if state is LesionState.ABSENT and not any((long_axis, short_axis, viable, volume)):
        long_axis = short_axis = viable = volume = None
    return (
        LesionObservation(
            lesion_id=facts.lesion_id,
            role=facts.role,
            nodal=facts.nodal,
            organ=facts.site,
            state=state,
            long_axis_mm=long_axis,
            short_axis_mm=short_axis,
            volume_mm3=volume,
            label=str(values.get("label", "")),
            viable_long_axis_mm=viable,
            mean_density_hu=cast(Decimal | None, values.get("mean_density_hu")),
            parents=facts.parents,
            irradiated=bool(values.get("irradiated", False)),
            method=str(values.get("method", "")),
            slice_thickness_mm=cast(Decimal | None, values.get("slice_thickness_mm")),
            date=values["date"],  # type: ignore[arg-type]  # a date column
            source=row.where,
        ),
        findings,
    )


def _length(row: Row, name: str) -> Decimal | None:
    value = cast(Decimal | None, row.values.get(name))
    return value * 10 if value is not None and row.values.get("unit") == "cm" else value


def _volume(row: Row) -> Decimal | None:
    millilitres = cast(Decimal | None, row.values.get("volume_ml"))
    return cast(Decimal | None, row.values.get("volume_mm3")) if millilitres is None else millilitres * 1000


def _state(row: Row, role: LesionRole, findings: list[Finding]) -> LesionState:
    """Return the state as stated, or as the sizes say; where neither does the lesion is not evaluable."""
    stated = row.values.get("state")
    if stated is not None:
        return LesionState(str(stated))
    sizes = [row.values[name] for name in _SIZES if name in row.values]
    if any(sizes):
        return LesionState.MEASURED
    lesion = row.values["lesion"]
    if sizes:
        words = f"{lesion} has the size 0 and no state: it is taken as absent."
        findings.append(Finding("zero-size-is-absent", Severity.INFO, words, row.where))
        return LesionState.ABSENT
    words = (
        f"{lesion} ({role}) has neither size nor state: it is not evaluable here. State absent, present, too-small ..."
    )
    findings.append(Finding("neither-size-nor-state", Severity.ERROR, words, row.where))
    return LesionState.NOT_EVALUABLE


def _contradiction(row: Row, long_axis: Decimal | None, short_axis: Decimal | None) -> str:
    if long_axis is not None and short_axis is not None and short_axis > long_axis:
        sizes = f"{short_axis.normalize():f} mm and {long_axis.normalize():f} mm"
        return f"The short axis is longer than the long axis ({sizes})"
    if all(name in row.values for name in _VOLUMES):
        return "Both volume_mm3 and volume_ml are given"
    if row.values.get("state") == LesionState.MEASURED and not any(row.values.get(name) for name in _SIZES):
        return "It is called measured, but has no size"
    return ""
