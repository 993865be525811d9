"""Which documents count: rejection, predecessors, completion, verification, the same reader later."""

import datetime
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorresp.domain.document_life import DocumentFacts, MeasuredDocument, rejected_instances, standing
from tumorresp.domain.measurement import Axis, LesionState, Measurement, SourceDocument

READER = "Reader^One"
# Lesions by a letter: 100 mm apart, so that none lies on another.
PLACES = {"A": 0.0, "B": 100.0, "C": 200.0}


def at(hour: int) -> datetime.datetime:
    return datetime.datetime(2024, 3, 10, hour, tzinfo=datetime.UTC)


def measured(
    document: str, lesion: str, length_mm: float = 30.0, reader: str = READER, study: str = "2", tool: str = "VIEWER"
) -> Measurement:
    middle = PLACES[lesion]
    return Measurement(
        measurement_uid=f"{document} {lesion}",
        source=SourceDocument("dicom-sr-tid1500", document, tool),
        study_instance_uid=study,
        series_instance_uid="2.1",
        sop_instance_uid="2.1.1",
        frame_number=None,
        long_axis=Axis((middle - length_mm / 2, 0.0, 0.0), (middle + length_mm / 2, 0.0, 0.0)),
        short_axis=None,
        state=LesionState.MEASURED,
        label=lesion,
        reader=reader,
    )


def document(uid: str, *measurements: Measurement, hour: int | None = 8, **facts) -> MeasuredDocument:
    return MeasuredDocument(DocumentFacts(uid, "2", None if hour is None else at(hour), **facts), measurements)


def outcome(*documents: MeasuredDocument) -> tuple[set[str], set[str]]:
    """Return what counts and what waits, as "document lesion"."""
    found = standing(documents)
    uids = {m.measurement_uid for part in found.parts for m in part.measurements} - found.measured_again
    return uids - set(found.doubts), uids & set(found.doubts)


