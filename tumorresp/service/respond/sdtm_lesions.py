"""TU and TR records as rows of a lesion table: one a lesion, visit and evaluator."""

import datetime
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.domain.organ import LYMPH_NODE_ORGAN, organ_of
from tumorresp.response.table.cells import BadCell, Cell, cell_value
from tumorresp.response.table.columns import Column, Kind
from tumorresp.response.table.conventions import TableConventions
from tumorresp.response.table.rows import Row
from tumorresp.service.respond.sdtm_files import SdtmRow
from tumorresp.service.respond.sdtm_keys import ReadKey, VisitNames, read_key, record_date
from tumorresp.service.respond.sdtm_numbers import agree, number_text, stated_decimal

_ROLES = {"TARGET": LesionRole.TARGET, "NON-TARGET": LesionRole.NON_TARGET, "NEW": LesionRole.NEW}
_METHODS = {"CT": "CT", "MRI": "MRI", "X-RAY": "X-RAY", "XRAY": "X-RAY", "CALIPER": "CALIPER"}
_LENGTHS = ("LDIAM", "LPERP", "DIAMETER")
_SIZES = (*_LENGTHS, "VOLUME")
_STATES = ("TUMSTATE", "LNSTATE")
LESION_TESTS = (*_SIZES, *_STATES)
_NUMBER = Column("TRSTRESC", Kind.LENGTH, "")
_MM = {"": 1, "mm": 1, "cm": 10}
_MM3 = {"": 1, "mm3": 1, "mL": 1000, "ml": 1000, "cm3": 1000}
_TOO_SMALL = "TOO SMALL"
_TUMOUR_STATES = {
    "PRESENT": LesionState.PRESENT,
    "ABSENT": LesionState.ABSENT,
    "EQUIVOCAL": LesionState.EQUIVOCAL,
    "UNEQUIVOCAL PROGRESSION": LesionState.UNEQUIVOCAL_PROGRESSION,
    "PROGRESSION": LesionState.UNEQUIVOCAL_PROGRESSION,
    "TUMOR MERGED": LesionState.MERGED,
    "TOO SMALL TO MEASURE": LesionState.TOO_SMALL,
    "NOT EVALUABLE": LesionState.NOT_EVALUABLE,
    "NOT ASSESSABLE": LesionState.NOT_EVALUABLE,
    "PATHOLOGICAL": LesionState.PRESENT,
    "NONPATHOLOGICAL": LesionState.ABSENT,
    "NON-PATHOLOGICAL": LesionState.ABSENT,
}


@dataclass(frozen=True)
class Identified:
    """What TU says of a lesion."""

    role: LesionRole | None
    site: str
    parents: tuple[str, ...]
    irradiated: bool
    method: str


@dataclass(frozen=True)
class LesionRows:
    """Rows of a lesion table by reading, and the records that each was made from.

    Parameters
    ----------
    records
        By the row's number: what findings call it instead.
    """

    rows: Mapping[ReadKey, list[Row]]
    records: Mapping[int, str]
    findings: tuple[Finding, ...]


def identified_lesions(
    rows: Iterable[SdtmRow], supplements: Iterable[SdtmRow]
) -> tuple[Mapping[tuple[ReadKey, str], Identified], list[Finding]]:
    """Return the lesions of TU by reading and TULNKID.

    A fragment (TUSPLIT) names its parent in TUGRPID; a conglomerate (TUMERGE) its parents in TULNKID or TUGRPID,
    separated by ``/``.
    """
    irradiated = {
        (row.get("USUBJID"), named)
        for row in supplements
        if row.get("QNAM") in ("TUPREISP", "TUPREVIR", "PREVIR") and row.get("QVAL").upper() in ("Y", "YES")
        for named in (row.get("IDVARVAL"), _sequence_number(row.get("IDVARVAL")))
    }
    lesions: dict[tuple[ReadKey, str], Identified] = {}
    findings: list[Finding] = []
    for row in rows:
        lesion, key = row.get("TULNKID"), read_key(row)
        role = _role(row.get("TUSTRESC") or row.get("TUORRES"))
        if not lesion or role is None:
            words = "TULNKID is empty" if not lesion else f"{row.get('TUSTRESC')!r} is no role of a lesion"
            words += f": expected a lesion and one of {', '.join(_ROLES)}; the record is not used."
            findings.append(Finding("lesion-not-identified", Severity.ERROR, words, row.where))
            continue
        known = lesions.get((key, lesion))
        if known is not None and known.role is not role:
            words = f"{lesion} is {known.role} and {role}: {known.role}, which came first, is used."
            findings.append(Finding("role-changes", Severity.WARNING, words, row.where))
        if known is None:
            lesions[key, lesion] = Identified(
                role,
                " ".join(filter(None, (row.get("TULAT").lower(), row.get("TULOC").lower()))),
                _parents(row),
                bool({(key.subject, row.get("TUSEQ")), (key.subject, lesion)} & irradiated),
                _method(row.get("TUMETHOD")),
            )
    return lesions, findings


