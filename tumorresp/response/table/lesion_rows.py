"""From a row of a lesion table to an observation: units, states, and sizes that contradict each other."""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.domain.organ import LYMPH_NODE_ORGAN, organ_of
from tumorresp.response.observation import LesionObservation, Refused
from tumorresp.response.table.rows import Row

_LENGTHS = ("long_axis_mm", "short_axis_mm", "viable_long_axis_mm")
_VOLUMES = ("volume_mm3", "volume_ml")
_SIZES = (*_LENGTHS, *_VOLUMES)
_NEITHER = "neither-size-nor-state"


@dataclass(frozen=True, slots=True)
class LesionFacts:
    """What is true of a lesion at every time point.

    Parameters
    ----------
    unknown
        Why it is not known which of its sizes counts, without a full stop; empty where it is.
    """

    lesion_id: str
    role: LesionRole
    nodal: bool
    site: str
    parents: tuple[str, ...] = ()
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class ReadLesion:
    """A lesion at one visit as a row gives it; ``refused`` is what could not be read of it."""

    seen: LesionObservation
    findings: tuple[Finding, ...]
    refused: tuple[Refused, ...]


def lesion_facts(rows: Sequence[Row], default: LesionRole | None = None) -> tuple[LesionFacts | None, list[Finding]]:
    """Return what the rows of one lesion, in order of date, say of it; None where its role is not told.

    Parameters
    ----------
    default
        The role where no row states one; None where it is not known either.
    """
    lesion_id = str(rows[0].values["lesion"])
    findings: list[Finding] = []
    role = _first(rows, "role", findings, f"The role of {lesion_id}") or default
    site = str(_first(rows, "site", findings, f"The site of {lesion_id}") or "")
    nodal = _first(rows, "nodal", findings, f"Whether {lesion_id} is a node")
    if role is None:
        words = f"{lesion_id} has no role: expected target, non-target or new; it is not known what it is."
        return None, [Finding("role-not-given", Severity.ERROR, words, rows[0].where, decides=True)]
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
    refused = next((row.refused["nodal"] for row in rows if "nodal" in row.refused), "")
    unknown = refused if nodal is None and not in_node else ""
    return LesionFacts(lesion_id, LesionRole(str(role)), node, site, parents, unknown), findings


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


def observation(row: Row, facts: LesionFacts) -> ReadLesion:
    """Return a row as an observation; one that contradicts itself or cannot be read is not evaluable."""
    values = row.values
    findings: list[Finding] = []
    long_axis, short_axis, viable = (_length(row, name) for name in _LENGTHS)
    volume, third = _volume(row), _length(row, "third_axis_mm")
    unread = _unread(row, facts)
    state = LesionState.NOT_EVALUABLE if unread else _state(row, facts.role, findings)
    trouble = "" if unread else _contradiction(row, long_axis, short_axis)
    if trouble:
        findings.append(
            Finding(
                "sizes-contradict",
                Severity.ERROR,
                f"{trouble}: {facts.lesion_id} is not evaluable.",
                row.where,
                decides=True,
            )
        )
        state = LesionState.NOT_EVALUABLE
    if state is LesionState.ABSENT and not any((long_axis, short_axis, viable, volume)):
        long_axis = short_axis = viable = volume = None
    why = unread or _lowered(trouble) or _without_meaning(findings, facts.role)
    volume_unread = "" if why else _refused_words(row, _VOLUMES)
    seen = LesionObservation(
        lesion_id=facts.lesion_id,
        role=facts.role,
        nodal=facts.nodal,
        organ=facts.site,
        state=state,
        long_axis_mm=None if why else long_axis,
        short_axis_mm=None if why else short_axis,
        volume_mm3=None if why else volume,
        label=str(values.get("label", "")),
        viable_long_axis_mm=None if why else viable,
        mean_density_hu=None if why else cast(Decimal | None, values.get("mean_density_hu")),
        parents=facts.parents,
        irradiated=bool(values.get("irradiated", False)),
        method=str(values.get("method", "")),
        slice_thickness_mm=cast(Decimal | None, values.get("slice_thickness_mm")),
        date=cast(datetime.date | None, values.get("date")),
        source=row.where,
        pending=why,
        volume_doubt=volume_unread,
        third_axis_mm=None if why or state is LesionState.ABSENT else third,
    )
    return ReadLesion(seen, tuple(findings), tuple(_refused(row, facts, why)))


def not_evaluable(facts: LesionFacts, why: str, source: str) -> ReadLesion:
    """Return a lesion of which nothing is known at a visit.

    Parameters
    ----------
    why
        Without a full stop.
    """
    seen = LesionObservation(
        facts.lesion_id,
        facts.role,
        facts.nodal,
        facts.site,
        LesionState.NOT_EVALUABLE,
        parents=facts.parents,
        source=source,
        pending=why,
    )
    return ReadLesion(seen, (), (Refused(f"{seen.name}: {why}", source, facts.lesion_id, facts.role),))


def _unread(row: Row, facts: LesionFacts) -> str:
    """Return why a row cannot say how its lesion is, empty where it can.

    A non-target lesion needs no size where its state is said.
    """
    if not row.refused:
        return facts.unknown
    needed = (
        ("state",) if facts.role is LesionRole.NON_TARGET and "state" in row.values else (*_LENGTHS, "unit", "state")
    )
    says_nothing = "state" not in row.values and not any(name in row.values for name in _SIZES)
    return _refused_words(row, (*needed, *(_VOLUMES if says_nothing else ()))) or facts.unknown


def _refused_words(row: Row, columns: Sequence[str]) -> str:
    return "; ".join(f"{name}: {row.refused[name]}" for name in columns if name in row.refused)


def _lowered(words: str) -> str:
    return words[:1].lower() + words[1:]


def _without_meaning(findings: Sequence[Finding], role: LesionRole) -> str:
    """Return why a target or new lesion of which nothing is said is not known; a non-target one was not assessed."""
    if role is LesionRole.NON_TARGET or not any(finding.code == _NEITHER for finding in findings):
        return ""
    return "it has neither size nor state"


def _refused(row: Row, facts: LesionFacts, why: str) -> Iterator[Refused]:
    name = f"{facts.lesion_id} {facts.site}".strip()
    if why:
        yield Refused(f"{name}: {why}", row.where, facts.lesion_id, facts.role)
        return
    if facts.role is LesionRole.NON_TARGET or not row.refused:
        return
    quantities = {
        **dict.fromkeys(_VOLUMES, "volume-"),
        "third_axis_mm": "volume-",
        "mean_density_hu": "choi",
        "method": "choi",
    }
    for column, criteria in quantities.items():
        if column in row.refused and (column != "method" or "mean_density_hu" in row.values):
            words = f"{name}: {column}: {row.refused[column]}"
            yield Refused(words, row.where, facts.lesion_id, facts.role, criteria=criteria)


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
    findings.append(Finding(_NEITHER, Severity.ERROR, words, row.where, decides=True))
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
