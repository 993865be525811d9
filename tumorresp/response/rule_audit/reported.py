"""What a reader or a central reading reported of a subject, and what the audit says of it."""

import datetime
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Generic, TypeVar

from tumorresp.domain.assessment import Category, NewLesionStatus
from tumorresp.domain.eligibility import BaselineRules
from tumorresp.domain.errors import InvalidInput
from tumorresp.response.best_response import BestResponseParameters
from tumorresp.response.parameters import Recist11Parameters

_Value = TypeVar("_Value", covariant=True)


@dataclass(frozen=True)
class Reported(Generic[_Value]):
    """One reported value and where it stands.

    Parameters
    ----------
    value
        A number keeps the decimals that it was reported with: ``Decimal("42.0")`` is one more than ``Decimal("42")``.
    source
        A table's row.
    """

    value: _Value
    source: str = ""


@dataclass(frozen=True)
class ReportedVisit:
    """What was reported of one visit; None where nothing was.

    Parameters
    ----------
    time_point_id
        That of the measurements' visit.
    date
        The date that the response bears.
    target_sum
        Sum of diameters, mm.
    change_from_baseline_percent, change_from_nadir_percent, change_from_nadir
        In %, %, and mm.
    """

    time_point_id: str
    date: Reported[datetime.date] | None = None
    target_sum: Reported[Decimal] | None = None
    change_from_baseline_percent: Reported[Decimal] | None = None
    change_from_nadir_percent: Reported[Decimal] | None = None
    change_from_nadir: Reported[Decimal] | None = None
    target: Reported[Category] | None = None
    non_target: Reported[Category] | None = None
    new_lesions: Reported[NewLesionStatus] | None = None
    overall: Reported[Category] | None = None


@dataclass(frozen=True)
class ReportedBest:
    """A reported best overall response.

    Parameters
    ----------
    confirmed
        Whether it was reported as confirmed; None where that was not said: then it may be either.
    """

    category: Category
    confirmed: bool | None = None
    source: str = ""


@dataclass(frozen=True)
class ReportedEvaluation:
    """All that one evaluator reported of one subject; visits in any order.

    ``progression_date`` is the date of the first progression as reported.

    Raises
    ------
    InvalidInput
        If a visit is reported twice.
    """

    visits: tuple[ReportedVisit, ...] = ()
    best: tuple[ReportedBest, ...] = ()
    progression_date: Reported[datetime.date] | None = None

    def __post_init__(self) -> None:
        names = [item.time_point_id for item in self.visits]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InvalidInput(
                f"{', '.join(twice)} is reported more than once.", where=twice[0], remedy="Give one report a visit."
            )


@dataclass(frozen=True)
class AuditParameters:
    """The rules that reported values are held against.

    Parameters
    ----------
    response_after_progression
        A protocol with treatment beyond progression: a response after PD is no mistake.
    """

    recist: Recist11Parameters = field(default=Recist11Parameters())
    best_response: BestResponseParameters = field(default=BestResponseParameters())
    baseline: BaselineRules = field(default=BaselineRules())
    response_after_progression: bool = False


@dataclass(frozen=True)
class Mistake:
    """A mistake that would have made a reported value from these measurements.

    Parameters
    ----------
    code
        Stable, lower case, hyphenated, to count by.
    words
        One sentence.
    """

    code: str
    words: str


Explanation = tuple[Mistake, ...]
"""One mistake that gives a reported value alone, or two that give it together."""


@dataclass(frozen=True)
class AuditFinding:
    """A reported value that does not follow.

    Parameters
    ----------
    visit
        Name of the visit; empty for what concerns the subject.
    what
        ``sum of diameters``, ``change from baseline``, ``change from nadir (%)``, ``change from nadir (mm)``,
        ``target response``, ``non-target response``, ``new lesions``, ``overall response``, ``response date``,
        ``best overall response``, ``progression date``, ``target choice``, ``visit``.
    reported, derived
        Both values, in words; the derived one unrounded.
    rule
        Which rule says so, with its source.
    diagnosis
        What the likely mistake is: every one of those tried that gives the reported value, or what is known instead.
    explanations
        The codes of these mistakes: each item is one that gives the reported value alone, or two that give it together;
        empty where none of those tried gives it.
    sources
        Rows of the reported value and of the measurements that it should follow from.
    """

    subject_id: str
    evaluator: str
    time_point_id: str
    visit: str
    what: str
    reported: str
    derived: str
    rule: str
    diagnosis: str
    explanations: tuple[tuple[str, ...], ...]
    sources: tuple[str, ...]

    @property
    def mistakes(self) -> tuple[str, ...]:
        """The codes of all mistakes that any explanation names."""
        return tuple(dict.fromkeys(code for item in self.explanations for code in item))
