"""Reported values: sums and changes of TR, responses of RS."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tumorresp.domain.assessment import Category, NewLesionStatus
from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.rule_audit import Reported, ReportedBest, ReportedEvaluation, ReportedVisit
from tumorresp.response.table.conventions import TableConventions
from tumorresp.service.respond.sdtm_files import SdtmRow
from tumorresp.service.respond.sdtm_keys import ReadKey, VisitNames, read_key, record_date
from tumorresp.service.respond.sdtm_numbers import agree, stated_decimal

_CRITERION = "RECIST 1.1"
_SUMS = {
    "SUMDIAM": "target_sum",
    "PCBSD": "change_from_baseline_percent",
    "PCNSD": "change_from_nadir_percent",
    "ACNSD": "change_from_nadir",
}
_IN_MM = ("target_sum", "change_from_nadir")
_RESPONSES = {"TRGRESP": "target", "NTRGRESP": "non_target", "OVRLRESP": "overall"}
_NEW_LESIONS = ("NEWLPROG", "NEWLIND")
_BEST = "BESTRESP"
_CATEGORIES = {category.value.upper(): category for category in Category} | {
    "NOT APPLICABLE": Category.NOT_APPLICABLE,
    "NOT EVALUABLE": Category.NE,
}
_NEW = {
    "UNEQUIVOCAL": NewLesionStatus.YES,
    "PD": NewLesionStatus.YES,
    "Y": NewLesionStatus.YES,
    "YES": NewLesionStatus.YES,
    "EQUIVOCAL": NewLesionStatus.EQUIVOCAL,
    "N": NewLesionStatus.NO,
    "NO": NewLesionStatus.NO,
    "ABSENT": NewLesionStatus.NO,
}


@dataclass
class _Values:
    """What one reading reported, as it is gathered."""

    visits: dict[str, dict[str, Reported]] = field(default_factory=lambda: defaultdict(dict))
    conflicting: set[tuple[str, str]] = field(default_factory=set)
    best: list[ReportedBest] = field(default_factory=list)


def reported_evaluations(
    tr: Iterable[SdtmRow], rs: Iterable[SdtmRow], names: VisitNames, conventions: TableConventions
) -> tuple[Mapping[ReadKey, ReportedEvaluation], list[Finding]]:
    """Return what every reading reported, and what of it could not be used."""
    findings: list[Finding] = []
    readings: dict[ReadKey, _Values] = defaultdict(_Values)
    for row in tr:
        if row.get("TRTESTCD") in _SUMS and row.get("TRGRPID").upper() in ("", "TARGET") and _is_done(row):
            _keep_number(readings[read_key(row)], row, names.name(row), findings)
    for row in _of_criterion(rs, findings):
        _keep_response(readings[read_key(row)], row, names.name(row), conventions, findings)
    return {key: _evaluation(values) for key, values in readings.items()}, findings


def _evaluation(values: _Values) -> ReportedEvaluation:
    visits = [ReportedVisit(name, **own) for name, own in values.visits.items()]
    return ReportedEvaluation(tuple(visits), tuple(values.best))


def _of_criterion(rs: Iterable[SdtmRow], findings: list[Finding]) -> Sequence[SdtmRow]:
    """Return the records by RECIST 1.1, and say of the others that they are not audited."""
    kept, others = [], defaultdict(list)
    for row in rs:
        category = row.get("RSCAT")
        if not category or category.upper().startswith(_CRITERION):
            kept.append(row)
        else:
            others[category].append(row)
    for category, rows in sorted(others.items()):
        words = f"{len(rows)} records by {category} are not audited, only those by {_CRITERION}."
        findings.append(Finding("criterion-not-audited", Severity.INFO, words, rows[0].where))
    return kept


def _is_done(row: SdtmRow) -> bool:
    return row.get("--STAT") != "NOT DONE"


def _keep_number(values: _Values, row: SdtmRow, visit: str, findings: list[Finding]) -> None:
    name = _SUMS[row.get("TRTESTCD")]
    text = row.get("TRSTRESC") or row.get("TRSTRESN") or row.get("TRORRES")
    if not text:
        return
    number, unit = stated_decimal(text), row.get("TRSTRESU")
    if number is None:
        words = f"{text!r} is no number; it is not audited."
        findings.append(Finding("unreadable-cell", Severity.ERROR, words, f"{row.where}, {row.get('TRTESTCD')}"))
        return
    if not agree(row.get("TRSTRESC"), row.get("TRSTRESN")):
        words = f"TRSTRESC {row.get('TRSTRESC')} and TRSTRESN {row.get('TRSTRESN')} differ; it is not audited."
        findings.append(Finding("unreadable-cell", Severity.ERROR, words, f"{row.where}, {row.get('TRTESTCD')}"))
        return
    if name in _IN_MM and unit not in ("", "mm", "cm"):
        words = f"the unit {unit!r} is not known: expected mm or cm; the value is not audited."
        findings.append(Finding("unknown-unit", Severity.ERROR, words, f"{row.where}, TRSTRESU"))
        return
    in_mm = number.scaleb(1) if name in _IN_MM and unit == "cm" else number
    _keep(values, visit, name, Reported(in_mm, row.where), findings)


def _keep_response(
    values: _Values, row: SdtmRow, visit: str, conventions: TableConventions, findings: list[Finding]
) -> None:
    test, text = row.get("RSTESTCD"), (row.get("RSSTRESC") or row.get("RSORRES")).upper()
    known = _NEW if test in _NEW_LESIONS else _CATEGORIES
    if test not in (*_RESPONSES, *_NEW_LESIONS, _BEST) or not text or not _is_done(row):
        return
    value = known.get(text)
    if value is None:
        words = f"{text!r} is no value of {test}: expected one of {', '.join(known)}; it is not audited."
        findings.append(Finding("unreadable-cell", Severity.ERROR, words, f"{row.where}, RSSTRESC"))
    elif test == _BEST:
        assert isinstance(value, Category), "best response is a category"
        values.best.append(ReportedBest(value, _confirmed(row), row.where))
    elif test in _NEW_LESIONS:
        _keep(values, visit, "new_lesions", Reported(value, row.where), findings)
    else:
        _keep(values, visit, _RESPONSES[test], Reported(value, row.where), findings)
        date = record_date(row, conventions, findings) if test == "OVRLRESP" else None
        if date is not None:
            _keep(values, visit, "date", Reported(date, row.where), findings)


def _confirmed(row: SdtmRow) -> bool | None:
    """Return whether a best response is called confirmed; None where nothing is said."""
    words = f"{row.get('RSSCAT')} {row.get('RSTEST')}".upper()
    if "UNCONFIRMED" in words:
        return False
    return True if "CONFIRMED" in words else None


def _keep(values: _Values, visit: str, name: str, reported: Reported, findings: list[Finding]) -> None:
    """Keep a value; of two that differ neither is audited."""
    known = values.visits[visit].get(name)
    if (visit, name) in values.conflicting or (known is not None and known.value == reported.value):
        return
    if known is None:
        values.visits[visit][name] = reported
        return
    words = f"{visit} has {known.value} ({known.source}) and {reported.value} for {name.replace('_', ' ')}"
    findings.append(Finding("reported-twice", Severity.ERROR, f"{words}: neither is audited.", reported.source))
    values.conflicting.add((visit, name))
    del values.visits[visit][name]
