"""Reasons: what a reader sees, to the letter."""

from decimal import Decimal
from fractions import Fraction

import pytest

from tests.response.courses import visits
from tumorresp.response import assess_recist_1_1, assess_volumetric
from tumorresp.response.reasons import beside_limits, ratio_as_percent, rounded

COURSE = visits(
    "T01=40/v33510 T02n=20/v4000 NT01=present",
    "T01=25/v8000 T02n=17/v3000 NT01=present",
    "T01=33.4004/v20000 T02n=17/v3000 NT01=present",
    "T01=70 NT01=absent NEW01=equivocal",
)


def test_recist_reasons() -> None:
    assert [item.reasons for item in assess_recist_1_1(COURSE)] == [
        (
            "Baseline. Sum of diameters 60.0 mm: T01 lung 40.0 + T02 lymph node 20.0 (short axis).",
            "Non-target lesions: NT01 lung.",
        ),
        (
            "Sum of diameters 42.0 mm: T01 lung 25.0 + T02 lymph node 17.0 (short axis).",
            "Change from nadir −30.0 % (−18.0 mm): not larger than the nadir of 60.0 mm (Baseline): no PD.",
            "Change from baseline −30.0 %: at least 30 % smaller than the baseline's 60.0 mm → PR.",
            "Non-target lesions still there, without unequivocal progression: NT01 lung → NON-CR/NON-PD.",
            "No new lesion.",
            "Overall PR: target PR, non-target NON-CR/NON-PD, no unequivocal new lesion.",
        ),
        (
            "Sum of diameters 50.4004 mm: T01 lung 33.4004 + T02 lymph node 17.0000 (short axis).",
            "Change from nadir +20.001 % (+8.4 mm): at least 20 % and 5 mm larger than "
            "the nadir of 42.0000 mm (Follow-up 1) → PD.",
            "Non-target lesions still there, without unequivocal progression: NT01 lung → NON-CR/NON-PD.",
            "No new lesion.",
            "Overall PD: progression of the target lesions is PD, whatever the others do.",
        ),
        (
            "Target lesions not assessed: T02 lymph node. Sum of diameters of the others 70.0 mm: T01 lung 70.0.",
            "Change from nadir +66.7 % (+28.0 mm): at least 20 % and 5 mm larger than "
            "the nadir of 42.0 mm (Follow-up 1) "
            "by the assessed lesions alone, to which missing ones can only add → PD.",
            "All non-target lesions are gone → non-target CR.",
            "Equivocal new lesion, not counted until it is confirmed: NEW01 lung.",
            "NEW01 lung is equivocal: look again at the next time point, or decide now.",
            "Overall PD: progression of the target lesions is PD, whatever the others do.",
        ),
    ]


def test_volumetric_reasons() -> None:
    assert assess_volumetric(COURSE)[1].reasons == (
        "Total volume 11.00 ml: T01 lung 8.00 + T02 lymph node 3.00.",
        "Change from nadir −70.7 % (sphere diameter −13.9 mm): not larger than "
        "the nadir of 37.51 ml (Baseline): no PD.",
        "Change from baseline −70.7 %: at least 65.7 % smaller than the baseline's 37.51 ml → PR.",
        "Non-target lesions still there, without unequivocal progression: NT01 lung → NON-CR/NON-PD.",
        "No new lesion.",
        "Overall PR: target PR, non-target NON-CR/NON-PD, no unequivocal new lesion.",
        "Total tumour volume, all that is segmented: 11.00 ml (2 lesions).",
        "T01 lung volume −76.1 % from baseline: more than the measurement error "
        "(29 % at a baseline long axis of 40.0 mm; QIBA, 95 %).",
    )


@pytest.mark.parametrize(
    ("course", "sentence"),
    [
        (("T01=14", "T01=9.800001"), "Change from baseline −29.99999 %: less than 30 % smaller than the baseline's "),
        (("T01=14", "T01=9.800001"), "Sum of diameters 9.800001 mm: T01 lung 9.800001."),
        (("T01=20", "T01=24.99"), "Change from nadir +25.0 % (+4.99 mm): at least 20 %, but less than 5 mm larger"),
        (("T01=60", "T01=71.9"), "Change from nadir +19.8 % (+11.9 mm): less than 20 % larger than the nadir of 60.0"),
        (("T01=20 T02n=16", "T01=absent T02n=9.96"), "Sum of diameters 9.96 mm: T01 lung 0.00 (absent) + T02 lymph"),
        (("T01=20", "T01=small"), "Sum of diameters 5.0 mm: T01 lung 5.0 (too small to measure)."),
        (("T01=20", "T01=absent", "T01=3"), "T01 lung: back after a complete response → PD."),
        (("T01=20 T02=20", "T01=20 T02=ne"), "The assessed lesions alone are no progression; the sum is not known"),
        (("T01=20 T02n=16", "T01=absent T02n=8"), "All target lesions are gone, target nodes under 10 mm of short"),
        (("", ""), "Overall NED: no disease at baseline and no unequivocal new lesion."),
    ],
)  # fmt: skip
def test_sentence(course: tuple[str, ...], sentence: str) -> None:
    reasons = assess_recist_1_1(visits(*course))[-1].reasons
    assert any(reason.startswith(sentence) for reason in reasons), reasons


@pytest.mark.parametrize(
    ("value", "limits", "shown"),
    [("-29.97", [-30], "−29.97"), ("-30", [-30], "−30.0"), ("-30.04", [-30], "−30.04"), ("19.96", [20], "+19.96"),
     ("20", [20], "+20.0"), ("4.9999996", [5], "+4.9999996"), ("12.345", [], "+12.3"), ("-0.04", [20], "−0.0")],
)  # fmt: skip
def test_number_stays_on_its_side_of_the_limit(value: str, limits: list[int], shown: str) -> None:
    assert beside_limits(Decimal(value), limits, signed=True) == shown


def test_rounding_and_ratios_in_words() -> None:
    assert rounded(Fraction(1, 3), 4) == Decimal("0.3333")
    assert rounded(Decimal("0.125"), 2) == Decimal("0.12")
    assert rounded(Decimal(1234), -2) == 1200
    assert ratio_as_percent(Fraction(7, 10)) == "30 %"
    assert ratio_as_percent(Fraction(343, 1000)) == "65.7 %"
    assert ratio_as_percent(Fraction(216, 125)) == "72.8 %"
