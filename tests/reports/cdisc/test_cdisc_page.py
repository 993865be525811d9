"""What docs/cdisc.md says is what the export does."""

import re

import pytest

from reports.cdisc.adrs import IMMUNE_RESPONSE_CODES, RESPONSE_CODES
from reports.cdisc.parameter_codes import parameter_code
from reports.cdisc.study_facts import EvaluatorTerms, ExportMode, StudyFacts
from reports.cdisc.subject_records import subject_records
from tests.conftest import REPOSITORY
from tests.reports.cdisc.studies import CENTRAL, RESPONDER, SPONSOR, subject, terms

PAGE = (REPOSITORY / "docs" / "cdisc.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    lines = PAGE[PAGE.index(heading) :].splitlines()[2:]
    end = next(number for number, line in enumerate(lines) if not line.startswith("|"))
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[:end]]


def test_codes_of_responses() -> None:
    rows = table("| AVALC | AVAL |")
    assert [(row[0], int(row[1])) for row in rows] == [(str(key), code) for key, code in RESPONSE_CODES.items()]
    immune = [(row[2], int(row[3])) for row in rows if row[2]]
    assert immune == [(str(key), code) for key, code in IMMUNE_RESPONSE_CODES.items()]


def test_codes_of_criteria() -> None:
    reading = next(subject_records([subject(*RESPONDER)], SPONSOR)).readings[0]
    for criterion, code in table("| criterion | code of the overall response |"):
        assert parameter_code("OVR", criterion.strip("`"), reading) == code


@pytest.mark.parametrize(
    ("evaluator_id", "letter"), [("", "B"), ("RADIOLOGIST 1", "S"), ("RADIOLOGIST 2", "T"), ("ADJUDICATOR", "A")]
)
def test_letters_of_evaluators(evaluator_id: str, letter: str) -> None:
    facts = StudyFacts(
        "ST1", ExportMode.CENTRAL_READ, CENTRAL.evaluator_kind, reader_signed=True, evaluators={"": terms(evaluator_id)}
    )
    reading = next(subject_records([subject(*RESPONDER)], facts)).readings[0]
    assert reading.parameter_suffix == letter


def test_python_of_the_page_runs() -> None:
    """The second example: what it builds, told apart by evaluator."""
    examples = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    imported = "from reports.cdisc.study_facts import StudyFacts\n"
    names: dict[str, object] = {}
    exec(imported + examples[1], names)
    facts = names["facts"]
    assert isinstance(facts, StudyFacts)
    assert facts.evaluators["bert"] == EvaluatorTerms(names["reader"], "RADIOLOGIST 2")  # type: ignore[arg-type]
