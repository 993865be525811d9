"""SDTM TR: what was measured or said of every lesion at every visit, and an assessor's sums (SDTMIG 3.4, TR)."""

import datetime
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache

from reports.cdisc.controlled_terminology import ROLE_TERMS, TR_TESTS, method_term
from reports.cdisc.dataset import DatasetDefinition, Row, Value, ValueLevel, Variable, VariableType
from reports.cdisc.exposure import epoch, flag_last_before_exposure
from reports.cdisc.study_facts import ExportMode, StudyFacts
from reports.cdisc.subject_records import Reading, SubjectRecords, study_day
from tumorresp.domain.assessment import Assessment
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.reasons import rounded

TR = DatasetDefinition(
    "TR",
    "Tumor/Lesion Results",
    "SDTM",
    "FINDINGS",
    "One record per tumor measurement/assessment per visit per assessor",
    (
        Variable("STUDYID", "Study Identifier", origin="Protocol"),
        Variable("DOMAIN", "Domain Abbreviation"),
        Variable("USUBJID", "Unique Subject Identifier"),
        Variable("TRSEQ", "Sequence Number", VariableType.INTEGER),
        Variable("TRGRPID", "Group ID"),
        Variable("TRLNKID", "Link ID"),
        Variable("TRLNKGRP", "Link Group ID"),
        Variable("TRTESTCD", "Tumor/Lesion Assessment Short Name", codelist="TRTESTCD"),
        Variable("TRTEST", "Tumor/Lesion Assessment Test Name", codelist="TRTEST"),
        Variable("TRORRES", "Result or Finding in Original Units", origin="Collected"),
        Variable("TRORRESU", "Original Units", origin="Collected", codelist="UNIT"),
        Variable("TRSTRESC", "Character Result/Finding in Std Format"),
        Variable("TRSTRESN", "Numeric Result/Finding in Standard Units", VariableType.FLOAT),
        Variable("TRSTRESU", "Standard Units", codelist="UNIT"),
        Variable("TRSTAT", "Completion Status", origin="Collected", codelist="ND"),
        Variable("TRREASND", "Reason Not Done", origin="Collected"),
        Variable("TRNAM", "Laboratory/Vendor Name", free_text=True),
        Variable(
            "TRMETHOD", "Method Used to Identify Tumor/Lesion", origin="Collected", codelist="METHOD", free_text=True
        ),
        Variable("TRLOBXFL", "Last Observation Before Exposure Flag", origin="Derived", codelist="NY"),
        Variable("TREVAL", "Evaluator", codelist="EVAL"),
        Variable("TREVALID", "Evaluator Identifier", codelist="MEDEVAL"),
        Variable("VISITNUM", "Visit Number", VariableType.FLOAT),
        Variable("VISIT", "Visit Name", origin="Collected", free_text=True),
        Variable("EPOCH", "Epoch", origin="Derived", codelist="EPOCH"),
        Variable("TRDTC", "Date/Time of Tumor/Lesion Measurement", VariableType.ISO_DATE, "Collected"),
        Variable("TRDY", "Study Day of Tumor/Lesion Measurement", VariableType.INTEGER, "Derived"),
    ),
    ("STUDYID", "USUBJID", "TREVAL", "TREVALID", "TRLNKID", "VISITNUM", "TRTESTCD"),
    ValueLevel(
        "TRTESTCD",
        "TRTEST",
        ("TRORRES", "TRSTRESC", "TRSTRESN"),
        {"TUMSTATE": "TRPROPRS", "LNSTATE": "TRPROPRS"},
    ),
)

SUM_CRITERION = "recist-1.1"
"""The criterion whose sum of diameters an assessor's SUMDIAM is."""
_CHANGE_PLACES = 6

_TUMOUR_STATES = {
    LesionState.MEASURED: "PRESENT",
    LesionState.PRESENT: "PRESENT",
    LesionState.TOO_SMALL: "PRESENT",
    LesionState.ABSENT: "ABSENT",
    LesionState.EQUIVOCAL: "EQUIVOCAL",
    LesionState.UNEQUIVOCAL_PROGRESSION: "UNEQUIVOCAL PROGRESSION",
    LesionState.MERGED: "TUMOR MERGED",
}
_NODE_STATES = {
    LesionState.PRESENT: "PATHOLOGICAL",
    LesionState.UNEQUIVOCAL_PROGRESSION: "PATHOLOGICAL",
    LesionState.TOO_SMALL: "NONPATHOLOGICAL",
    LesionState.ABSENT: "NONPATHOLOGICAL",
}
"""LNSTATE knows these two words alone; what else a reader says of a node is a TUMSTATE."""
_SAID_OF_NODES = frozenset((LesionState.EQUIVOCAL, LesionState.UNEQUIVOCAL_PROGRESSION, LesionState.MERGED))
_NEW_STATES = {
    LesionState.MEASURED: "UNEQUIVOCAL",
    LesionState.PRESENT: "UNEQUIVOCAL",
    LesionState.TOO_SMALL: "UNEQUIVOCAL",
    LesionState.UNEQUIVOCAL_PROGRESSION: "UNEQUIVOCAL",
    LesionState.ABSENT: "ABSENT",
    LesionState.EQUIVOCAL: "EQUIVOCAL",
    LesionState.MERGED: "TUMOR MERGED",
}
_STATED_OF_TARGETS = frozenset(
    (LesionState.ABSENT, LesionState.PRESENT, LesionState.EQUIVOCAL, LesionState.UNEQUIVOCAL_PROGRESSION)
)
"""A target that is measured, too small or merged is told by its size or by why there is none."""