def lesion_rows(
    records: Sequence[SdtmRow],
    lesions: Mapping[tuple[ReadKey, str], Identified],
    names: VisitNames,
    dates: Mapping[tuple[ReadKey, str], datetime.date],
    conventions: TableConventions,
) -> LesionRows:
    """Return TR's records of lesions as rows of a lesion table, numbered as the first record of each."""
    findings: list[Finding] = []
    grouped: dict[tuple[ReadKey, str, str], list[SdtmRow]] = defaultdict(list)
    rows: dict[ReadKey, list[Row]] = defaultdict(list)
    where: dict[int, str] = {}
    for row in records:
        if row.get("TRTESTCD") not in LESION_TESTS:
            continue
        reading, visit = read_key(row), names.name(row)
        if row.get("TRLNKID"):
            grouped[reading, row.get("TRLNKID"), visit].append(row)
            continue
        rows[reading].append(_unnamed(row, visit, dates.get((reading, visit)), conventions, findings))
        where[row.number] = row.where
    nodes = {(read_key(row), row.get("TRLNKID")) for row in records if row.get("TRTESTCD") == "LNSTATE"}
    for (key, lesion, visit), own in grouped.items():
        # TU without an evaluator identifies the lesions of all.
        known = lesions.get((key, lesion)) or lesions.get((ReadKey(key.subject, ""), lesion))
        nodal = (key, lesion) in nodes or _is_node(known)
        for part in _without_repeats(own):
            made = _Lesion(key, lesion, visit, known, nodal)
            made_row = _row(made, part, dates.get((key, visit)), conventions, findings)
            if made_row is not None:
                rows[key].append(made_row)
                where[made_row.number] = _where(part)
    return LesionRows(rows, where, tuple(findings))


def _unnamed(
    record: SdtmRow,
    visit: str,
    visit_date: datetime.date | None,
    conventions: TableConventions,
    findings: list[Finding],
) -> Row:
    """Return a record of an unknown lesion: what it says is not used, but it keeps back what it may have changed."""
    words = "TRLNKID is empty: the record is of no lesion and is not used."
    findings.append(Finding("lesion-not-named", Severity.ERROR, words, record.where, decides=True))
    date = record_date(record, conventions, []) or visit_date
    key = read_key(record)
    values: dict[str, Cell] = {
        "subject": key.subject,
        "evaluator": key.evaluator,
        "visit": visit,
        "date": date,
    }
    refused = {"lesion": "TRLNKID is empty"} | ({} if date else {"date": "it has no date"})
    return Row(record.number, {name: value for name, value in values.items() if value}, refused)


@dataclass(frozen=True)
class _Lesion:
    key: ReadKey
    lesion_id: str
    visit: str
    identified: Identified | None
    nodal: bool


def _row(
    lesion: _Lesion,
    records: Sequence[SdtmRow],
    visit_date: datetime.date | None,
    conventions: TableConventions,
    findings: list[Finding],
) -> Row | None:
    stated = [date for record in records if (date := record_date(record, conventions, findings)) is not None]
    date = max(stated, default=visit_date)
    if any("SPLIT" in record.get("TRREASND").upper() for record in records):
        return None
    refused: dict[str, str] = {}
    if date is None:
        words = f"{lesion.lesion_id} has no date, and no other record of its visit has one; it is not used."
        findings.append(Finding("no-date", Severity.ERROR, words, records[0].where, decides=True))
        refused["date"] = "it has no date"
    identified = lesion.identified
    role = (identified.role if identified else None) or _role(records[0].get("TRGRPID"))
    values: dict[str, Cell] = {
        "subject": lesion.key.subject,
        "evaluator": lesion.key.evaluator or None,
        "lesion": lesion.lesion_id,
        "visit": lesion.visit or None,
        "date": date,
        "role": role.value if role else None,
        "site": (identified.site if identified else "") or None,
        "nodal": lesion.nodal,
        "parents": ";".join(identified.parents) if identified else None,
        "irradiated": identified.irradiated if identified else False,
        "method": _method(records[0].get("TRMETHOD")) or (identified.method if identified else "") or None,
    }
    for record in records:
        values |= _sizes(record, lesion.nodal, findings, refused)
    # What cannot be understood is not guessed at: the lesion was seen, but how large it was is not known.
    values["state"] = _state(records, role, findings, refused)
    known = {name: value for name, value in values.items() if value not in (None, "") and name not in refused}
    return Row(records[0].number, known, refused)


def _sizes(record: SdtmRow, nodal: bool, findings: list[Finding], refused: dict[str, str]) -> dict[str, Cell]:
    """Return the size that a record holds, in mm or mm3; what cannot be read is refused."""
    test = record.get("TRTESTCD")
    column = _column(test, nodal=nodal)
    standard = record.get("TRSTRESN") or record.get("TRSTRESC")
    text = standard or record.get("TRORRES")
    if test not in _SIZES or not text or (_is_too_small(record) and not record.get("TRSTRESN")):
        return {}
    units = _MM3 if test == "VOLUME" else _MM
    unit = record.get("TRSTRESU" if standard else "TRORRESU")
    try:
        value = cell_value(_NUMBER, text)
        if unit not in units:
            raise BadCell(f"the unit {unit!r} is not known: expected one of {', '.join(filter(None, units))}")
        if not agree(record.get("TRSTRESC"), record.get("TRSTRESN")):
            raise BadCell(f"TRSTRESC {record.get('TRSTRESC')} and TRSTRESN {record.get('TRSTRESN')} differ")
    except BadCell as error:
        words = f"{error}; {record.get('TRLNKID')} is not evaluable."
        findings.append(Finding("unreadable-cell", Severity.ERROR, words, f"{record.where}, {test}", decides=True))
        refused[column] = str(error)
        return {}
    assert isinstance(value, Decimal), "a number or an error"
    return {column: value * units[unit]}


