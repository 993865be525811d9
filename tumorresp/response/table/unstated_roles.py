"""Roles for lesions of which no row states one: by the rules of target choice, from what the baseline shows of them."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import cast

from tumorresp.domain.default_roles import default_roles
from tumorresp.domain.eligibility import BaselineLesion
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.domain.organ import LYMPH_NODE_ORGAN, organ_of
from tumorresp.response.table.rows import Row
from tumorresp.response.table.visit_rows import VisitRows


@dataclass(frozen=True)
class DefaultedRoles:
    """Roles by lesion, and what to say of each.

    A normal node of the baseline is called new: it is no lesion there, and one from the visit on at which it has grown.
    """

    roles: Mapping[str, LesionRole]
    findings: tuple[Finding, ...]


def roles_by_default(
    rows: Mapping[str, Sequence[Row]], visits: Sequence[VisitRows], start: datetime.date | None
) -> DefaultedRoles:
    """Return roles for the lesions that have none.

    Parameters
    ----------
    rows
        Of all lesions, by ID.
    visits
        In order of date.
    start
        Of treatment; None where not known: the first visit is the baseline then.

    Returns
    -------
    DefaultedRoles
        Without the lesions that are first seen after treatment began: these may be new, and only a reader knows.
    """
    before = [visit for visit in visits if start is not None and visit.first_date <= start] or list(visits[:1])
    shown: dict[str, Row] = {}
    for visit in before:
        shown |= {str(row.values["lesion"]): row for row in visit.rows if "lesion" in row.values}
    lesions = [_lesion(name, row, rows.get(name, (row,))) for name, row in shown.items()]
    roles: dict[str, LesionRole] = {}
    findings = []
    for item in default_roles([lesion for lesion in lesions if lesion is not None]):
        roles[item.lesion.lesion_id] = item.role or LesionRole.NEW
        said = item.finding
        findings.append(
            replace(said, severity=Severity.WARNING, decides=True) if said.code == "role-not-stated" else said
        )
    return DefaultedRoles(roles, tuple(findings))


def _lesion(name: str, row: Row, own: Sequence[Row]) -> BaselineLesion | None:
    """Return a lesion as the baseline shows it; None where that cannot be read."""
    stated = next((LesionRole(str(item.values["role"])) for item in own if "role" in item.values), None)
    if stated is None and (row.refused or any("role" in item.refused for item in own)):
        return None
    site = next((str(item.values["site"]) for item in own if "site" in item.values), "")
    nodal = next((bool(item.values["nodal"]) for item in own if "nodal" in item.values), None)
    state = row.values.get("state")
    return BaselineLesion(
        lesion_id=name,
        role=stated,
        nodal=organ_of(None, site) == LYMPH_NODE_ORGAN if nodal is None else nodal,
        organ=site,
        state=LesionState.MEASURED if state is None else LesionState(str(state)),
        long_axis_mm=_length(row, "long_axis_mm"),
        short_axis_mm=_length(row, "short_axis_mm"),
        slice_thickness_mm=cast(Decimal | None, row.values.get("slice_thickness_mm")),
        method=str(row.values.get("method", "")),
        irradiated=bool(row.values.get("irradiated", False)),
        source=row.where,
    )


def _length(row: Row, name: str) -> Decimal | None:
    value = cast(Decimal | None, row.values.get(name))
    return value * 10 if value is not None and row.values.get("unit") == "cm" else value
