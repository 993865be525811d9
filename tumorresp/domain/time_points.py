"""Which studies of a subject are one time point, and on which days it was scanned.

A visit is not a date: chest on one day and abdomen on the next are one time point, while two scans of one lesion are
two. The clinical trial's own word (Clinical Trial Time Point ID) comes before any date.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.label import compared_label
from tumorresp.domain.measurement import Measurement
from tumorresp.domain.organ import organ_of, organs_conflict
from tumorresp.domain.same_lesion import Relation, relation
from tumorresp.domain.scan_times import ScanTimes

# Nobody was scanned by CT before (Hounsfield's first patient): a placeholder such as 1900-01-01.
_FIRST_CT = datetime.date(1971, 10, 1)


@dataclass(frozen=True)
class ScanDate:
    """The day of a study's scan.

    ``doubt`` says why a stated day is not believed, where nothing better is known (without any day it is empty);
    ``note`` why it is not the day that the study states.
    """

    date: datetime.date | None
    doubt: str = ""
    note: str = ""


@dataclass(frozen=True)
class StudyVisit:
    """The studies of one time point.

    Parameters
    ----------
    studies
        Study Instance UIDs, in order of date.
    first_date, date
        Of the earliest and of the latest scan.
    """

    studies: tuple[str, ...]
    first_date: datetime.date
    date: datetime.date
    findings: tuple[Finding, ...] = field(default=())


def scan_dates(times: Mapping[str, ScanTimes]) -> dict[str, ScanDate]:
    """Return the day of each study's scan.

    The Study Date counts, else the Series or the Acquisition Date. Where several studies state one Study Date and their
    acquisitions (or series) were more than a day apart, it is made up, and those days count; so they do where it is
    older than CT itself. Studies that share a made-up date and say nothing else are ordered by their offset from the
    trial's event, else they cannot be dated.

    Parameters
    ----------
    times
        By Study Instance UID.
    """
    stated = {uid: item.study or item.series or item.acquisition for uid, item in times.items()}
    found: dict[str, ScanDate] = {}
    for uid, date in stated.items():
        if date is None:
            found[uid] = ScanDate(None)
            continue
        own = _scanned(times[uid]) or date
        of_that_day = [_scanned(times[other]) or date for other, its in stated.items() if its == date]
        is_made_up = not _is_possible(date) or (max(of_that_day) - min(of_that_day)).days > 1
        found[uid] = ScanDate(own, note=_MADE_UP) if is_made_up and own != date else ScanDate(date)
    return _with_impossible_settled(found, times)


_MADE_UP = "its Study Date is made up: the date of the acquisition (or series) counts"


def _scanned(item: ScanTimes) -> datetime.date | None:
    return next((date for date in (item.acquisition, item.series) if date is not None and _is_possible(date)), None)


def _with_impossible_settled(found: dict[str, ScanDate], times: Mapping[str, ScanTimes]) -> dict[str, ScanDate]:
    """Order studies of an impossible date by their offsets; without these none of several can be dated."""
    impossible = [uid for uid, item in found.items() if item.date is not None and not _is_possible(item.date)]
    if not impossible or len(found) == 1:
        return found
    offsets = {uid: times[uid].offset_days for uid in impossible}
    dates = {found[uid].date for uid in impossible}
    first = min((offset for offset in offsets.values() if offset is not None), default=None)
    is_ordered = len(impossible) == len(found) and len(dates) == 1 and None not in offsets.values()
    for uid in impossible:
        date, offset = found[uid].date, offsets[uid]
        if is_ordered and date is not None and offset is not None and first is not None:
            day = date + datetime.timedelta(days=int(offset - first))
            found[uid] = ScanDate(
                day, note="its date is made up: days are counted by the offset from the trial's event"
            )
        else:
            found[uid] = ScanDate(None, f"its date ({date}) is made up, and nothing else says when it was scanned")
    return found


def _is_possible(date: datetime.date) -> bool:
    return date >= _FIRST_CT


def visits_of_studies(
    dates: Mapping[str, datetime.date],
    measured: Mapping[str, Sequence[Measurement]],
    time_point_ids: Mapping[str, str] | None = None,
    window_days: int = 7,
) -> tuple[StudyVisit, ...]:
    """Group studies into time points.

    Studies with one Clinical Trial Time Point ID are one time point, those with two IDs are two. Else studies belong
    together that lie within the window and measure different lesions (or none); studies of one day always do.

    Parameters
    ----------
    dates
        By Study Instance UID; only these studies are grouped.
    measured
        Measurements by Study Instance UID.
    time_point_ids
        By Study Instance UID, where the objects have one.
    window_days
        A study at most so many days after the first of a time point can belong to it.

    Returns
    -------
    tuple of StudyVisit
        In order of date.
    """
    names = time_point_ids or {}
    groups: list[list[str]] = []
    for uid in sorted(dates, key=lambda uid: (dates[uid], uid)):
        home = next(
            (group for group in reversed(groups) if _belongs(uid, group, dates, measured, names, window_days)), None
        )
        if home is None:
            groups.append([uid])
        else:
            home.append(uid)
    visits = [
        StudyVisit(tuple(group), dates[group[0]], max(dates[uid] for uid in group), _twice_on_one_day(group, measured))
        for group in groups
    ]
    return tuple(sorted(_apart(visits), key=lambda visit: visit.date))


def _belongs(
    uid: str,
    group: Sequence[str],
    dates: Mapping[str, datetime.date],
    measured: Mapping[str, Sequence[Measurement]],
    names: Mapping[str, str],
    window_days: int,
) -> bool:
    name, theirs = names.get(uid, ""), {names.get(other, "") for other in group} - {""}
    if name and theirs:
        return name in theirs
    if (dates[uid] - dates[group[0]]).days > window_days:
        return False
    if any(dates[uid] == dates[other] for other in group):
        return True
    return not any(measure_one_lesion(measured.get(uid, ()), measured.get(other, ())) for other in group)


def _apart(visits: Sequence[StudyVisit]) -> list[StudyVisit]:
    """Join time points that end on one day: their order is not known."""
    by_day: dict[datetime.date, StudyVisit] = {}
    for visit in visits:
        other = by_day.get(visit.date)
        if other is None:
            by_day[visit.date] = visit
            continue
        words = (
            "Two time points by their IDs were scanned on one day: which came first is not known; they are one here."
        )
        finding = Finding("time-points-of-one-day", Severity.ERROR, words, str(visit.date), decides=True)
        by_day[visit.date] = StudyVisit(
            (*other.studies, *visit.studies),
            min(other.first_date, visit.first_date),
            visit.date,
            (*other.findings, *visit.findings, finding),
        )
    return list(by_day.values())


def _twice_on_one_day(group: Sequence[str], measured: Mapping[str, Sequence[Measurement]]) -> tuple[Finding, ...]:
    pairs = [(one, other) for index, one in enumerate(group) for other in group[index + 1 :]]
    if not any(measure_one_lesion(measured.get(one, ()), measured.get(other, ())) for one, other in pairs):
        return ()
    words = (
        "Several studies of this time point measure the same lesion: it was scanned twice, or the dates are made up "
        "and these are several time points. Nothing is added up; what cannot be told waits."
    )
    return (Finding("scanned-twice", Severity.WARNING, words, decides=True),)


def measure_one_lesion(first: Sequence[Measurement], second: Sequence[Measurement]) -> bool:
    """Return whether one reader measured one lesion in both: the same identity, label, or place of a shared frame."""
    return any(_is_one_lesion(one, other) for one, other in product(first, second))


def _is_one_lesion(one: Measurement, other: Measurement) -> bool:
    if one.reader and other.reader and one.reader != other.reader:
        return False
    if organs_conflict(_organ(one), _organ(other)):
        return False
    uids = [item.tracking_uid if item.tracking_uid_is_stable else "" for item in (one, other)]
    if all(uids) and uids[0] == uids[1]:
        return True
    label = compared_label(one.label)
    if label and label == compared_label(other.label):
        return True
    shared = one.frame_of_reference_uid and one.frame_of_reference_uid == other.frame_of_reference_uid
    return bool(shared) and relation(one, other) is not Relation.APART


def _organ(item: Measurement) -> str:
    return organ_of(item.site, item.label, nodal=item.nodal)
