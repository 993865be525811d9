"""VISIT and VISITNUM one to one across the trial: the same name always has the same number, in every subject.

SDTMIG 3.4, section 4.4.5: VISITNUM is the numeric version of the description of the visit, with decimals for visits
that were not planned.
"""

import datetime
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median

from reports.cdisc.dataset import as_ascii
from tumorresp.response.observation import Visit

_UNPLANNED = re.compile(r"(UNS(CH(ED(ULED)?)?)?|UNPLANNED)\b")
_DATE = re.compile(r"\d{4}-\d{2}(-\d{2})?|\d{1,2}[./]\d{1,2}[./]\d{2,4}")

_Label = tuple[str, int]
"""A visit of a subject: its name, and how many of this name there were up to it."""


@dataclass(frozen=True, slots=True)
class NumberedVisit:
    """AVISIT (VISIT in capitals) and AVISITN (VISITNUM)."""

    title: str
    number: float


class VisitPlan:
    """The visits of a trial: planned ones are numbered 1, 2 ... in the order in which subjects have them.

    A visit whose name says that it was not planned, and one whose name the subject has had before, is numbered after
    the planned visit before it: 2.1, 2.2 ... (2.01 in a trial where a subject has ten or more in a row), and is called
    Unscheduled 2.1. A date is no name: such visits are called by their order.

    Parameters
    ----------
    subjects
        For each subject the visits of every evaluator, in order of date.
    """

    def __init__(self, subjects: Iterable[Sequence[Sequence[Visit]]]) -> None:
        spellings: dict[str, Counter[str]] = defaultdict(Counter)
        days: dict[str, list[int]] = defaultdict(list)
        before: dict[str, set[str]] = defaultdict(set)
        most_unplanned = 0
        for courses in subjects:
            ordered, dates, spelt = _ordered(courses)
            most_unplanned = max(most_unplanned, _longest_unplanned(ordered))
            planned = [name for name, occurrence in ordered if _is_planned(name, occurrence)]
            for position, name in enumerate(planned):
                days[name].append((dates[name, 1] - dates[ordered[0]]).days)
                before[name].update(planned[:position])
                spellings[name].update(spelt[name])
        self._planned = {
            name: NumberedVisit(_usual(spellings[name]), number)
            for number, name in enumerate(_in_order(days, before), start=1)
        }

        # One width in the whole trial: 1.1 of one subject and 1.10 of another would be one number with two names.
        self._decimals = len(str(most_unplanned))

    def numbered(self, courses: Sequence[Sequence[Visit]]) -> list[tuple[NumberedVisit, ...]]:
        """Return the visits of one subject, by evaluator as given; visits of one name are one, even if days differ."""
        ordered, _, _ = _ordered(courses)
        base, unplanned = 0, defaultdict[int, list[_Label]](list)
        found: dict[_Label, NumberedVisit] = {}
        for label in ordered:
            if _is_planned(*label):
                found[label] = self._planned[label[0]]
                base = int(found[label].number)
            else:
                unplanned[base].append(label)
        for after, labels in unplanned.items():
            for count, label in enumerate(labels, start=1):
                text = f"{after}.{count:0{self._decimals}}"
                found[label] = NumberedVisit(f"Unscheduled {text}", float(text))
        return [tuple(found[label] for label in labels) for labels in map(_labels, _named(courses))]


def visit_number_text(number: float) -> str:
    """Return a visit's number as it stands in link IDs: ``2``, ``2.1``."""
    return f"{number:g}"


def _is_planned(name: str, occurrence: int) -> bool:
    return occurrence == 1 and bool(name) and _UNPLANNED.match(name) is None


def _longest_unplanned(ordered: Sequence[_Label]) -> int:
    runs = groupby(ordered, key=lambda label: _is_planned(*label))
    return max((len(list(run)) for planned, run in runs if not planned), default=0)


def _named(courses: Sequence[Sequence[Visit]]) -> list[list[tuple[str, Visit]]]:
    """Return the visits with the names that they are known by: in capitals, dates as order within the subject."""
    dates = sorted({visit.date for visits in courses for visit in visits})
    return [
        [
            (
                f"VISIT {dates.index(visit.date) + 1}" if _DATE.fullmatch(visit.name.strip()) else _key(visit.name),
                visit,
            )
            for visit in visits
        ]
        for visits in courses
    ]


def _key(name: str) -> str:
    return as_ascii(" ".join(name.split())).upper()


def _labels(named: Sequence[tuple[str, Visit]]) -> list[_Label]:
    seen: Counter[str] = Counter()
    labels = []
    for name, _ in named:
        seen[name] += 1
        labels.append((name, seen[name]))
    return labels


def _ordered(
    courses: Sequence[Sequence[Visit]],
) -> tuple[list[_Label], dict[_Label, datetime.date], dict[str, Counter[str]]]:
    """Return a subject's visits over all evaluators in order of date, the dates, and how the names are spelt."""
    dates: dict[_Label, datetime.date] = {}
    spelt: dict[str, Counter[str]] = defaultdict(Counter)
    for named in _named(courses):
        for label, (name, visit) in zip(_labels(named), named, strict=True):
            dates[label] = min(visit.date, dates.get(label, visit.date))
            own = " ".join(visit.name.split())
            spelt[name][name.capitalize() if _DATE.fullmatch(own) else own] += 1
    return sorted(dates, key=lambda label: (dates[label], label)), dates, spelt


def _usual(spellings: Counter[str]) -> str:
    """Return the most frequent spelling; of equals the first in order of the alphabet."""
    return min(spellings, key=lambda text: (-spellings[text], text))


def _in_order(days: Mapping[str, list[int]], before: Mapping[str, set[str]]) -> list[str]:
    """Return visit names so that one that comes before another in the subjects has the smaller number.

    Where nothing decides, or subjects contradict one another, the earlier by the median day comes first.
    """
    left = sorted(days, key=lambda name: (median(days[name]), _natural(name)))
    ordered: list[str] = []
    while left:
        remaining = set(left)
        name = next((item for item in left if not (before[item] & remaining) - {item}), left[0])
        ordered.append(name)
        left.remove(name)
    return ordered


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name) if part]
