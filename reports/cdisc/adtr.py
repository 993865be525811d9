"""ADaM ADTR: sums and sizes of lesions over time, with baseline, nadir and changes (after admiralonco's ADTR)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from reports.cdisc.adsl import SUBJECT_VARIABLES, subject_variables
from reports.cdisc.dataset import DatasetDefinition, Row, Value, ValueLevel, Variable, VariableType
from reports.cdisc.parameter_codes import numbered_code, parameter
from reports.cdisc.study_facts import StudyFacts
from reports.cdisc.subject_records import Reading, SubjectRecords, study_day
from tumorresp.domain.assessment import Assessment, Category
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response.observation import LesionObservation
from tumorresp.response.outcome import CriterionOutcome

ADTR = DatasetDefinition(
    "ADTR",
    "Tumor Results Analysis Dataset",
    "ADaM",
    "BASIC DATA STRUCTURE",
    "One record per subject per parameter per visit",
    (
        *SUBJECT_VARIABLES,
        Variable("ASEQ", "Analysis Sequence Number", VariableType.INTEGER, "Derived"),
        Variable("PARAM", "Parameter", free_text=True),
        Variable("PARAMCD", "Parameter Code"),
        Variable("PARCAT1", "Parameter Category 1"),
        Variable("PARCAT2", "Parameter Category 2"),
        Variable("PARCAT3", "Parameter Category 3", free_text=True),
        Variable("AVISIT", "Analysis Visit", origin="Derived", free_text=True),
        Variable("AVISITN", "Analysis Visit (N)", VariableType.FLOAT, "Derived"),
        Variable("ADT", "Analysis Date", VariableType.DATE, "Derived"),
        Variable("ADY", "Analysis Relative Day", VariableType.INTEGER, "Derived"),
        Variable("AVAL", "Analysis Value", VariableType.FLOAT, "Derived"),
        Variable("BASE", "Baseline Value", VariableType.FLOAT, "Derived"),
        Variable("CHG", "Change from Baseline", VariableType.FLOAT, "Derived"),
        Variable("PCHG", "Percent Change from Baseline", VariableType.FLOAT, "Derived"),
        Variable("ABLFL", "Baseline Record Flag", origin="Derived", codelist="NY"),
        Variable("NADIR", "Nadir of Earlier Visits", VariableType.FLOAT, "Derived"),
        Variable("CHGNAD", "Change from Nadir", VariableType.FLOAT, "Derived"),
        Variable("PCHGNAD", "Percent Change from Nadir", VariableType.FLOAT, "Derived"),
        Variable("LSEXP", "Lesion IDs Expected", origin="Derived", free_text=True),
        Variable("LSASS", "Lesion IDs Assessed", origin="Derived", free_text=True),
        Variable("ANL01FL", "Analysis Flag 01: Complete Sum", origin="Derived", codelist="NY"),
        Variable("ANL02FL", "Analysis Flag 02: Best Change", origin="Derived", codelist="NY"),
        Variable("ANL03FL", "Analysis Flag 03: Before Progression", origin="Derived", codelist="NY"),
        Variable("ANL04FL", "Analysis Flag 04: Complete Sum or PD", origin="Derived", codelist="NY"),
        Variable("CRFL", "Complete Response Criteria Met Flag", origin="Derived", codelist="NY"),
        Variable("CRNFL", "Node Below Pathological Size Flag", origin="Derived", codelist="NY"),
        Variable("PDFL", "Progressive Disease Criteria Met Flag", origin="Derived", codelist="NY"),
        Variable("TULOCGR1", "Tumor Site Group 1", origin="Derived"),
        Variable("TRLNKID", "Link ID", origin="Predecessor"),
    ),
    ("STUDYID", "USUBJID", "PARAMCD", "AVISITN"),
    ValueLevel("PARAMCD", "PARAM", ("AVAL",)),
)

_CATEGORY = "Tumor Results"
_SUMS = {
    "mm": ("SDIAM", "Target Lesions Sum of Diameters (mm)"),
    "mm2": ("SPD", "Target Lesions Sum of Products (mm2)"),
    "mm3": ("TTV", "Target Lesions Total Volume (mm3)"),
}
# Every target is listed in LSEXP; a list that a text cannot hold is cut and reported.
_SEPARATOR = ", "


@dataclass(frozen=True, slots=True)
class _Value:
    """A value with those that it is compared with; None where absent."""

    value: Decimal | None
    baseline: Decimal | None
    nadir: Decimal | None
    is_baseline: bool

    def variables(self) -> dict[str, Value]:
        base = self.value if self.is_baseline else self.baseline
        change = nadir_change = None
        if self.value is not None and not self.is_baseline:
            change = None if self.baseline is None else self.value - self.baseline
            nadir_change = None if self.nadir is None else self.value - self.nadir
        return {
            "AVAL": _number(self.value),
            "BASE": _number(base),
            "CHG": _number(change),
            "PCHG": _percent(change, self.baseline),
            "ABLFL": "Y" if self.is_baseline and self.value is not None else "",
            "NADIR": None if self.is_baseline else _number(self.nadir),
            "CHGNAD": _number(nadir_change),
            "PCHGNAD": _percent(nadir_change, self.nadir),
        }


def tumor_analysis(subject: SubjectRecords, facts: StudyFacts) -> list[Row]:
    """Return the records of ADTR of one subject: sums first, then lesions."""
    fixed = subject_variables(subject, facts)
    rows = [fixed | row for row in _sum_rows(subject, facts)]
    rows += [fixed | row for reading in subject.readings for row in _lesion_rows(subject, reading, facts)]
    for number, row in enumerate(rows, start=1):
        row["ASEQ"] = number
    return list(rows)


def sum_sequence(subject: SubjectRecords) -> dict[tuple[str, str, float], int]:
    """Return ASEQ of every sum by evaluator (PARCAT2), criterion and visit number: what responses rest on."""
    keys = (
        (reading.evaluator_title.upper(), outcome.criterion, number)
        for reading in subject.readings
        for outcome in reading.outcome.outcomes
        if _has_sums(outcome)
        for number in reading.visit_numbers
    )
    return {key: sequence for sequence, key in enumerate(keys, start=1)}


def _has_sums(outcome: CriterionOutcome) -> bool:
    return any(item.target is not Category.NOT_APPLICABLE and item.unit in _SUMS for item in outcome.assessments)


def _sum_rows(subject: SubjectRecords, facts: StudyFacts) -> Iterator[dict[str, Value]]:
    for reading in subject.readings:
        for outcome in reading.outcome.outcomes:
            if _has_sums(outcome):
                yield from _sums_of(subject, reading, outcome, facts)


def _sums_of(
    subject: SubjectRecords, reading: Reading, outcome: CriterionOutcome, facts: StudyFacts
) -> Iterator[dict[str, Value]]:
    assessments = outcome.assessments
    base, words = _SUMS[assessments[0].unit]
    of_parameter = parameter(base, words, outcome.criterion, reading, _CATEGORY)
    expected = [item.lesion_id for item in reading.visits[0].observations if item.role is LesionRole.TARGET]
    progression = _first_progression(assessments)
    best = _best_index(assessments, progression)
    for index, (visit, item) in enumerate(zip(reading.visits, assessments, strict=True)):
        is_baseline = index == 0
        complete = item.complete_sum is not None and not is_baseline
        yield {
            **of_parameter,
            **_when(subject, reading, index),
            **_Value(item.target_sum, item.baseline_sum, item.nadir_sum, is_baseline).variables(),
            "LSEXP": _SEPARATOR.join(expected),
            "LSASS": _SEPARATOR.join(
                seen.lesion_id
                for seen in visit.observations
                if seen.lesion_id in expected and _is_assessed(seen, item.unit, facts)
            ),
            "ANL01FL": "Y" if complete else "",
            "ANL02FL": "Y" if index == best else "",
            "ANL03FL": "Y" if not is_baseline and (progression is None or index < progression) else "",
            "ANL04FL": "Y" if complete or item.target is Category.PD else "",
            "CRFL": "Y" if item.target in (Category.CR, Category.ICR) else "",
            "PDFL": "Y" if item.target in (Category.PD, Category.IUPD, Category.ICPD) else "",
        }


def _lesion_rows(subject: SubjectRecords, reading: Reading, facts: StudyFacts) -> Iterator[dict[str, Value]]:
    targets = [lesion for lesion in reading.lesions.values() if lesion.role is LesionRole.TARGET]
    for number, lesion in enumerate(targets, start=1):
        seen = [visit.of(lesion.lesion_id) for visit in reading.visits]
        base = "NLDIAM" if lesion.nodal else "LDIAM"
        fixed = _lesion_parameter(base, f"Target Lesion {number} Analysis Diameter (mm)", number, lesion, reading)
        diameters = [None if item is None else analysis_diameter(item, facts.too_small_mm) for item in seen]
        for row in _series(subject, reading, diameters):
            yield fixed | row | _diameter_flags(lesion, row["AVAL"], facts)
        volumes = [None if item is None else _volume(item) for item in seen]
        if any(item is not None and item.volume_mm3 is not None for item in seen):
            fixed = _lesion_parameter("VOL", f"Target Lesion {number} Volume (mm3)", number, lesion, reading)
            yield from (fixed | row for row in _series(subject, reading, volumes))


def analysis_diameter(lesion: LesionObservation, too_small_mm: Decimal) -> Decimal | None:
    """Return what a lesion adds to the sum of diameters (RECIST 1.1, section 4.3), None where not evaluable."""
    if lesion.is_contradictory or lesion.state in (LesionState.NOT_EVALUABLE, LesionState.MERGED):
        return None
    if lesion.state is LesionState.ABSENT:
        return Decimal(0)
    if lesion.counted_mm is None and lesion.state is LesionState.TOO_SMALL:
        return too_small_mm
    return lesion.counted_mm


def _volume(lesion: LesionObservation) -> Decimal | None:
    return Decimal(0) if lesion.state is LesionState.ABSENT and not lesion.is_contradictory else lesion.volume_mm3


def _lesion_parameter(
    base: str, words: str, number: int, lesion: LesionObservation, reading: Reading
) -> dict[str, Value]:
    group = "Nodal" if lesion.nodal else "Non-Nodal"
    return {
        "PARAMCD": numbered_code(base, number, reading),
        "PARAM": f"{group if base != 'VOL' else ''} {words} by {reading.evaluator_title}".strip(),
        "PARCAT1": _CATEGORY,
        "PARCAT2": reading.evaluator_title.upper(),
        "TULOCGR1": group.upper(),
        "TRLNKID": reading.link_id(lesion.lesion_id),
    }


def _series(subject: SubjectRecords, reading: Reading, values: Sequence[Decimal | None]) -> Iterator[dict[str, Value]]:
    """Yield the records of one lesion: from the visit on that first has a value; that of the first visit is BASE."""
    first = next((index for index, value in enumerate(values) if value is not None), len(values))
    baseline = values[0] if values else None
    nadir = None
    for index in range(first, len(values)):
        value = values[index]
        yield _when(subject, reading, index) | _Value(value, baseline, nadir, is_baseline=index == 0).variables()
        if value is not None and (nadir is None or value < nadir):
            nadir = value


def _diameter_flags(lesion: LesionObservation, value: Value, facts: StudyFacts) -> dict[str, Value]:
    gone = value == 0
    normal = lesion.nodal and isinstance(value, float) and value < facts.normal_node_mm
    return {"CRFL": "Y" if gone and not lesion.nodal else "", "CRNFL": "Y" if normal else ""}


def _when(subject: SubjectRecords, reading: Reading, index: int) -> dict[str, Value]:
    date = reading.visits[index].date
    return {
        "AVISIT": reading.visit_title(index),
        "AVISITN": reading.visit_numbers[index],
        "ADT": date,
        "ADY": study_day(date, subject.first_day),
    }


def _first_progression(assessments: Sequence[Assessment]) -> int | None:
    progressed = (Category.PD, Category.ICPD)
    return next((index for index, item in enumerate(assessments) if item.overall in progressed), None)


def _best_index(assessments: Sequence[Assessment], progression: int | None) -> int | None:
    """Return the visit after the baseline with the smallest complete sum, up to the first PD; of equals the first."""
    last = len(assessments) - 1 if progression is None else progression
    complete = [
        (item.complete_sum, index)
        for index, item in enumerate(assessments[: last + 1])
        if index and item.complete_sum is not None
    ]
    return min(complete)[1] if complete else None


def _is_assessed(lesion: LesionObservation, unit: str, facts: StudyFacts) -> bool:
    if unit == "mm3":
        return _volume(lesion) is not None or lesion.state is LesionState.TOO_SMALL
    return analysis_diameter(lesion, facts.too_small_mm) is not None


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _percent(change: Decimal | None, reference: Decimal | None) -> float | None:
    return None if change is None or not reference else float(100 * change / reference)
