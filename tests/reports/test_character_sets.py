"""Patients' names go from any character set into our objects and pages, which are UTF-8, without loss."""

import shutil
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from dicom_node.character_sets import text_of
from reports.pdf import markup
from tests.real_servers import run_tool
from tests.service.small_case import write_ct, write_sr
from tumorresp.service.evaluate_files import EvaluationOutcome, evaluate_files
from tumorresp.service.settings import Settings

STUDY = "1.2.826.1"
# Names of PS3.5 annexes H to K, and of everyday practice, in the character sets that they are written in.
NAMES: dict[str, tuple[str | list[str], str]] = {
    "no set": ("", "Smith^John"),
    "Latin 1": ("ISO_IR 100", "Müller^Eva"),
    "Latin 2": ("ISO_IR 101", "Wałęsa^Łucja"),
    "Cyrillic": ("ISO_IR 144", "Люксембург^Роза"),
    "Greek": ("ISO_IR 126", "Διονυσίου^Άννα"),
    "Arabic": ("ISO_IR 127", "قباني^لنزار"),
    "Hebrew": ("ISO_IR 138", "שרון^דבורה"),
    "Thai": ("ISO_IR 166", "ใจดี^สมชาย"),
    "Turkish": ("ISO_IR 148", "Çağlar^Işıl"),
    "half-width kana": ("ISO_IR 13", "ﾔﾏﾀﾞ^ﾀﾛｳ"),
    "Japanese, the usual form": (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
    "Japanese with half-width kana": (["ISO 2022 IR 13", "ISO 2022 IR 87"], "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"),
    "Korean": (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
    "Chinese, simplified": ("GB18030", "Wang^XiaoDong=王^小东"),
    "Chinese, GBK": ("GBK", "Wang^XiaoDong=王^小东"),
    "Chinese, traditional": ("ISO_IR 192", "Wang^XiaoDong=王^小東"),
}
# What no standard defines, and how the name then comes out.
ODD_SETS = {
    "a set that does not exist": ("ISO_IR 999", "Müller^Eva".encode("latin-1"), "Müller^Eva"),
    "words": ("UNICODE (MAYBE)", b"Smith^John", "Smith^John"),
    "the set's name misspelt": ("ISO-IR 100", "Müller^Eva".encode("latin-1"), "Müller^Eva"),
    "an empty second value": ("ISO_IR 100\\", "Müller^Eva".encode("latin-1"), "Müller^Eva"),
}


def evaluated(folder: Path) -> EvaluationOutcome:
    settings = Settings(segmenter="geodesic-contour", radiomics=False, secondary_capture=True, encapsulated_pdf=True)
    return evaluate_files([folder / "in"], folder / "out", settings, lambda *_: None)


def objects(outcome: EvaluationOutcome) -> dict[str, Path]:
    return {path.name: path for subject in outcome.subjects for path in subject.folder.rglob("*.dcm")}


@pytest.mark.parametrize("script", NAMES)
def test_a_name_goes_round_without_loss(tmp_path: Path, script: str):
    character_set, name = NAMES[script]
    label = name.replace("=", "").replace("^", "")

    def change(dataset: Dataset) -> None:
        dataset.SpecificCharacterSet, dataset.PatientName = character_set, name
        dataset.ReferringPhysicianName = name

    def reading(dataset: Dataset) -> None:
        change(dataset)
        dataset.ContentSequence[0].PersonName = name
        dataset.ContentSequence[1].ContentSequence[2].TextValue = label

    write_ct(tmp_path / "in" / "ct", STUDY, "20240110", change=change)
    write_sr(tmp_path / "in" / "sr.dcm", STUDY, "1.2.827.1", change=reading)
    outcome = evaluated(tmp_path)
    assert (outcome.refused, outcome.waiting) == ((), ())
    made = objects(outcome)
    assert set(made) == {"seg.dcm", "report.dcm", "overlay-1.dcm", "report-pdf.dcm"}
    for path in made.values():
        dataset = pydicom.dcmread(path)
        assert dataset.SpecificCharacterSet == "ISO_IR 192"
        assert str(dataset.PatientName) == str(dataset.ReferringPhysicianName) == name
        assert name.encode() in path.read_bytes()
    report = made["report.dcm"].read_bytes()
    assert report.count(name.encode()) >= 3  # patient, physician, reader
    assert label.encode() in report
    page = (outcome.subjects[0].folder / "report.html").read_text("utf-8")
    assert label in page
    if shutil.which("dciodvfy"):
        for path in made.values():
            said = run_tool("dciodvfy", "-new", path).stderr.splitlines()
            assert [line for line in said if line.startswith("Error") and "CharacterSet" in line] == []


@pytest.mark.parametrize("case", ODD_SETS)
def test_an_odd_character_set_harms_neither_its_patient_nor_the_next(tmp_path: Path, case: str):
    stated, raw, name = ODD_SETS[case]
    placeholder = b"PLACEHOLDERNAME!"

    def change(dataset: Dataset) -> None:
        dataset.SpecificCharacterSet, dataset.PatientName = "ISO_IR 100", placeholder.decode()

    images = write_ct(tmp_path / "in" / "ct", STUDY, "20240110", change=change)
    for path in images:
        content = path.read_bytes().replace(placeholder, raw.ljust(len(placeholder)))
        padded = stated.encode() + b" " * (len(stated) % 2)
        old = b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100"
        assert old in content
        path.write_bytes(content.replace(old, b"\x08\x00\x05\x00CS" + len(padded).to_bytes(2, "little") + padded))
    write_sr(tmp_path / "in" / "sr.dcm", STUDY, "1.2.827.1")
    write_ct(tmp_path / "in" / "next", "1.2.826.8", "20240110", "P2")
    write_sr(tmp_path / "in" / "next.dcm", "1.2.826.8", "1.2.827.8", patient="P2")
    outcome = evaluated(tmp_path)
    assert outcome.refused == ()
    assert len(outcome.subjects) == 2
    names = {str(pydicom.dcmread(path).PatientName) for path in tmp_path.rglob("seg.dcm")}
    assert names == {name, "Test^One"}


def test_texts_that_cannot_be_decoded_are_read_all_the_same():
    dataset = Dataset()
    dataset.PatientName = "Test^One"
    assert text_of(dataset, "PatientName") == "Test^One"
    assert text_of(dataset, "PatientID") == ""


@pytest.mark.parametrize(
    ("text", "font"),
    [("王小东", "STSong-Light"), ("山田 たろう", "HeiseiKakuGo-W5"), ("홍길동", "HYGothic-Medium")],
)
def test_east_asian_letters_have_a_font_in_the_pdf(text: str, font: str):
    assert f'<font name="{font}">' in markup(f"Lesion {text} <T01>")
    assert markup("Müller Διονυσίου Люксембург") == "Müller Διονυσίου Люксембург"
