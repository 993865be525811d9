"""Who measured, and what is no lesion."""

import pytest

from tumorresp.domain.measurement import LesionRole, MarkedMeasurement, SourceDocument
from tumorresp.domain.not_a_lesion import reason_for_no_lesion
from tumorresp.domain.observers import counts_as_reader, person_name, reader_key
from tumorresp.domain.terminology import LESION, LYMPH_NODE, Code


@pytest.mark.parametrize(
    "words",
    [
        "",
        " ",
        "^",
        "unknown",
        "unknown^unknown",
        "UNKNOWN^Unknown",
        "Anonymous",
        "anonymous^^^",
        "none",
        "N/A",
        "-",
        "unnamed reader",
    ],
)
def test_what_names_nobody(words: str):
    assert person_name(words) == ""


@pytest.mark.parametrize(
    "name", ["Reader^One", "A", "Reader 1", "Na^Young", "山田^太郎", "Иванов^Пётр", "Unknown^Jane"]
)
def test_what_names_a_person(name: str):
    assert person_name(f" {name} ") == name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Reader^One", "READER^ONE^^^"),
        ("Reader^One", "One Reader"),
        ("Reader, One", "One Reader"),
        ("Mu\u0308ller^Eva", "M\u00fcller^Eva"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada^Tarou"),
        ("O'Neill^Ann", "O’Neill^Ann"),
    ],
)
def test_writings_of_one_name(one: str, other: str):
    assert reader_key(one) == reader_key(other) != ""


@pytest.mark.parametrize(("one", "other"), [("Reader^One", "Reader^Two"), ("Smith^John", "John^Smith"), ("A", "B")])
def test_two_names(one: str, other: str):
    assert reader_key(one) != reader_key(other)


def test_a_device_counts_where_a_setting_names_it():
    assert counts_as_reader("AI-CAD", ("ai-cad",))
    assert not counts_as_reader("AI-CAD", ("another",))
    assert not counts_as_reader("AI-CAD", ())


def marked(**facts) -> MarkedMeasurement:
    return MarkedMeasurement("1", SourceDocument("dicom-sr-tid1500", "2"), **facts)


def site(meaning: str) -> Code:
    return Code("1", "SCT", meaning)


@pytest.mark.parametrize(
    "facts",
    [
        {"site": site("Descending thoracic aorta"), "label": "Descending aorta"},
        {"site": site("Pulmonary trunk")},
        {"site": site("Inferior vena cava")},
        {"site": site("Left ventricle")},
        {"site": site("Common bile duct")},
        {"finding_type": site("Aorta"), "site": site("Thorax")},
        {"finding_type": site("Normal anatomy")},
        {"finding_type": site("Spleen")},
        {"label": "Spleen length"},
        {"label": "liver span"},
        {"label": "Ascending aorta"},
        {"label": "calibration"},
    ],
)
def test_what_is_no_lesion(facts: dict):
    assert reason_for_no_lesion(marked(**facts))


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"site": site("Liver"), "label": "Liver 1"},
        {"site": site("Spleen")},
        {"site": site("Heart"), "finding_type": LESION},
        {"site": site("Aorta"), "finding_type": LYMPH_NODE},
        {"site": site("Para-aortic lymph node")},
        {"site": site("Portal vein"), "label": "tumour thrombus"},
        {"site": site("Aorta"), "role": LesionRole.TARGET},
        {"site": site("Trachea"), "label": "T02"},
        {"label": "para-aortic"},
        {"label": "aortic LN"},
        {"label": "Renal lesion, length"},
        {"label": "cardiac mass"},
        {"finding_type": site("Mass in spleen")},
    ],
)
def test_what_may_be_a_lesion(facts: dict):
    assert reason_for_no_lesion(marked(**facts)) == ""
