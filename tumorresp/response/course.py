"""What earlier visits hand on to the next: baseline, nadir, and whether there was a response."""

from dataclasses import dataclass
from decimal import Decimal

from tumorresp.domain.assessment import Assessment, Category


@dataclass(frozen=True)
class Course:
    """The course so far.

    Parameters
    ----------
    baseline_sum, nadir_sum
        Complete sums only; the nadir is the smallest so far, baseline included (RECIST 1.1, section 4.3.1).
    nadir_visit
        Name of the first visit with the nadir.
    had_complete_response
        An overall CR has been assigned.
    is_responding
        Target PR or CR has been assigned and no target PD since.
    """

    baseline_sum: Decimal | None = None
    nadir_sum: Decimal | None = None
    nadir_visit: str = ""
    had_complete_response: bool = False
    is_responding: bool = False

    def after(self, assessment: Assessment, visit_name: str) -> "Course":
        """Return the course with one more visit."""
        total, target = assessment.complete_sum, assessment.target
        is_nadir = total is not None and (self.nadir_sum is None or total < self.nadir_sum)
        return Course(
            baseline_sum=total if target is Category.BASELINE else self.baseline_sum,
            nadir_sum=total if is_nadir else self.nadir_sum,
            nadir_visit=visit_name if is_nadir else self.nadir_visit,
            had_complete_response=self.had_complete_response or assessment.overall is Category.CR,
            is_responding=target in (Category.CR, Category.PR) or (self.is_responding and target is not Category.PD),
        )
