"""The measurements of one time point against the lesions known before it: one step of evidence after the other.

A step looks at the measurements that are still open and gives some of them a verdict. Within a step the order of the
measurements decides nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from tumorresp.domain.decimal_mm import to_decimal
from tumorresp.domain.default_roles import DefaultRole, default_roles
from tumorresp.domain.eligibility import BaselineLesion, method_of
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.label import compared_label
from tumorresp.domain.lesion_matching import (
    ROLE_PREFIX,
    KnownLesion,
    Seen,
    TrackingParameters,
    as_lesion_id,
    conflict,
    contradiction,
    lesion_id_of,
    nearest,
)
from tumorresp.domain.measurement import LesionRole

BY_DECISION = "a person's decision"


@dataclass(frozen=True)
class Claim:
    """A measurement is this lesion, unless another measurement may be, too."""

    known: KnownLesion
    by: str


@dataclass(frozen=True)
class Match:
    """A measurement is this lesion."""

    known: KnownLesion
    by: str


@dataclass(frozen=True)
class Doubt:
    """A person must decide."""

    candidate_lesion_ids: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Beginning:
    """A measurement starts a lesion of its own.

    ``lesion_id`` is set where a person named it; ``is_lesion`` is False for a normal node, which is known from here on
    and counts in nothing yet.
    """

    role: LesionRole
    findings: tuple[Finding, ...] = ()
    lesion_id: str = ""
    is_lesion: bool = True


@dataclass(frozen=True)
class Parted:
    """A measurement is a part of one earlier lesion, or the conglomerate of several.

    ``lesion_id`` is set where a person named it.
    """

    parents: tuple[KnownLesion, ...]
    by: str
    findings: tuple[Finding, ...] = ()
    lesion_id: str = ""


Verdict: TypeAlias = Claim | Match | Doubt | Beginning | Parted
Verdicts: TypeAlias = Mapping[int, Verdict]
"""By place of the measurement in its time point."""


@dataclass(frozen=True)
class Matching:
    """One time point while evidence is gathered; ``verdicts`` holds no open claims."""

    seen: tuple[Seen, ...]
    known: tuple[KnownLesion, ...]
    rules: TrackingParameters
    verdicts: Verdicts = field(default_factory=dict)

    @property
    def open(self) -> tuple[tuple[int, Seen], ...]:
        """Measurements without a verdict, with their places."""
        return tuple((index, seen) for index, seen in enumerate(self.seen) if index not in self.verdicts)

    @property
    def unseen(self) -> tuple[KnownLesion, ...]:
        """Lesions that no measurement is, and that are in no conglomerate."""
        matched = {v.known.lesion.lesion_id for v in self.verdicts.values() if isinstance(v, Match)}
        wholes = [v for v in self.verdicts.values() if isinstance(v, Parted) and len(v.parents) > 1]
        matched |= {k.lesion.lesion_id for v in wholes for k in v.parents}
        return tuple(k for k in self.known if k.lesion.lesion_id not in matched)

    @property
    def free(self) -> tuple[KnownLesion, ...]:
        """Lesions that no measurement is, and that none is suspected of being."""
        doubted = {i for v in self.verdicts.values() if isinstance(v, Doubt) for i in v.candidate_lesion_ids}
        return tuple(k for k in self.unseen if k.lesion.lesion_id not in doubted)

    @property
    def sought(self) -> tuple[KnownLesion, ...]:
        """Unseen lesions that did not go into others: those are looked for by name alone."""
        split = {k.lesion.lesion_id for v in self.verdicts.values() if isinstance(v, Parted) for k in v.parents}
        return tuple(k for k in self.unseen if not k.went_into and k.lesion.lesion_id not in split)

    @property
    def free_sought(self) -> tuple[KnownLesion, ...]:
        """Of these, the ones that no measurement is suspected of being."""
        free = {k.lesion.lesion_id for k in self.free}
        return tuple(k for k in self.sought if k.lesion.lesion_id in free)

    def after(self, step: Callable[["Matching"], Verdicts]) -> "Matching":
        """Return the matching with a step's verdicts; claims hold where they are the only ones on a free lesion."""
        found = step(self)
        settled = {index: verdict for index, verdict in found.items() if not isinstance(verdict, Claim)}
        claims = {index: verdict for index, verdict in found.items() if isinstance(verdict, Claim)}
        claimed = Counter(claim.known.lesion.lesion_id for claim in claims.values())
        free = {k.lesion.lesion_id for k in replace(self, verdicts={**self.verdicts, **settled}).free}
        for index, claim in claims.items():
            lesion_id = claim.known.lesion.lesion_id
            if claimed[lesion_id] == 1 and lesion_id in free:
                settled[index] = Match(claim.known, claim.by)
            else:
                words = f"By {claim.by} it is {lesion_id}, but another measurement of this time point may be, too."
                settled[index] = Doubt((lesion_id,), words)
        return replace(self, verdicts={**self.verdicts, **settled})


