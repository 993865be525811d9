"""What earlier visits hand on to the next: baseline, nadir, and whether there was a response."""

from dataclasses import dataclass, replace
from decimal import Decimal

from tumorresp.domain.assessment import Assessment, Category


@dataclass(frozen=True)
class Course:
    """The course so far.

    Parameters
    ----------
    baseline_sum, nadir_sum
        Complete sums only; the nadir is the smallest so far, baseline included (RECIST 1.1, section 4.3.1).
    had_complete_response
        An overall CR has been assigned.
    had_partial_response
        Target PR or CR has been assigned and no PD since.
    """

    baseline_sum: Decimal | None = None
    nadir_sum: Decimal | None = None
    had_complete_response: bool = False
    had_partial_response: bool = False

    def after(self, assessment: Assessment) -> "Course":
        """Return the course with one more visit."""
        total = assessment.target_sum
        is_baseline = assessment.overall is Category.BASELINE
        nadir = self.nadir_sum if total is None else min(total, total if self.nadir_sum is None else self.nadir_sum)
        responding = assessment.target in (Category.CR, Category.PR) or (
            self.had_partial_response and assessment.target is not Category.PD
        )
        return replace(
            self,
            baseline_sum=total if is_baseline else self.baseline_sum,
            nadir_sum=nadir,
            had_complete_response=self.had_complete_response or assessment.overall is Category.CR,
            had_partial_response=responding,
        )