def _column(test: str, *, nodal: bool) -> str:
    """Return the column of a lesion table that a test fills."""
    if test == "VOLUME":
        return "volume_mm3"
    return "short_axis_mm" if test == "LPERP" or (test == "DIAMETER" and nodal) else "long_axis_mm"


def _state(
    records: Sequence[SdtmRow], role: LesionRole | None, findings: list[Finding], refused: dict[str, str]
) -> str | None:
    """Return what the records say of the lesion's state; None where its size alone speaks."""
    if all(record.get("TRSTAT") == "NOT DONE" for record in records):
        merged = any("MERGED" in record.get("TRREASND").upper() for record in records)
        return (LesionState.MERGED if merged else LesionState.NOT_EVALUABLE).value
    if any(_is_too_small(record) for record in records):
        return LesionState.TOO_SMALL.value
    has_size = any(record.get("TRTESTCD") in _SIZES and record.get("TRSTAT") != "NOT DONE" for record in records)
    states = [_stated(record, role, findings, refused) for record in records if record.get("TRTESTCD") in _STATES]
    told = [state for state in states if state is not None]
    # A pathological or normal node, and a lesion that is present, are told by their size where there is one.
    by_size = has_size and all(
        record.get("TRTESTCD") == "LNSTATE" for record in records if record.get("TRTESTCD") in _STATES
    )
    if not told or by_size or (has_size and told[0] is LesionState.PRESENT):
        return None
    return told[0].value


def _stated(
    record: SdtmRow, role: LesionRole | None, findings: list[Finding], refused: dict[str, str]
) -> LesionState | None:
    text = (record.get("TRSTRESC") or record.get("TRORRES")).upper()
    if not text:
        return None
    if text == "UNEQUIVOCAL":
        # Of a new lesion: it is there for certain. Of a non-target: it is worse for certain.
        return LesionState.PRESENT if role is LesionRole.NEW else LesionState.UNEQUIVOCAL_PROGRESSION
    state = _TUMOUR_STATES.get(text)
    if state is None:
        words = f"the state {text!r} is not known: expected one of {', '.join(_TUMOUR_STATES)}, UNEQUIVOCAL"
        words += f"; {record.get('TRLNKID')} is not evaluable."
        finding = Finding("unknown-state", Severity.ERROR, words[0].upper() + words[1:], record.where, decides=True)
        findings.append(finding)
        refused["state"] = f"the state {text!r} is not known"
    return state


def _is_too_small(record: SdtmRow) -> bool:
    return record.get("TRTESTCD") in _SIZES and any(
        _TOO_SMALL in record.get(name).upper() for name in ("TRORRES", "TRSTRESC")
    )


def _without_repeats(records: Sequence[SdtmRow]) -> list[list[SdtmRow]]:
    """Return the records of a lesion and visit in parts with one record a test: more than one part is a conflict."""
    parts: list[list[SdtmRow]] = []
    for record in records:
        test = record.get("TRTESTCD")
        part = next((own for own in parts if test not in [item.get("TRTESTCD") for item in own]), None)
        if part is None:
            parts.append([record])
        else:
            part.append(record)
    return parts


def _where(records: Sequence[SdtmRow]) -> str:
    numbers = ", ".join(str(record.number) for record in records)
    return f"{records[0].domain} row{'s' if len(records) > 1 else ''} {numbers}"


def _sequence_number(text: str) -> str:
    """Return --SEQ as its own data set writes it: ``3`` for 3.0."""
    number = stated_decimal(text)
    return "" if number is None else number_text(number)


def _is_node(lesion: Identified | None) -> bool:
    return lesion is not None and organ_of(None, lesion.site) == LYMPH_NODE_ORGAN


def _role(text: str) -> LesionRole | None:
    return _ROLES.get(text.upper())


def _parents(row: SdtmRow) -> tuple[str, ...]:
    lesion, group = row.get("TULNKID"), row.get("TUGRPID")
    if row.get("TUTESTCD") == "TUSPLIT":
        return tuple(part for part in (group,) if part and part != lesion)
    if row.get("TUTESTCD") == "TUMERGE":
        named = lesion if "/" in lesion else group
        return tuple(part.strip() for part in named.split("/") if part.strip() != lesion)
    return ()


def _method(text: str) -> str:
    words = set(re.split(r"[^A-Z-]+", text.upper()))
    return next((method for word, method in _METHODS.items() if word in words), "")
