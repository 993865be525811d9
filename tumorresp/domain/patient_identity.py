"""Who is the same person: Patient IDs with their issuers, other IDs, names and birth dates (PS3.3 C.7.1.1, C.2.2).

One Patient ID of two issuers is two persons; two Patient IDs are one person where the files say so (Other Patient IDs
Sequence) and nothing speaks against it, or where a person decided it. Where it is not certain, nothing is joined.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

from tumorresp.domain.observers import person_name, reader_key


@dataclass(frozen=True, order=True)
class PatientId:
    """A Patient ID (0010,0020) and its Issuer of Patient ID (0010,0021), empty where not stated."""

    value: str
    issuer: str = ""


@dataclass(frozen=True)
class PatientStatement:
    """What an object says of its patient; never for logs, messages or file names.

    Parameters
    ----------
    patient_id
        Its value may be empty.
    others
        Of the Other Patient IDs Sequence (0010,1002) and of Other Patient IDs (0010,1000).
    name, birth_date
        As written; empty where absent.
    """

    patient_id: PatientId
    others: tuple[PatientId, ...] = ()
    name: str = ""
    birth_date: str = ""

    @property
    def name_key(self) -> str:
        """The name as compared; empty where it names nobody."""
        name = person_name(self.name)
        return reader_key(name) if name else ""

    @property
    def ids(self) -> tuple[PatientId, ...]:
        """The Patient ID and the other ones, those that are not empty."""
        return tuple(item for item in (self.patient_id, *self.others) if item.value)

    def seen_from(self, others: Sequence["PatientStatement"]) -> "PatientStatement":
        """Return the same statement with the Patient ID first that other objects of the same subject carry."""
        own = next((item for item in self.ids if any(same_id(item, other.patient_id) for other in others)), None)
        if own is None or own == self.patient_id:
            return self
        return replace(self, patient_id=own, others=tuple(item for item in self.ids if item != own))


@dataclass(frozen=True)
class Doubt:
    """Two subjects that may be one person: a person must decide. ``why`` names nobody."""

    subjects: tuple[str, str]
    why: str


@dataclass(frozen=True)
class Persons:
    """Which subjects are one person.

    Parameters
    ----------
    joined
        Subjects that are one person, each group in the order in which the subjects were given.
    doubts
        What may be one person and was not joined.
    """

    joined: tuple[tuple[str, ...], ...] = ()
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True)
class LinkDecisions:
    """A person's decisions: pairs of subjects that are one person."""

    same: tuple[tuple[str, str], ...] = field(default=())


def issuers_conflict(one: PatientId, other: PatientId) -> bool:
    """Return whether both state an issuer and the issuers differ."""
    return bool(one.issuer and other.issuer) and one.issuer.casefold() != other.issuer.casefold()


def same_id(one: PatientId, other: PatientId) -> bool:
    """Return whether two IDs are one: the same value, and no two issuers."""
    return bool(one.value) and one.value == other.value and not issuers_conflict(one, other)


def is_same_patient(one: PatientStatement, other: PatientStatement) -> bool:
    """Return whether two objects name one patient by ID: either one's ID, or one of its other IDs, is the other's."""
    return any(same_id(a, b) for a in one.ids for b in other.ids if a == one.patient_id or b == other.patient_id)


def names_agree(one: PatientStatement, other: PatientStatement) -> bool:
    """Return whether both name the same person."""
    return bool(one.name_key) and one.name_key == other.name_key


def persons(subjects: Mapping[str, Sequence[PatientStatement]], decisions: LinkDecisions | None = None) -> Persons:
    """Return which subjects are one person.

    Parameters
    ----------
    subjects
        What the objects of each subject say; a subject's objects are taken as one person's.
    decisions
        Outweigh everything.
    """
    decided = {frozenset(pair) for pair in (decisions or LinkDecisions()).same}
    groups = {key: {key} for key in subjects}
    doubts = []
    for one, other in combinations(subjects, 2):
        if frozenset((one, other)) in decided:
            _join(groups, one, other)
            continue
        shared = _shared_ids(subjects[one], subjects[other])
        if not shared:
            continue
        against = _against(subjects[one], subjects[other], shared)
        if against:
            doubts.append(Doubt((one, other), against))
        else:
            _join(groups, one, other)
    found = {id(group): group for group in groups.values()}
    order = list(subjects)
    joined = tuple(tuple(sorted(group, key=order.index)) for group in found.values() if len(group) > 1)
    return Persons(joined, tuple(doubt for doubt in doubts if doubt.subjects[1] not in groups[doubt.subjects[0]]))


def _join(groups: dict[str, set[str]], one: str, other: str) -> None:
    merged = groups[one] | groups[other]
    for key in merged:
        groups[key] = merged


def _shared_ids(
    one: Sequence[PatientStatement], other: Sequence[PatientStatement]
) -> list[tuple[PatientId, PatientId]]:
    """Return the IDs that both name, leaving out an ID that is the Patient ID of both.

    One Patient ID in two subjects is what two issuers, or two people under one number, look like.
    """
    return [
        (a, b)
        for mine in one
        for theirs in other
        for a in mine.ids
        for b in theirs.ids
        if same_id(a, b) and not (a == mine.patient_id and b == theirs.patient_id)
    ]


def _against(
    one: Sequence[PatientStatement],
    other: Sequence[PatientStatement],
    shared: Sequence[tuple[PatientId, PatientId]],
) -> str:
    """Return why two subjects that share an ID are not joined; empty where nothing speaks against it."""
    births = [{item.birth_date for item in items if item.birth_date} for items in (one, other)]
    if births[0] and births[1] and not births[0] & births[1]:
        return "their birth dates differ"
    if any(a.issuer and b.issuer for a, b in shared) or births[0] & births[1]:
        return ""
    names = [{item.name_key for item in items if item.name_key} for items in (one, other)]
    if names[0] and names[1] and not names[0] & names[1]:
        return "their names differ and no issuer or birth date says that the ID is one person's"
    if not (names[0] and names[1]) and not any(_is_patient_id(a, one) or _is_patient_id(b, other) for a, b in shared):
        return "they share another ID without an issuer, and neither name nor birth date confirms it"
    return ""


def _is_patient_id(item: PatientId, statements: Iterable[PatientStatement]) -> bool:
    return any(item == statement.patient_id for statement in statements)