def tumor_results(subject: SubjectRecords, facts: StudyFacts) -> list[Row]:
    """Return the records of TR of one subject."""
    rows: list[dict[str, Value]] = []
    for reading in subject.readings:
        own = list(_of_reading(subject, reading, facts))
        flag_last_before_exposure(own, "TR", subject.dates.first_treatment, ("TRGRPID", "TRLNKID", "TRTESTCD"))
        own.sort(key=lambda row: (row["TRLNKID"], row["VISITNUM"], row["TRTESTCD"]))
        rows += own
    for number, row in enumerate(rows, start=1):
        row["TRSEQ"] = number
    return list(rows)


def lesion_results(lesion: LesionObservation, facts: StudyFacts) -> list[dict[str, Value]]:
    """Return test, result, unit and status of everything that is known of a lesion at a visit.

    Both axes are there where both were measured: the longest diameter as LDIAM, the short axis as LPERP. The axis that
    counts (of a node the short one) is NOT DONE where a target has none.
    """
    results = _sizes(lesion, facts)
    if lesion.role is LesionRole.TARGET:
        results += _target_state(lesion, facts, has_axis=any(item["TRTESTCD"] == _axis(lesion) for item in results))
    elif lesion.role is LesionRole.NEW:
        results.append(_state("TUMSTATE", _NEW_STATES.get(lesion.state)))
    elif not lesion.nodal or lesion.state is not LesionState.MEASURED or not results:
        results += _stated(lesion)
    return results


def _stated(lesion: LesionObservation) -> list[dict[str, Value]]:
    """Return the state of a target or non-target lesion: LNSTATE of a node, TUMSTATE of any other."""
    if not lesion.nodal:
        return [_state("TUMSTATE", _TUMOUR_STATES.get(lesion.state))]
    states = []
    if lesion.state in _NODE_STATES or lesion.state not in _SAID_OF_NODES:
        states.append(_state("LNSTATE", _NODE_STATES.get(lesion.state)))
    if lesion.state in _SAID_OF_NODES:
        states.append(_state("TUMSTATE", _TUMOUR_STATES[lesion.state]))
    return states


def _of_reading(subject: SubjectRecords, reading: Reading, facts: StudyFacts) -> Iterator[dict[str, Value]]:
    known: dict[str, LesionObservation] = {}
    sums = _sums(reading) if facts.mode is ExportMode.CENTRAL_READ else None
    for scan in reading.scans:
        visit = scan.visit
        of_visit: dict[str, Value] = {
            "STUDYID": facts.study_id,
            "DOMAIN": "TR",
            "USUBJID": subject.usubjid,
            "TRLNKGRP": reading.link_group(scan.numbered),
            "TRNAM": facts.vendor_name if facts.mode is ExportMode.CENTRAL_READ else "",
            "TREVAL": reading.terms.kind.value,
            "TREVALID": reading.terms.evaluator_id,
            "VISITNUM": scan.numbered.number,
            "VISIT": scan.numbered.title.upper(),
            "EPOCH": epoch(visit.date, subject.dates),
        }
        for lesion in visit.observations:
            of_lesion = of_visit | _lesion_facts(reading, lesion, visit, subject)
            for result in lesion_results(lesion, facts):
                yield {**of_lesion, **result}
        yield from _not_assessed(reading, visit, known, of_visit)
        if sums is not None and scan.index is not None:
            when: dict[str, Value] = {"TRDTC": _iso(visit.date), "TRDY": study_day(visit.date, subject.first_day)}
            yield from ({**of_visit, **when, **result} for result in _group_results(sums[scan.index]))
        for lesion in visit.observations:
            known.setdefault(lesion.lesion_id, lesion)


def _lesion_facts(
    reading: Reading, lesion: LesionObservation, visit: Visit, subject: SubjectRecords
) -> dict[str, Value]:
    date = lesion.date or visit.date
    return {
        "TRGRPID": ROLE_TERMS[lesion.role],
        "TRLNKID": reading.link_id(lesion.lesion_id),
        "TRMETHOD": method_term(lesion.method),
        "EPOCH": epoch(date, subject.dates),
        "TRDTC": _iso(date),
        "TRDY": study_day(date, subject.first_day),
    }


