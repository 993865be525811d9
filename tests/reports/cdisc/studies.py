"""Small studies for the export's tests: courses as short texts, best responses and end points set by hand."""

import datetime
from collections.abc import Sequence
from dataclasses import replace

from reports.cdisc.dataset import Dataset
from reports.cdisc.export import cdisc_datasets
from reports.cdisc.study_facts import EvaluatorKind, EvaluatorTerms, ExportMode, StudyFacts
from tests.response.courses import visits
from tumorresp.domain.assessment import Category
from tumorresp.domain.measurement import LesionState
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.outcome import BestResponse, CriterionOutcome, EndPoint, EndPointName, SubjectOutcome
from tumorresp.response.recist_1_1 import assess_recist_1_1
from tumorresp.response.subject import SubjectCourse, SubjectDates
from tumorresp.response.volumetric import assess_volumetric

BASELINE = datetime.date(2024, 1, 1)
DATES = SubjectDates(reference=datetime.date(2024, 1, 2), first_treatment=datetime.date(2024, 1, 3), arm="Drug A 10 mg")
RESPONDER = ("T01=40 T02n=20 NT01=present", "T01=25 T02n=17 NT01=absent", "T01=small T02n=8 NT01=pd NEW01=12")

SPONSOR = StudyFacts("ST1")
CENTRAL = StudyFacts(
    "ST1", ExportMode.CENTRAL_READ, EvaluatorKind.INDEPENDENT_ASSESSOR, reader_signed=True, vendor_name="Imaging Lab"
)


def terms(evaluator_id: str) -> EvaluatorTerms:
    return EvaluatorTerms(EvaluatorKind.INDEPENDENT_ASSESSOR, evaluator_id)


def subject(
    *texts: str,
    subject_id: str = "001",
    evaluator: str = "",
    dates: SubjectDates = DATES,
    best: tuple[Category, datetime.date | None] | None = None,
    end_points: Sequence[EndPoint] = (),
    volumes: bool = False,
) -> SubjectOutcome:
    return of_visits(
        visits(*texts),
        subject_id=subject_id,
        evaluator=evaluator,
        dates=dates,
        best=best,
        end_points=end_points,
        volumes=volumes,
    )


def of_visits(
    course: tuple[Visit, ...],
    *,
    subject_id: str = "001",
    evaluator: str = "",
    dates: SubjectDates = DATES,
    best: tuple[Category, datetime.date | None] | None = None,
    end_points: Sequence[EndPoint] = (),
    volumes: bool = False,
) -> SubjectOutcome:
    unconfirmed = confirmed = None
    if best is not None:
        unconfirmed = BestResponse(best[0], False, best[1], None, (), (), ())
        confirmed = replace(unconfirmed, confirmed=True, category=Category.SD)
    outcomes = [
        CriterionOutcome("recist-1.1", assess_recist_1_1(course), unconfirmed, confirmed, tuple(end_points)),
    ]
    if volumes:
        outcomes.append(CriterionOutcome("volume-recist", assess_volumetric(course)))
    return SubjectOutcome(SubjectCourse(subject_id, evaluator, course, dates), tuple(outcomes))


def changed(
    course: tuple[Visit, ...], index: int, *added: LesionObservation, **states: LesionState
) -> tuple[Visit, ...]:
    """Return a course with other states of lesions, and lesions added, at one visit."""
    kept = tuple(
        replace(item, state=states[item.lesion_id], long_axis_mm=None, short_axis_mm=None)
        if item.lesion_id in states
        else item
        for item in course[index].observations
    )
    visit = replace(course[index], observations=(*kept, *added))
    return (*course[:index], visit, *course[index + 1 :])


def end_point(
    name: EndPointName, end: datetime.date, *, event: bool, description: str, start: datetime.date = BASELINE
) -> EndPoint:
    return EndPoint(name, start, end, (end - start).days + 1, event, description, (), ())


def datasets(outcomes: Sequence[SubjectOutcome], facts: StudyFacts) -> dict[str, Dataset]:
    return {dataset.definition.name: dataset for dataset in cdisc_datasets(outcomes, facts)}


def records(dataset: Dataset) -> list[dict[str, object]]:
    names = [variable.name for variable in dataset.definition.variables]
    return [dict(zip(names, row, strict=True)) for row in dataset.rows()]


def export(outcomes: Sequence[SubjectOutcome], facts: StudyFacts) -> dict[str, list[dict[str, object]]]:
    return {name: records(dataset) for name, dataset in datasets(outcomes, facts).items()}
