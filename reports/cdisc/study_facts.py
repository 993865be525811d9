"""What the exports must be told about a study: who read, who signed, and which records SDTM may hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from reports.cdisc.controlled_terminology import EVALUATOR_IDS
from tumorresp.domain.errors import InvalidInput, InvalidSettings


class ExportMode(StrEnum):
    """Who the exporter is; it decides what SDTM holds.

    SDTM holds what was collected or supplied from outside, never what the sponsor derived (SDTMIG 3.4, TR assumption
    3 and RS assumption 3).

    ``SPONSOR``: TU and TR hold the readers' measurements; there is no RS; sums, changes, responses and end points are
    in ADaM alone. ``CENTRAL_READ``: the product is the tool of an independent reader; the sums and responses that the
    reader signed are in TR and RS, with the evaluator and the vendor's name.
    """

    SPONSOR = "sponsor"
    CENTRAL_READ = "central-read"


class EvaluatorKind(StrEnum):
    """Terms of the codelist EVAL."""

    INVESTIGATOR = "INVESTIGATOR"
    INDEPENDENT_ASSESSOR = "INDEPENDENT ASSESSOR"


class BenefitDate(StrEnum):
    """What clinical benefit dates from.

    ``BEST_RESPONSE``: from the beginning of the best response. ``FIRST_QUALIFYING``: from the first visit that shows
    benefit, a response or SD or better that has lasted long enough, whichever is earlier (admiralonco,
    derive_param_clinbenefit).
    """

    BEST_RESPONSE = "best-response"
    FIRST_QUALIFYING = "first-qualifying"


@dataclass(frozen=True, slots=True)
class EvaluatorTerms:
    """--EVAL and --EVALID of one evaluator.

    Raises
    ------
    InvalidSettings
        If the ID is no term of MEDEVAL that this product knows, or an investigator has one.
    """

    kind: EvaluatorKind
    evaluator_id: str = ""

    def __post_init__(self) -> None:
        if self.evaluator_id not in EVALUATOR_IDS:
            raise InvalidSettings(
                f"{self.evaluator_id!r} is no evaluator's ID.",
                where="evaluators",
                remedy=f"Known are {', '.join(filter(None, EVALUATOR_IDS))}.",
            )
        if self.kind is EvaluatorKind.INVESTIGATOR and self.evaluator_id:
            raise InvalidSettings(
                f"an investigator has no ID such as {self.evaluator_id!r}.",
                where="evaluators",
                remedy="Say INDEPENDENT ASSESSOR, or leave the ID out.",
            )


@dataclass(frozen=True)
class StudyFacts:
    """A study as the exports see it.

    Parameters
    ----------
    study_id
        STUDYID; USUBJID is it, a hyphen and the subject.
    evaluator_kind
        --EVAL of evaluators that ``evaluators`` does not name.
    reader_signed
        A reader looked at the measurements, volumes and responses and signed them. Without it volumes made by software
        stay out of SDTM, and nothing is called an independent assessor's.
    vendor_name
        --NAM: the laboratory or vendor of a central read.
    evaluators
        --EVAL and --EVALID by the evaluator's name in the data. A name that is itself a term (INVESTIGATOR,
        RADIOLOGIST 1) needs no entry, nor does the only evaluator of a study.
    confirmed_best_response
        BESTRESP of a central read is the confirmed best response.
    clinical_benefit_date
        What CB and CCB in ADRS date from.
    too_small_mm
        What TRSTRESN is for a lesion that is too small to measure (RECIST 1.1, section 4.3.2).
    normal_node_mm
        A node under this short axis is normal (RECIST 1.1, section 4.3.1).

    Raises
    ------
    InvalidSettings
        If the study has no ID, or an unsigned read would be called an independent assessor's.
    """

    study_id: str
    mode: ExportMode = ExportMode.SPONSOR
    evaluator_kind: EvaluatorKind = EvaluatorKind.INVESTIGATOR
    reader_signed: bool = False
    vendor_name: str = ""
    evaluators: Mapping[str, EvaluatorTerms] = field(default_factory=lambda: MappingProxyType({}))
    confirmed_best_response: bool = False
    clinical_benefit_date: BenefitDate = BenefitDate.BEST_RESPONSE
    too_small_mm: Decimal = Decimal(5)
    normal_node_mm: Decimal = Decimal(10)

    def __post_init__(self) -> None:
        if not self.study_id.strip():
            raise InvalidSettings("the study has no ID.", where="study_id", remedy="Give STUDYID.")
        central = self.mode is ExportMode.CENTRAL_READ
        independent = any(item.kind is EvaluatorKind.INDEPENDENT_ASSESSOR for item in self.evaluators.values())
        if central and self.evaluator_kind is not EvaluatorKind.INDEPENDENT_ASSESSOR:
            raise InvalidSettings(
                "a central read is an independent assessor's.",
                where="evaluator_kind",
                remedy="Say INDEPENDENT ASSESSOR, or export as sponsor.",
            )
        if not self.reader_signed and (
            independent or central or self.evaluator_kind is EvaluatorKind.INDEPENDENT_ASSESSOR
        ):
            raise InvalidSettings(
                "no reader signed: results of software alone are no independent assessor's.",
                where="reader_signed",
                remedy="Have a reader sign them, or export as sponsor for the investigator.",
            )

    def unique_subject_id(self, subject_id: str) -> str:
        """Return USUBJID; a subject's ID that begins with the study's is unique already."""
        return subject_id if subject_id.startswith(f"{self.study_id}-") else f"{self.study_id}-{subject_id}"

    def evaluator_terms(self, name: str, *, is_only_one: bool) -> EvaluatorTerms:
        """Return --EVAL and --EVALID of an evaluator.

        Raises
        ------
        InvalidInput
            If the name is no term, has no entry, and is not the only evaluator.
        """
        if name in self.evaluators:
            return self.evaluators[name]
        term = name.strip().upper()
        if term == EvaluatorKind.INVESTIGATOR:
            return EvaluatorTerms(EvaluatorKind.INVESTIGATOR)
        if term in EVALUATOR_IDS and term and self.reader_signed:
            return EvaluatorTerms(EvaluatorKind.INDEPENDENT_ASSESSOR, term)
        if is_only_one:
            return EvaluatorTerms(self.evaluator_kind)
        raise InvalidInput(
            f"the evaluator {name!r} is one of several and is called by no term of EVAL or MEDEVAL.",
            where="evaluator",
            remedy="Name the evaluators in the study's facts (INVESTIGATOR, RADIOLOGIST 1 ...).",
        )