def _sizes(lesion: LesionObservation, facts: StudyFacts) -> list[dict[str, Value]]:
    results = []
    if lesion.long_axis_mm is not None:
        results.append(_number("LDIAM", lesion.long_axis_mm, "mm"))
    if lesion.short_axis_mm is not None:
        results.append(_number("LPERP", lesion.short_axis_mm, "mm"))
    if lesion.volume_mm3 is not None and facts.reader_signed:
        results.append(_number("VOLUME", lesion.volume_mm3, "mm3"))
    return results


def _target_state(lesion: LesionObservation, facts: StudyFacts, *, has_axis: bool) -> list[dict[str, Value]]:
    results = _stated(lesion) if lesion.state in _STATED_OF_TARGETS else []
    if has_axis or lesion.is_contradictory:
        return results
    axis = _axis(lesion)
    if lesion.state is LesionState.ABSENT:
        results.append(_number(axis, Decimal(0), "mm"))
    elif lesion.state is LesionState.TOO_SMALL:
        results.append(_number(axis, facts.too_small_mm, "mm") | {"TRORRES": "TOO SMALL TO MEASURE", "TRORRESU": ""})
    else:
        results.append(_not_done(axis, _REASONS.get(lesion.state, "NOT MEASURED")))
    return results


_REASONS = {LesionState.NOT_EVALUABLE: "NOT EVALUABLE", LesionState.MERGED: "TUMOR MERGED"}


def _not_assessed(
    reading: Reading, visit: Visit, known: Mapping[str, LesionObservation], of_visit: dict[str, Value]
) -> Iterator[dict[str, Value]]:
    """Yield NOT DONE for targets and non-targets that the visit does not mention; no scan, so no date.

    A lesion that has split is followed under its fragments' IDs and has no record any more; one that has merged is
    NOT DONE because of that.
    """
    seen = {lesion.lesion_id for lesion in visit.observations}
    reasons = {
        parent: "TUMOR MERGED" if len(lesion.parents) > 1 else ""
        for lesion in (*known.values(), *visit.observations)
        for parent in lesion.parents
    }
    for lesion_id, lesion in known.items():
        reason = reasons.get(lesion_id, "NOT ASSESSED")
        if lesion_id in seen or lesion.role is LesionRole.NEW or not reason:
            continue
        test = _axis(lesion) if lesion.role is LesionRole.TARGET else ("LNSTATE" if lesion.nodal else "TUMSTATE")
        yield {
            **of_visit,
            "TRGRPID": ROLE_TERMS[lesion.role],
            "TRLNKID": reading.link_id(lesion_id),
            **_not_done(test, reason),
        }


def _sums(reading: Reading) -> tuple[Assessment | None, ...]:
    found = next((item.assessments for item in reading.outcome.outcomes if item.criterion == SUM_CRITERION), None)
    return found if found is not None else (None,) * len(reading.visits)


def _group_results(assessment: Assessment | None) -> Iterator[dict[str, Value]]:
    if assessment is None or assessment.complete_sum is None:
        return
    group: dict[str, Value] = {"TRGRPID": "TARGET", "TRLNKID": ""}
    yield group | _number("SUMDIAM", assessment.complete_sum, "mm")
    changes = (
        ("PCBSD", assessment.change_from_baseline_percent, "%"),
        ("PCNSD", assessment.change_from_nadir_percent, "%"),
        ("ACNSD", assessment.change_from_nadir, "mm"),
    )
    for test, change, unit in changes:
        if change is not None:
            yield group | _number(test, rounded(change, _CHANGE_PLACES), unit)


def _axis(lesion: LesionObservation) -> str:
    return "LPERP" if lesion.nodal else "LDIAM"


def _number(test: str, value: Decimal, unit: str) -> dict[str, Value]:
    text = decimal_text(value)
    return {
        "TRTESTCD": test,
        "TRTEST": TR_TESTS[test],
        "TRORRES": text,
        "TRORRESU": unit,
        "TRSTRESC": text,
        "TRSTRESN": float(value),
        "TRSTRESU": unit,
    }


def _state(test: str, word: str | None) -> dict[str, Value]:
    if word is None:
        return _not_done(test, "NOT EVALUABLE")
    return {"TRTESTCD": test, "TRTEST": TR_TESTS[test], "TRORRES": word, "TRSTRESC": word}


def _not_done(test: str, reason: str) -> dict[str, Value]:
    return {"TRTESTCD": test, "TRTEST": TR_TESTS[test], "TRSTAT": "NOT DONE", "TRREASND": reason}


@lru_cache(maxsize=65536)
def decimal_text(value: Decimal) -> str:
    """Return a number as text: all its digits, no exponent, no trailing zeros."""
    return f"{value.normalize():f}"


@lru_cache(maxsize=65536)
def _iso(date: datetime.date) -> str:
    return date.isoformat()