def by_decision(matching: Matching, decisions: Mapping[str, str], *, is_first: bool) -> Verdicts:
    """Take what a person decided: a lesion's ID, or the letters of a role for a lesion of its own.

    At the first time point no lesion is known yet, and an ID begins the one that it names.
    """
    roles = {prefix: role for role, prefix in ROLE_PREFIX.items()}
    known = {k.lesion.lesion_id: k for k in matching.known}
    verdicts: dict[int, Verdict] = {}
    for index, seen in matching.open:
        wanted = decisions.get(seen.measurement.measurement_uid)
        if wanted is None:
            continue
        if wanted in known:
            verdicts[index] = Claim(known[wanted], BY_DECISION)
        elif wanted in roles:
            verdicts[index] = Beginning(roles[wanted])
        elif is_first and (named := as_lesion_id(wanted)) is not None:
            verdicts[index] = Beginning(named[0], lesion_id=lesion_id_of(*named))
        else:
            verdicts[index] = Doubt((), f"A person decided for {wanted}, which no earlier time point has.")
    return verdicts


def uncertain_documents(matching: Matching) -> Verdicts:
    """Leave to a person what may have been taken back by a later document."""
    return {index: Doubt((), seen.measurement.doubt) for index, seen in matching.open if seen.measurement.doubt}


def repeated_identities(matching: Matching) -> Verdicts:
    """Two measurements with one identity: which of them is the lesion, a person must say."""
    uids = Counter(seen.stable_uid for seen in matching.seen)
    verdicts = {}
    for index, seen in matching.open:
        if seen.stable_uid and uids[seen.stable_uid] > 1:
            candidates = [k for k in matching.known if seen.stable_uid in k.tracking_uids]
            words = "Several measurements of this time point carry this tracking UID."
            verdicts[index] = Doubt(_ids(candidates), words)
    return verdicts


def by_tracking_uid(matching: Matching) -> Verdicts:
    """Recognise lesions by the identity that their writer keeps."""
    verdicts: dict[int, Verdict] = {}
    for index, seen in matching.open:
        same = _last_of([k for k in matching.known if seen.stable_uids & k.tracking_uids])
        if len(same) > 1:
            verdicts[index] = Doubt(_ids(same), "Several lesions had this tracking UID before.")
        elif same:
            verdicts[index] = _unless_contradicted(matching, seen, Claim(same[0], "tracking UID"), by_label=False)
    return verdicts


def by_label(matching: Matching) -> Verdicts:
    """Recognise lesions by a label that is one lesion's at both time points, and by the same finding."""
    used = Counter(label for seen in matching.seen for label in seen.labels)
    verdicts: dict[int, Verdict] = {}
    for index, seen in matching.open:
        same = _last_of([k for k in matching.known if seen.labels & k.labels])
        is_single = all(used[label] == 1 for label in seen.labels)
        if len(same) == 1 and is_single and not same[0].findings_differ(seen):
            claim = Claim(same[0], f"label “{_label_shared(seen, same[0])}”")
            verdicts[index] = _unless_contradicted(matching, seen, claim, by_label=True)
    return verdicts


