"""The reported values of one visit that do not follow."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from tumorresp.domain.assessment import Category, NewLesionStatus
from tumorresp.domain.measurement import LesionRole
from tumorresp.response.observation import Visit
from tumorresp.response.overall_response import overall_response
from tumorresp.response.reasons import rounded
from tumorresp.response.rule_audit import changes, non_target, overall, sums, target
from tumorresp.response.rule_audit.changes import ReportedSums
from tumorresp.response.rule_audit.derivation import Derivation
from tumorresp.response.rule_audit.hypotheses import codes, in_words, singly
from tumorresp.response.rule_audit.numbers import follows, millimetres, percent
from tumorresp.response.rule_audit.reported import AuditFinding, Explanation, Mistake, Reported, ReportedVisit
from tumorresp.response.rule_audit.reported_sums import StatedSums, contradiction, possible_responses
from tumorresp.response.rule_audit.sums import sum_in_words
from tumorresp.response.subject import SubjectCourse

_INCOMPLETE = "no sum: a target was not assessed"
_NO_TARGETS = "no sum: no target has a measured size at baseline"
_NO_CHANGE = "no change: a sum is missing, or the reference is 0"
_DATE_RULE = "A response bears the date of a scan of its visit, never that of the reading (SDTMIG 3.4, RS assumptions)."
_BASELINE_RULE = (
    "The baseline has no response: it is what later visits are compared with (Eisenhauer 2009, section 4.1)."
)
_NONE_FITS = "None of the usual mistakes gives the reported value."
_AT_BASELINE = (Category.BASELINE, Category.NOT_APPLICABLE)
_SHOWN_PLACES = 6


@dataclass(frozen=True)
class AuditedVisit:
    """One visit with all that its findings need.

    Parameters
    ----------
    index
        Of the visit in the course.
    sums
        As reported where they were, else as derived.
    stated
        The same without incomplete ones: what a response can be made from.
    """

    course: SubjectCourse
    derivation: Derivation
    index: int
    reported: ReportedVisit
    sums: ReportedSums
    stated: StatedSums

    @property
    def visit(self) -> Visit:
        """The measurements."""
        return self.course.visits[self.index]

    def finding(
        self,
        what: str,
        reported: Reported[object],
        shown: tuple[str, str],
        rule: str,
        found: Sequence[Explanation],
        otherwise: str = "",
        roles: Sequence[LesionRole] = tuple(LesionRole),
    ) -> AuditFinding:
        """Return a finding about one value.

        Parameters
        ----------
        shown
            The reported and the derived value, in words.
        otherwise
            What is known, said after the explanations or where there is none.
        roles
            Of the lesions that it should follow from.
        """
        words = in_words(found) or _NONE_FITS
        rows = [item.source for item in self.visit.observations if item.role in roles]
        return AuditFinding(
            subject_id=self.course.subject_id,
            evaluator=self.course.evaluator,
            time_point_id=self.visit.time_point_id,
            visit=self.visit.name,
            what=what,
            reported=shown[0],
            derived=shown[1],
            rule=rule,
            diagnosis=f"{words} {otherwise}".strip(),
            explanations=codes(found),
            sources=tuple(dict.fromkeys(filter(None, [reported.source, *rows]))),
        )


def visit_findings(audited: AuditedVisit) -> Iterator[AuditFinding]:
    """Give the findings of a visit: date, sum, changes, target, non-target, new lesions, overall."""
    yield from _date(audited)
    yield from _sum(audited)
    yield from _changes(audited)
    if audited.index == 0:
        yield from _at_baseline(audited)
        return
    yield from _target(audited)
    yield from _non_target(audited)
    yield from _new_lesions(audited)
    yield from _overall(audited)


def _date(audited: AuditedVisit) -> Iterator[AuditFinding]:
    stated, visit = audited.reported.date, audited.visit
    first = visit.first_date or visit.date
    if stated is None or first <= stated.value <= visit.date:
        return
    found: tuple[Explanation, ...] = ()
    if stated.value > visit.date:
        words = "It is later than the last scan: perhaps the date of the reading."
        found = ((Mistake("date-after-scan", words),),)
    scans = str(visit.date) if first == visit.date else f"{first} to {visit.date}"
    yield audited.finding("response date", stated, (str(stated.value), scans), _DATE_RULE, found)


def _sum(audited: AuditedVisit) -> Iterator[AuditFinding]:
    stated, derivation, index = audited.reported.target_sum, audited.derivation, audited.index
    if stated is None:
        return
    total = derivation.sums[index]
    shares = derivation.shares(index) if total is None else ()
    if follows(stated.value, derivation.shown(index)) or (total is None and not shares and stated.value == 0):
        return
    without = _INCOMPLETE if shares else _NO_TARGETS
    words = sum_in_words(derivation, index)
    yield audited.finding(
        "sum of diameters",
        stated,
        (f"{stated.value} mm", without if total is None else millimetres(total)),
        sums.RULE,
        sums.sum_explanations(derivation, index, stated.value),
        f"The measurements: {words}" + (f" = {millimetres(total)}." if total is not None else "."),
        (LesionRole.TARGET,),
    )


def _changes(audited: AuditedVisit) -> Iterator[AuditFinding]:
    derivation, index, reported = audited.derivation, audited.index, audited.reported
    total, nadir = derivation.shown(index), derivation.nadir(index)
    baseline = derivation.baseline_sum if index else None
    stated = reported.change_from_baseline_percent
    exact = percent(total, baseline)
    if stated is not None and not _change_follows(stated.value, exact, index):
        found = changes.baseline_explanations(derivation, index, stated.value, audited.sums) if index else ()
        shown = (f"{stated.value} %", _shown_change(exact, "%"))
        yield audited.finding(
            "change from baseline",
            stated,
            shown,
            changes.BASELINE_RULE,
            found,
            _beside("baseline", total, baseline),
            (LesionRole.TARGET,),
        )
    for stated, change, unit in (
        (reported.change_from_nadir_percent, percent, "%"),
        (reported.change_from_nadir, changes.difference, "mm"),
    ):
        exact = change(total, nadir)
        if stated is None or _change_follows(stated.value, exact, index):
            continue
        found = changes.nadir_explanations(derivation, index, stated.value, audited.sums, change) if index else ()
        shown = (f"{stated.value} {unit}", _shown_change(exact, unit))
        yield audited.finding(
            f"change from nadir ({unit})",
            stated,
            shown,
            changes.NADIR_RULE,
            found,
            _beside("nadir", total, nadir),
            (LesionRole.TARGET,),
        )


def _change_follows(stated: Decimal, exact: Fraction | None, index: int) -> bool:
    """Return whether a change follows; at baseline, which has none, 0 says the same."""
    return follows(stated, exact) or (index == 0 and stated == 0)


def _shown_change(exact: Fraction | None, unit: str) -> str:
    return _NO_CHANGE if exact is None else f"{rounded(exact, _SHOWN_PLACES).normalize():f} {unit}"


def _beside(name: str, total: Decimal | None, reference: Decimal | None) -> str:
    if total is None or reference is None:
        return ""
    return f"The sum is {millimetres(total)}, the {name} {millimetres(reference)}."


def _at_baseline(audited: AuditedVisit) -> Iterator[AuditFinding]:
    for what, stated in (
        ("target response", audited.reported.target),
        ("non-target response", audited.reported.non_target),
        ("overall response", audited.reported.overall),
    ):
        if stated is not None and stated.value not in _AT_BASELINE:
            mistake = Mistake("response-at-baseline", "The first visit was judged as if it were a later one.")
            yield audited.finding(what, stated, (str(stated.value), "baseline"), _BASELINE_RULE, [(mistake,)])
    new = audited.reported.new_lesions
    if new is not None and new.value is not NewLesionStatus.NO:
        mistake = Mistake("new-at-baseline", "No lesion is new at the first visit.")
        yield audited.finding("new lesions", new, (new.value, "no"), _BASELINE_RULE, [(mistake,)])


def _target(audited: AuditedVisit) -> Iterator[AuditFinding]:
    stated, derivation = audited.reported.target, audited.derivation
    assessment = derivation.assessments[audited.index]
    if stated is None:
        return
    if stated.value is assessment.target:
        yield from _against_reported_sums(audited, "target response", stated, lambda target: target)
        return
    found = target.TargetExplanations(derivation, audited.index, audited.sums).of(stated.value)
    yield audited.finding(
        "target response",
        stated,
        (str(stated.value), str(assessment.target)),
        target.target_rule(assessment.target, derivation.rules),
        found,
        f"Derived: {_argument(assessment.reasons)}",
        (LesionRole.TARGET,),
    )


def _argument(reasons: Sequence[str]) -> str:
    return " ".join(item for item in reasons if not item.startswith("Overall "))


def _non_target(audited: AuditedVisit) -> Iterator[AuditFinding]:
    stated, derivation, index = audited.reported.non_target, audited.derivation, audited.index
    derived = derivation.assessments[index].non_target
    if stated is None or stated.value is derived:
        return
    found = non_target.non_target_explanations(derivation, index, stated.value)
    shown = (str(stated.value), str(derived))
    yield audited.finding(
        "non-target response",
        stated,
        shown,
        non_target.NON_TARGET_RULE,
        found,
        roles=(LesionRole.NON_TARGET,),
    )


def _new_lesions(audited: AuditedVisit) -> Iterator[AuditFinding]:
    stated, derivation, index = audited.reported.new_lesions, audited.derivation, audited.index
    derived = derivation.assessments[index].new_lesions
    if stated is None or stated.value is derived:
        return
    found = singly(non_target.new_lesion_mistakes(derivation, index, stated.value))
    shown = (stated.value.value, derived.value)
    yield audited.finding("new lesions", stated, shown, non_target.NEW_LESION_RULE, found, roles=(LesionRole.NEW,))


def _overall(audited: AuditedVisit) -> Iterator[AuditFinding]:
    stated = audited.reported.overall
    assessment = audited.derivation.assessments[audited.index]
    if stated is None:
        return
    if stated.value is assessment.overall:
        yield from _against_reported_sums(audited, "overall response", stated, _overall_with(audited))
        return
    found = overall.overall_explanations(
        audited.derivation, audited.index, audited.reported, stated.value, audited.sums
    )
    words = (
        f"Derived: target {assessment.target}, non-target {assessment.non_target}, new lesions "
        f"{assessment.new_lesions.value}: {assessment.overall}."
    )
    yield audited.finding(
        "overall response", stated, (str(stated.value), str(assessment.overall)), overall.RULE, found, words
    )


def _overall_with(audited: AuditedVisit) -> Callable[[Category], Category]:
    """Return which overall response a target response makes, with the other parts as reported, else as derived."""
    assessment, reported = audited.derivation.assessments[audited.index], audited.reported
    non_target = reported.non_target.value if reported.non_target else assessment.non_target
    new = reported.new_lesions.value if reported.new_lesions else assessment.new_lesions
    return lambda target: overall_response(target, non_target, new)[0]


def _against_reported_sums(
    audited: AuditedVisit, what: str, stated: Reported[Category], made_of: Callable[[Category], Category]
) -> Iterator[AuditFinding]:
    """Give a finding where a response that follows from the sizes does not follow from the reported sums."""
    derivation, sums = audited.derivation, audited.stated
    possible = possible_responses(derivation, audited.index, sums)
    responses = sorted({made_of(target) for target in possible})
    if not responses or stated.value in responses:
        return
    stated_sums = ReportedSums(sums.total, sums.baseline, sums.nadir)
    measured = sum_in_words(derivation, audited.index)
    yield audited.finding(
        what,
        stated,
        (str(stated.value), f"{' or '.join(responses)} by the reported sums"),
        target.target_rule(min(possible), derivation.rules),
        contradiction(stated.value, derivation, sums, target.sums_in_words(stated_sums)),
        f"The measurements: {measured}.",
        (LesionRole.TARGET,),
    )
