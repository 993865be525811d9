"""What comes out for one subject: responses by every criterion, best response, end points; each with its reasons."""

import datetime
from dataclasses import dataclass, field
from enum import StrEnum

from tumorresp.domain.assessment import Assessment, Category
from tumorresp.domain.finding import Finding
from tumorresp.domain.version import SOFTWARE_VERSION
from tumorresp.response.subject import SubjectCourse


@dataclass(frozen=True)
class BestResponse:
    """The best overall response of one subject by one criterion.

    Parameters
    ----------
    category
        ``MISSING`` where there is no assessment after the baseline.
    confirmed
        Whether responses had to be confirmed by a second scan.
    date
        When the category was first reached (of a confirmed response: the first of the pair); None for ``MISSING``.
    confirming_date
        Of the scan that confirmed it; None where none was needed or found.
    component_dates
        Dates of every visit that the decision rests on, in order.
    benefit_date
        When clinical benefit was first seen: the start of the response, or the first assessment that is no PD and late
        enough for stable disease, whichever is earlier (admiralonco, derive_param_clinbenefit); None without benefit.
    """

    category: Category
    confirmed: bool
    date: datetime.date | None
    confirming_date: datetime.date | None
    component_dates: tuple[datetime.date, ...]
    reasons: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...] = field(default=())
    benefit_date: datetime.date | None = None


class EndPointName(StrEnum):
    """Time-to-event end points, named as ADTTE's PARAMCD are."""

    PFS = "PFS"
    TTP = "TTP"
    OS = "OS"
    DOR = "DOR"
    DOSD = "DOSD"
    TTR = "TTR"


@dataclass(frozen=True)
class EndPoint:
    """One time-to-event end point of one subject.

    Parameters
    ----------
    days
        ``end - start + 1``.
    event
        True: it happened on ``end``. False: censored on ``end``.
    description
        Of the event, or why it is censored, in words fit for EVNTDESC / CNSDTDSC.
    """

    name: EndPointName
    start: datetime.date
    end: datetime.date
    days: int
    event: bool
    description: str
    reasons: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class CriterionOutcome:
    """One subject by one criterion; ``assessments`` has one item a visit, the baseline first."""

    criterion: str
    assessments: tuple[Assessment, ...]
    best_response: BestResponse | None = None
    confirmed_response: BestResponse | None = None
    end_points: tuple[EndPoint, ...] = field(default=())


@dataclass(frozen=True)
class SubjectOutcome:
    """One subject by all criteria asked for."""

    course: SubjectCourse
    outcomes: tuple[CriterionOutcome, ...]
    findings: tuple[Finding, ...] = field(default=())
    software_version: str = SOFTWARE_VERSION