def _last_of(same: Sequence[KnownLesion]) -> list[KnownLesion]:
    """Leave out a lesion that went into another one of them: the name goes on with that one."""
    names = {k.lesion.lesion_id for k in same}
    return [k for k in same if not names & set(k.went_into)]


def by_position(matching: Matching) -> Verdicts:
    """Recognise lesions by where they lie after registration, if no other pairing is nearly as close."""
    placed = [(index, seen) for index, seen in matching.open if seen.is_placed]
    found = nearest([seen for _, seen in placed], matching.free_sought, matching.rules)
    verdicts: dict[int, Verdict] = {}
    for (index, _), nearness in zip(placed, found, strict=True):
        if nearness.match is not None:
            words = f"position, {nearness.distance_mm:.0f} mm from where it was after registration"
            verdicts[index] = Match(nearness.match, words)
        elif nearness.candidates:
            candidates = nearness.candidates
            words = f"By its place it may be {_names(candidates)}, but no pairing is clearly nearer than every other."
            verdicts[index] = Doubt(_ids(candidates), words)
    return verdicts


def first_at_baseline(matching: Matching, *, is_first: bool = True) -> Verdicts:
    """Let what is left of the first time point, or of another one before treatment, start lesions.

    A stated role stays; without one the rules of target choice give it (``default_roles``), and a normal node is no
    lesion yet: it is known from here on, and new disease once it has grown.
    """
    verdicts: dict[int, Verdict] = {}
    lesions: dict[int, BaselineLesion] = {}
    for index, seen in enumerate(matching.seen):
        decided = matching.verdicts.get(index)
        role = None if seen.role is LesionRole.NEW else seen.role
        if isinstance(decided, Beginning):
            lesions[index] = _as_baseline_lesion(index, seen, decided.role)
        elif isinstance(decided, Match):
            lesions[index] = _as_baseline_lesion(index, seen, decided.known.lesion.role)
        elif decided is None and (doubt := _doubt_at_baseline(seen, is_first=is_first)) is not None:
            verdicts[index] = doubt
        elif decided is None:
            lesions[index] = _as_baseline_lesion(index, seen, role)
            if role is not None:
                verdicts[index] = Beginning(role)
    indices = {item.lesion_id: index for index, item in lesions.items()}
    for default in default_roles(list(lesions.values())):
        verdicts[indices[default.lesion.lesion_id]] = _by_default(default, matching)
    return verdicts


def _by_default(default: DefaultRole, matching: Matching) -> Beginning:
    index = int(default.lesion.lesion_id.rsplit(" ", 1)[1])
    where = matching.seen[index].measurement.label
    if default.role is None:
        words = f"The reader states no role, and {default.reason}: it is no lesion at the first time point."
        finding = Finding("no-lesion-at-baseline", Severity.WARNING, words, where)
        return Beginning(LesionRole.NEW, (finding,), is_lesion=False)
    words = f"The reader states no role; it is taken as {default.role}: {default.reason}."
    return Beginning(default.role, (Finding("role-not-stated", Severity.INFO, words, where),))


def _as_baseline_lesion(index: int, seen: Seen, role: LesionRole | None) -> BaselineLesion:
    measurement = seen.measurement
    thickness = measurement.slice_thickness_mm
    return BaselineLesion(
        lesion_id=f"{measurement.measurement_uid} {index}",
        role=role,
        nodal=seen.nodal,
        organ=seen.organ,
        state=measurement.state,
        long_axis_mm=None if measurement.long_axis is None else measurement.long_axis.size_mm,
        short_axis_mm=None if measurement.short_axis is None else measurement.short_axis.size_mm,
        slice_thickness_mm=None if thickness is None else to_decimal(thickness),
        method=method_of(measurement.modality),
        source=measurement.measurement_uid,
    )


def new_at_follow_up(matching: Matching) -> Verdicts:
    """Let what is left be new where that is sure; else a person decides."""
    verdicts: dict[int, Verdict] = {}
    for index, seen in matching.open:
        doubt = _doubt_that_new(matching, seen)
        verdicts[index] = doubt or Beginning(LesionRole.NEW, _taken_as_new(seen, matching.rules))
    return verdicts


