"""What the CDISC export must be told about a study, from the protocol file and the command line."""

import datetime
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reports.cdisc.dataset_json import FileFacts
from reports.cdisc.export import write_cdisc
from reports.cdisc.study_facts import BenefitDate, EvaluatorKind, EvaluatorTerms, ExportMode, StudyFacts
from tumorresp.domain.errors import InvalidSettings
from tumorresp.domain.finding import Finding
from tumorresp.response.outcome import SubjectOutcome

_KNOWN = (
    "study_id",
    "mode",
    "evaluator_kind",
    "reader_signed",
    "vendor_name",
    "evaluators",
    "confirmed_best_response",
    "clinical_benefit_date",
)


def study_facts(protocol: Path | None, mode: str, study: str) -> StudyFacts:
    """Return the facts of a study: the protocol's table ``cdisc``, with mode and STUDYID from the command line.

    Raises
    ------
    InvalidSettings
        If something there is not known, or contradicts itself.
    """
    section: Mapping[str, Any] = {}
    if protocol is not None:
        section = tomllib.loads(protocol.read_text("utf-8")).get("cdisc", {})
    unknown = [name for name in section if name not in _KNOWN]
    if unknown:
        raise InvalidSettings(
            f"{', '.join(unknown)} is not known.", where="cdisc", remedy=f"Known: {', '.join(_KNOWN)}"
        )
    try:
        evaluators = {
            name: EvaluatorTerms(EvaluatorKind(terms["kind"]), terms.get("id", ""))
            for name, terms in section.get("evaluators", {}).items()
        }
        return StudyFacts(
            study_id=section.get("study_id", study),
            mode=ExportMode(mode),
            evaluator_kind=EvaluatorKind(section.get("evaluator_kind", EvaluatorKind.INVESTIGATOR)),
            reader_signed=bool(section.get("reader_signed", False)),
            vendor_name=section.get("vendor_name", ""),
            evaluators=evaluators,
            confirmed_best_response=bool(section.get("confirmed_best_response", False)),
            clinical_benefit_date=BenefitDate(section.get("clinical_benefit_date", BenefitDate.BEST_RESPONSE)),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidSettings(
            f"{error}.", where="cdisc", remedy="Modes are sponsor and central-read; see docs/cdisc.md."
        ) from None


def export_cdisc(
    outcomes: Sequence[SubjectOutcome], facts: StudyFacts, folder: Path
) -> tuple[tuple[Path, ...], tuple[Finding, ...]]:
    """Write SDTM and ADaM below a folder."""
    created = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    result = write_cdisc(outcomes, facts, folder, FileFacts(facts.study_id, created))
    return result.files, result.findings
