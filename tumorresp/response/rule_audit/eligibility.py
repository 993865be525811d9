"""The baseline's choice of targets, as findings of the audit."""

from tumorresp.domain.finding import Finding
from tumorresp.response.subject import SubjectCourse
from tumorresp.response.target_choice import check_baseline

RULE = (
    "Targets: measurable (long axis 10 mm, lymph node 15 mm of short axis, twice the slices), at most five and "
    "two an organ, baseline at most four weeks before treatment (Eisenhauer 2009, sections 3.1, 3.2 and 4.1)."
)


def eligibility_findings(course: SubjectCourse) -> tuple[Finding, ...]:
    """Return what is wrong with a subject's baseline: size, number, organs, age."""
    return tuple(check_baseline(course.visits, course.dates)) if course.visits else ()