def _unless_contradicted(matching: Matching, seen: Seen, claim: Claim, *, by_label: bool) -> Verdict:
    against = contradiction(seen, claim.known, matching.known, matching.rules, by_label=by_label)
    lesion_id = claim.known.lesion.lesion_id
    return Doubt((lesion_id,), f"Recognised as {lesion_id} by {claim.by}, but {against}.") if against else claim


def _doubt_at_baseline(seen: Seen, *, is_first: bool) -> Doubt | None:
    if seen.is_absent and not is_first:
        return Doubt((), "The reader calls it absent, but its tracking UID and label are no known lesion's.")
    for is_said, words in ((seen.role is LesionRole.NEW, "new"), (seen.is_absent, "absent")):
        if is_said and is_first:
            return Doubt((), f"The reader calls it {words}, but there is no earlier time point.")
    return None


def _taken_as_new(seen: Seen, rules: TrackingParameters) -> tuple[Finding, ...]:
    if seen.role is LesionRole.NEW:
        return ()
    words = (
        "The reader states no role: taken as new, as no lesion of an earlier time point lies within "
        f"{rules.gate_mm:.0f} mm."
    )
    return (Finding("taken-as-new", Severity.WARNING, words, seen.measurement.label, decides=True),)


def _doubt_that_new(matching: Matching, seen: Seen) -> Doubt | None:
    """Return why a measurement that matched nothing is not simply new; None where it is."""
    possible = _ids(k for k in matching.free_sought if not conflict(seen, k))
    if seen.is_absent:
        return Doubt(possible, "The reader calls it absent, but its tracking UID and label are no known lesion's.")
    if seen.role is LesionRole.NEW:
        near = [k for k in matching.sought if k.is_near(seen, matching.rules)]
        return Doubt(_ids(near), f"The reader calls it new, but it lies where {_names(near)} was.") if near else None
    if seen.role is not None:
        return Doubt(possible, f"The reader calls it {seen.role}, but no lesion of an earlier time point matches.")
    if not seen.is_placed:
        why = "it has no axes" if seen.measurement.long_axis is None else "the scans could not be registered"
        return Doubt(possible, f"Neither tracking UID nor label is a known lesion's, and {why}.")
    return _doubt_by_place(matching, seen)


def _doubt_by_place(matching: Matching, seen: Seen) -> Doubt | None:
    """Return which earlier lesion lies too near, or may have moved here, or lies nobody knows where."""
    near = [k for k in matching.known if not k.went_into and k.is_near(seen, matching.rules)]
    if near:
        against = [words for k in near if (words := conflict(seen, k))]
        why = against[0] if against else "that lesion is measured already or in doubt"
        return Doubt(_ids(near), f"It lies where {_names(near)} was, but {why}.")
    unseen = [k for k in matching.sought if not conflict(seen, k)]
    moved = sorted((k for k in unseen if k.is_believable(seen, matching.rules)), key=lambda k: k.distance_mm(seen))
    if moved:
        words = (
            f"It lies {moved[0].distance_mm(seen):.0f} mm from where {moved[0].lesion.lesion_id} was, "
            "which nothing else is: too far to be the same for sure, too near to be new for sure."
        )
        return Doubt(_ids(moved), words)
    unplaced = [k for k in unseen if not k.is_placed]
    if unplaced:
        return Doubt(_ids(unplaced), f"It may be {_names(unplaced)}, of which the place is not known.")
    return None


def _label_shared(seen: Seen, known: KnownLesion) -> str:
    """Return the label as written that a measurement, or one that it stands for, shares with a lesion."""
    written = (seen.measurement.label, *(item.label for item in seen.others))
    return next(label.strip() for label in written if compared_label(label) in known.labels)


def _ids(lesions: Iterable[KnownLesion]) -> tuple[str, ...]:
    return tuple(k.lesion.lesion_id for k in lesions)


def _names(lesions: Sequence[KnownLesion]) -> str:
    return " or ".join(_ids(lesions))