one = document("one", measured("one", "A"), measured("one", "B", 12))
SITUATIONS = {
    "saved twice, corrected": (
        [document("one", measured("one", "A")), document("two", measured("two", "A", 31), hour=9)],
        {"two A"},
        set(),
    ),
    "a whole later reading leaves one out": ([one, document("two", measured("two", "A"), hour=9)], {"two A"}, set()),
    "a later reading leaves one of two out": (
        [one, document("two", measured("two", "A", 33), hour=9)],
        {"two A"},
        set(),
    ),
    "a later document corrects one lesion of three alone": (
        [
            document("one", measured("one", "A"), measured("one", "B"), measured("one", "C")),
            document("two", measured("two", "A", 33), hour=9),
        ],
        {"two A"},
        {"one B", "one C"},
    ),
    "another tool's document measures one of two": (
        [one, document("two", measured("two", "A", 33, tool="OTHER"), hour=9)],
        {"two A"},
        {"one B"},
    ),
    "all measured again, one more": (
        [one, document("two", measured("two", "A", 33), measured("two", "B", 14), measured("two", "C"), hour=9)],
        {"two A", "two B", "two C"},
        set(),
    ),
    "one document a measurement": (
        [document("one", measured("one", "A")), document("two", measured("two", "B"), hour=9)],
        {"one A", "two B"},
        set(),
    ),
    "two readers": (
        [one, document("two", measured("two", "A", reader="Reader^Two"), hour=9)],
        {"one A", "one B", "two A"},
        set(),
    ),
    "one reader, written otherwise": (
        [one, document("two", measured("two", "A", reader="READER^ONE^^"), hour=9)],
        {"two A"},
        set(),
    ),
    "two studies": (
        [one, document("two", measured("two", "A", study="3"), hour=9)],
        {"one A", "one B", "two A"},
        set(),
    ),
    "no time, so no order": (
        [one, document("two", measured("two", "A"), hour=None)],
        {"one A", "one B", "two A"},
        set(),
    ),
    "named as predecessor, all lines changed": (
        [one, document("two", measured("two", "A", 33), hour=9, predecessors=("one",))],
        {"two A"},
        set(),
    ),
    "named as predecessor by another reader": (
        [one, document("two", measured("two", "A", reader="Reader^Two"), hour=9, predecessors=("one",))],
        {"two A"},
        set(),
    ),
    "a successor without measurements": ([one, document("two", hour=9, predecessors=("one",))], set(), set()),
    "a follow-up names the baseline as predecessor": (
        [one, document("two", measured("two", "A", study="3"), hour=9, predecessors=("one",))],
        {"one A", "one B", "two A"},
        set(),
    ),
    "a chain": (
        [
            one,
            document("two", measured("two", "C"), hour=9, predecessors=("one",)),
            document("three", measured("three", "B"), hour=10, predecessors=("two",)),
        ],
        {"three B"},
        set(),
    ),
    "a predecessor that is not here": (
        [document("two", measured("two", "A"), predecessors=("gone",))],
        {"two A"},
        set(),
    ),
    "a circle replaces nothing": (
        [
            document("one", measured("one", "A"), predecessors=("two",)),
            document("two", measured("two", "B"), predecessors=("one",)),
        ],
        {"one A", "two B"},
        set(),
    ),
    "two successors": (
        [
            one,
            document("two", measured("two", "A", reader="Reader^Two"), hour=9, predecessors=("one",)),
            document("three", measured("three", "A", reader="Reader^Three"), hour=9, predecessors=("one",)),
        ],
        {"two A", "three A"},
        set(),
    ),
    "partial later, complete earlier": (
        [one, document("two", measured("two", "A", 35), hour=9, is_complete=False)],
        {"one A", "one B"},
        set(),
    ),
    "partial earlier, complete later with fewer": (
        [
            document("one", measured("one", "A"), measured("one", "B"), is_complete=False),
            document("two", measured("two", "A", 35), hour=9),
        ],
        {"two A"},
        set(),
    ),
    "partial alone": ([document("one", measured("one", "A"), is_complete=False)], {"one A"}, set()),
    "a partial successor": (
        [one, document("two", measured("two", "A", 35), hour=9, is_complete=False, predecessors=("one",))],
        {"one A", "one B"},
        set(),
    ),
    "verified earlier, unverified later": (
        [
            document("one", measured("one", "A"), is_verified=True),
            document("two", measured("two", "A", 35), measured("two", "B"), hour=9),
        ],
        {"one A"},
        set(),
    ),
    "verified earlier, unverified successor": (
        [
            document("one", measured("one", "A"), is_verified=True),
            document("two", measured("two", "A", 35), hour=9, predecessors=("one",)),
        ],
        {"two A"},
        set(),
    ),
    "final earlier, preliminary later": (
        [document("one", measured("one", "A")), document("two", measured("two", "A", 35), hour=9, is_preliminary=True)],
        {"one A"},
        set(),
    ),
    "both preliminary": (
        [
            document("one", measured("one", "A"), is_preliminary=True),
            document("two", measured("two", "A", 35), hour=9, is_preliminary=True),
        ],
        {"two A"},
        set(),
    ),
    "identical documents": (
        [
            document("one", measured("one", "A"), identical=("two",)),
            document("two", measured("two", "A"), identical=("one",)),
        ],
        {"one A"},
        set(),
    ),
    "three saves": (
        [
            document("one", measured("one", "A"), measured("one", "B")),
            document("two", measured("two", "A", 33), hour=9),
            document("three", measured("three", "A", 33), measured("three", "B"), hour=10),
        ],
        {"three A", "three B"},
        set(),
    ),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_counts_and_what_waits(situation: str):
    documents, counted, waiting = SITUATIONS[situation]
    for order in permutations(documents):
        assert outcome(*order) == (counted, waiting)


def test_what_a_replacement_loses_is_told():
    (replaced,) = standing([one, document("two", measured("two", "A"), hour=9)]).replaced
    assert (replaced.by, [m.measurement_uid for m in replaced.lost]) == ("two", ["one B"])
    assert "the same reader" in replaced.reason


def test_unnamed_readers_are_one_where_one_tool_wrote_both():
    nameless = document("one", measured("one", "A", reader=""))
    again = measured("two", "A", 31, reader="")
    assert outcome(nameless, document("two", again, hour=9))[0] == {"two A"}
    elsewhere = replace(again, source=SourceDocument("dicom-sr-tid1500", "two", "OTHER"))
    assert outcome(nameless, document("two", elsewhere, hour=9))[0] == {"one A", "two A"}


@given(st.lists(st.sets(st.sampled_from("ABC"), min_size=1), min_size=1, max_size=4), st.booleans())
def test_no_lesion_is_counted_twice_and_the_newest_document_always_counts(readings: list[set[str]], is_named: bool):
    reader = READER if is_named else ""
    documents = [
        document(str(n), *(measured(str(n), lesion, 30 + n, reader) for lesion in sorted(lesions)), hour=n)
        for n, lesions in enumerate(readings, start=1)
    ]
    counted, waiting = outcome(*documents)
    lesions = [uid.split()[1] for uid in counted]
    assert len(set(lesions)) == len(lesions)
    assert {uid for uid in counted if uid.startswith(f"{len(readings)} ")} == {
        f"{len(readings)} {lesion}" for lesion in readings[-1]
    }
    assert not {uid.split()[1] for uid in waiting} & set(lesions)


def note(uid: str, *selected: str, hour: int | None = 8) -> DocumentFacts:
    return DocumentFacts(
        uid,
        "2",
        None if hour is None else at(hour),
        rejection="Rejected for Quality Reasons",
        selected=frozenset(selected),
    )


@pytest.mark.parametrize(
    ("notes", "rejected"),
    [
        ([note("n", "a", "b")], {"a", "b"}),
        ([note("n", "a"), note("m", "n", hour=9)], {"n"}),
        ([note("n", "a", hour=10), note("m", "n", hour=9)], {"a", "n"}),
        ([note("n", "a"), note("m", "n", hour=9), note("o", "m", hour=10)], {"a", "m"}),
        ([note("n", "n", "a")], {"a"}),
        ([replace(note("n", "a"), rejection="")], set()),
    ],
)
def test_rejection_notes(notes: list[DocumentFacts], rejected: set[str]):
    for order in permutations(notes):
        assert set(rejected_instances(order)) == rejected
