"""A mask far longer or shorter than the reader's long axis is of something else: its volume is not used."""

from dataclasses import replace

import pytest

from tumorresp.domain.biomarkers import Biomarkers
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.mask_agreement import MASK_DISAGREES, axes_disagree, held_against_reader
from tumorresp.domain.measurement import Axis, LesionState, Measurement, SourceDocument


def axis(length: float) -> Axis:
    return Axis((0.0, 0.0, 0.0), (length, 0.0, 0.0))


def numbers(length: float | None, doubt: str = "") -> Biomarkers:
    long_axis = None if length is None else axis(length)
    return Biomarkers("1", 900.0, None, long_axis, None, None, "", None, None, None, None, None, volume_doubt=doubt)


def measured(length: float | None, *findings: Finding) -> Measurement:
    state = LesionState.ABSENT if length is None else LesionState.MEASURED
    long_axis = None if length is None else axis(length)
    return Measurement("1", SourceDocument("test", "2"), "", "", "", None, long_axis, None, state, findings=findings)


@pytest.mark.parametrize(
    ("reader", "mask", "disagree"),
    [
        (30.0, 30.0, False),
        (30.0, 45.0, False),  # exactly half as long again
        (30.0, 45.1, True),
        (30.0, 20.0, False),
        (30.0, 19.9, True),
        (8.0, 13.0, False),  # more than half, but 5 mm
        (8.0, 13.1, True),
        (13.1, 8.0, True),
        (100.0, 140.0, False),
        (100.0, 160.0, True),
    ],
)
def test_how_far_a_mask_may_go(reader: float, mask: float, disagree: bool):
    assert axes_disagree(axis(reader), axis(mask)) is disagree
    found = held_against_reader(numbers(mask), measured(reader))
    assert bool(found.volume_doubt) is disagree
    assert [finding.code for finding in found.findings] == ([MASK_DISAGREES] if disagree else [])


def test_the_words_name_both_lengths_behind_other_doubts():
    found = held_against_reader(numbers(60.0, "its mask touches a slice without a usable image"), measured(30.0))
    assert found.volume_doubt == (
        "its mask touches a slice without a usable image; its mask is 60.0 mm long where the reader measured 30.0 mm"
    )


def test_what_cannot_be_held_against_each_other():
    short_only = Finding("short-axis-only", Severity.WARNING, "Only the short axis.")
    for biomarkers, measurement in (
        (numbers(None), measured(30.0)),
        (numbers(60.0), measured(None)),
        (numbers(60.0), measured(30.0, short_only)),
    ):
        assert held_against_reader(biomarkers, measurement) is biomarkers


def test_the_recorded_length_counts():
    reader = replace(measured(30.0), long_axis=replace(axis(30.04), recorded_mm=axis(30.0).size_mm))
    assert held_against_reader(numbers(45.05), reader).volume_doubt
