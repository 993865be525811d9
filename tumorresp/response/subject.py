"""A subject as the criteria see it: visits by one evaluator, and the dates that end points are counted from."""

import datetime
from dataclasses import dataclass, field
from decimal import Decimal

from tumorresp.domain.assessment import Assessment, Category, NewLesionStatus
from tumorresp.domain.finding import Finding
from tumorresp.response.observation import Refused, Visit


@dataclass(frozen=True)
class Demographics:
    """What an analysis wants to know of a subject that no response depends on.

    Parameters
    ----------
    study_site
        Identifier of the site within the study.
    age_years
        None where not known.
    sex
        ``F``, ``M``, ``U`` (unknown) or ``INTERSEX``, as CDISC's terminology says; empty where not known.
    race
        In words; empty where not known.
    """

    study_site: str = ""
    age_years: Decimal | None = None
    sex: str = ""
    race: str = ""


@dataclass(frozen=True)
class SubjectDates:
    """What is known of a subject beside its scans; None where not known or not happened.

    Parameters
    ----------
    reference
        Randomisation, or first dose in a trial without: where PFS and windows count from.
    first_treatment
        First dose.
    new_therapy
        Start of another anti-cancer therapy.
    death, last_alive
        Death; last day on which the subject was known to live.
    arm
        Treatment arm, empty in a single-arm trial.
    demographics
        Site, age, sex and race.
    refused
        Columns of dates that were given, but could not be read or contradict each other.
    progression
        First progression as stated outside of the responses (adjudicated, clinical); counts only where the protocol
        says so.
    """

    reference: datetime.date | None = None
    first_treatment: datetime.date | None = None
    new_therapy: datetime.date | None = None
    death: datetime.date | None = None
    last_alive: datetime.date | None = None
    arm: str = ""
    demographics: Demographics = field(default=Demographics())
    refused: tuple[str, ...] = ()
    progression: datetime.date | None = None


@dataclass(frozen=True)
class SubjectCourse:
    """All visits of one subject by one evaluator, in order of date; the first is the baseline.

    Parameters
    ----------
    before_treatment
        Scans before treatment that are not the baseline (``tumorresp.response.baseline``): shown, in no number.
    refused
        What was given, could not be read, and may belong to any visit: rows of unknown date.
    """

    subject_id: str
    evaluator: str
    visits: tuple[Visit, ...]
    dates: SubjectDates = field(default=SubjectDates())
    findings: tuple[Finding, ...] = field(default=())
    before_treatment: tuple[Visit, ...] = field(default=())
    refused: tuple[Refused, ...] = field(default=())


@dataclass(frozen=True)
class DatedResponse:
    """The overall response of one visit with its dates: what best response and end points are made from.

    Parameters
    ----------
    date
        Of the visit (latest scan): what CR, PR and SD date from.
    progression_date
        What PD dates from: the earliest scan of the visit, or the first appearance of a lesion confirmed later.
    target_sum, baseline_sum
        Unrounded; None where incomplete, absent, or where only the response was reported.
    unit
        Of the sums.
    source
        Where it came from: a table's row; empty for a derived one.
    refused
        What could not be read and may hide progression at this visit, in words; nothing better is certain from here on.
    refused_targets_only
        Whether these are sizes of targets alone: the visit is NE, and later visits count on.
    """

    time_point_id: str
    name: str
    date: datetime.date
    overall: Category
    progression_date: datetime.date
    target_sum: Decimal | None = None
    baseline_sum: Decimal | None = None
    unit: str = ""
    source: str = ""
    refused: tuple[str, ...] = ()
    refused_targets_only: bool = False


def dated_responses(visits: tuple[Visit, ...], assessments: tuple[Assessment, ...]) -> tuple[DatedResponse, ...]:
    """Return the responses of a subject's visits after the baseline, with their dates."""
    return tuple(
        DatedResponse(
            time_point_id=visit.time_point_id,
            name=visit.name,
            date=visit.date,
            overall=assessment.overall,
            progression_date=assessment.progression_date or visit.first_date or visit.date,
            target_sum=assessment.complete_sum,
            baseline_sum=assessment.baseline_sum,
            unit=assessment.unit,
            refused=assessment.refused if _is_open(assessment) else (),
            refused_targets_only=assessment.refused_targets_only,
        )
        for visit, assessment in zip(visits, assessments, strict=True)
        if assessment.overall is not Category.BASELINE
    )


def _is_open(assessment: Assessment) -> bool:
    """Return whether refused input may hide progression: it kept the response back, or may confirm a lesion later."""
    return assessment.overall is Category.NE or assessment.new_lesions is NewLesionStatus.EQUIVOCAL
