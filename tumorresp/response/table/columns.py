"""The columns of the tables that can be read without images, and the JSON Schema made from them.

One list a table is the only truth: the reader, the schema and the documentation page are made from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from tumorresp.domain.assessment import Category, NewLesionStatus
from tumorresp.domain.measurement import LesionRole, LesionState

SCHEMA_VERSION = "1"
NO_VALUE = ("-", "–", "—", ".", "n/a", "N/A", "na", "NA")
"""Words that people write into an empty cell; in a text they may mean something."""
_YES_NO = "^(?i:true|false|yes|no|y|n|1|0)$"


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    DATE = "date"
    LENGTH = "length"
    NUMBER = "number"
    AS_REPORTED = "as-reported"
    YES_NO = "yes-no"
    CHOICE = "choice"


class Loss(StrEnum):
    """What is lost with a cell that cannot be read: the end of the sentence about it."""

    ITSELF = "this cell alone is not used"
    PLACE = "what the row says is kept; where it belongs is not known, unless the rest of the row tells"
    LESION = "the lesion is there, but not evaluable at this visit"
    QUANTITY = "the lesion has no such value at this visit, and criteria that need it are not evaluable"
    VISIT = "it is not known at this visit"
    SUBJECT = "it is taken from other rows of the subject, or else is not known"
    RESPONSE = "the visit is not evaluable"
    ROW = "the row is not used"


@dataclass(frozen=True)
class Column:
    """One column.

    Parameters
    ----------
    required
        The column must be there and no row may leave it empty.
    positive
        Of numbers: neither negative nor, where ``zero`` is False, 0.
    choices
        Accepted words; compared without regard to case, blanks and underscores count as hyphens.
    synonyms
        (other word, the choice that it means).
    loss
        What is lost where a cell cannot be read.
    """

    name: str
    kind: Kind
    description: str
    required: bool = False
    positive: bool = True
    choices: tuple[str, ...] = ()
    synonyms: tuple[tuple[str, str], ...] = ()
    loss: Loss = Loss.ITSELF


STATE_SYNONYMS = (
    ("too-small-to-measure", "too-small"),
    ("not-done", "not-evaluable"),
    ("not-assessed", "not-evaluable"),
    ("ne", "not-evaluable"),
    ("disappeared", "absent"),
    ("progressed", "unequivocal-progression"),
    ("tumor-merged", "merged"),
    ("tumour-merged", "merged"),
)

RESPONSE_SYNONYMS = (
    ("complete-response", "CR"),
    ("partial-response", "PR"),
    ("stable-disease", "SD"),
    ("progressive-disease", "PD"),
    ("progression", "PD"),
    ("not-evaluable", "NE"),
    ("inevaluable", "NE"),
    ("unevaluable", "NE"),
    ("nd", "NE"),
    ("not-done", "NE"),
    ("not-assessed", "NE"),
    ("unknown", "NE"),
    ("non-cr/non-pd", "NON-CR/NON-PD"),
    ("non-cr-non-pd", "NON-CR/NON-PD"),
    ("no-evidence-of-disease", "NED"),
    ("minor-response", "MR"),
)
"""Other words for responses; an assessment that was not done is not evaluable."""

_SUBJECT_DATES = (
    Column(
        "reference_date",
        Kind.DATE,
        "Randomisation, or first dose in a trial without: PFS and windows start here",
        loss=Loss.SUBJECT,
    ),
    Column("first_treatment_date", Kind.DATE, "First dose", loss=Loss.SUBJECT),
    Column("new_therapy_date", Kind.DATE, "Start of another anti-cancer therapy", loss=Loss.SUBJECT),
    Column("death_date", Kind.DATE, "Death", loss=Loss.SUBJECT),
    Column("last_alive_date", Kind.DATE, "Last day on which the subject was known to live", loss=Loss.SUBJECT),
    Column(
        "stated_progression_date",
        Kind.DATE,
        "Progression stated outside of the responses (adjudicated, clinical); counts where the protocol says so",
        loss=Loss.SUBJECT,
    ),
    Column("arm", Kind.TEXT, "Treatment arm"),
    Column("study_site", Kind.TEXT, "Identifier of the study site (SITEID)"),
    Column("age", Kind.NUMBER, "Age in years"),
    Column(
        "sex",
        Kind.CHOICE,
        "F, M, U (unknown) or INTERSEX",
        choices=("F", "M", "U", "INTERSEX"),
        synonyms=(("female", "F"), ("male", "M"), ("unknown", "U"), ("undifferentiated", "INTERSEX")),
    ),
    Column("race", Kind.TEXT, "In words"),
)
SUBJECT_COLUMNS = tuple(column.name for column in _SUBJECT_DATES)

LESION_COLUMNS: tuple[Column, ...] = (
    Column("subject", Kind.TEXT, "Subject identifier", required=True, loss=Loss.ROW),
    Column("date", Kind.DATE, "Date of the scan, YYYY-MM-DD", required=True, loss=Loss.PLACE),
    Column(
        "lesion",
        Kind.TEXT,
        "Lesion identifier, the same at every time point: T01, NT01, NEW01",
        required=True,
        loss=Loss.PLACE,
    ),
    Column("visit", Kind.TEXT, "Name of the time point; rows of one visit may have different dates", loss=Loss.PLACE),
    Column("evaluator", Kind.TEXT, "Who measured; each evaluator is a course of its own", loss=Loss.PLACE),
    Column(
        "role",
        Kind.CHOICE,
        "Given at least where the lesion is first seen",
        choices=tuple(r.value for r in LesionRole),
        loss=Loss.LESION,
    ),
    Column("site", Kind.TEXT, "Organ or site: lung, liver, lymph node"),
    Column("nodal", Kind.YES_NO, "Whether it is a lymph node; otherwise taken from the site", loss=Loss.LESION),
    Column("long_axis_mm", Kind.LENGTH, "Longest diameter", loss=Loss.LESION),
    Column(
        "short_axis_mm", Kind.LENGTH, "Longest diameter perpendicular to it; what counts of a node", loss=Loss.LESION
    ),
    Column(
        "third_axis_mm",
        Kind.LENGTH,
        "Extent perpendicular to both axes, for volumes of ellipsoids",
        loss=Loss.QUANTITY,
    ),
    Column("volume_mm3", Kind.NUMBER, "Volume", loss=Loss.QUANTITY),
    Column("volume_ml", Kind.NUMBER, "Volume, instead of volume_mm3", loss=Loss.QUANTITY),
    Column("viable_long_axis_mm", Kind.LENGTH, "Longest diameter of the enhancing part (mRECIST)", loss=Loss.LESION),
    Column(
        "mean_density_hu",
        Kind.NUMBER,
        "Mean CT number in the portal venous phase (Choi)",
        positive=False,
        loss=Loss.QUANTITY,
    ),
    Column(
        "unit",
        Kind.CHOICE,
        "Of the lengths of this row; mm when left out",
        choices=("mm", "cm"),
        loss=Loss.LESION,
    ),
    Column(
        "state",
        Kind.CHOICE,
        "What the reader says; measured when a size is given",
        choices=tuple(s.value for s in LesionState),
        synonyms=STATE_SYNONYMS,
        loss=Loss.LESION,
    ),
    Column("parents", Kind.TEXT, "Lesions that it came from by splitting or merging, separated by semicolons"),
    Column("irradiated", Kind.YES_NO, "Treated locally before baseline"),
    Column("method", Kind.CHOICE, "How it was measured", choices=("CT", "MRI", "X-RAY", "CALIPER")),
    Column("slice_thickness_mm", Kind.NUMBER, "Of the images"),
    Column(
        "markers_elevated", Kind.YES_NO, "Tumour markers above the upper limit of normal at this visit", loss=Loss.VISIT
    ),
    Column("clinically_stable", Kind.YES_NO, "Whether treatment could go on at this visit (iRECIST)", loss=Loss.VISIT),
    Column("label", Kind.TEXT, "Any words"),
    *_SUBJECT_DATES,
)

RESPONSE_COLUMNS: tuple[Column, ...] = (
    Column("subject", Kind.TEXT, "Subject identifier", required=True, loss=Loss.ROW),
    Column("date", Kind.DATE, "Date of the time point, YYYY-MM-DD", required=True, loss=Loss.PLACE),
    Column(
        "response",
        Kind.CHOICE,
        "Overall response of the time point",
        required=True,
        choices=tuple(c.value for c in Category if c not in (Category.NOT_APPLICABLE, Category.MISSING)),
        synonyms=RESPONSE_SYNONYMS,
        loss=Loss.RESPONSE,
    ),
    Column("evaluator", Kind.TEXT, "Who assessed; each evaluator is a course of its own", loss=Loss.PLACE),
    Column("visit", Kind.TEXT, "Name of the time point", loss=Loss.PLACE),
    Column("progression_date", Kind.DATE, "Earliest scan that shows the progression, where it is not the date"),
    *_SUBJECT_DATES,
)

_COMPONENT = tuple(
    c.value for c in (Category.CR, Category.PR, Category.SD, Category.NON_CR_NON_PD, Category.PD, Category.NE)
)
_OVERALL = (*_COMPONENT, Category.NED.value)


def _spelt_out(choices: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((word, choice) for word, choice in RESPONSE_SYNONYMS if choice in choices)


REPORTED_COLUMNS: tuple[Column, ...] = (
    Column("subject", Kind.TEXT, "Subject identifier, as in the lesion table", required=True, loss=Loss.ROW),
    Column("date", Kind.DATE, "Date of the time point; may be left out where the visit is given"),
    Column("visit", Kind.TEXT, "Name of the time point, as in the lesion table"),
    Column("evaluator", Kind.TEXT, "Who reported, as in the lesion table"),
    Column("sum_mm", Kind.AS_REPORTED, "Sum of diameters, with the decimals that it was reported with"),
    Column("change_from_baseline_percent", Kind.AS_REPORTED, "Of the sum", positive=False),
    Column("change_from_nadir_percent", Kind.AS_REPORTED, "Of the sum", positive=False),
    Column("change_from_nadir_mm", Kind.AS_REPORTED, "Of the sum", positive=False),
    Column("target", Kind.CHOICE, "Target response", choices=_COMPONENT, synonyms=_spelt_out(_COMPONENT)),
    Column("non_target", Kind.CHOICE, "Non-target response", choices=_COMPONENT, synonyms=_spelt_out(_COMPONENT)),
    Column("new_lesions", Kind.CHOICE, "New lesions", choices=tuple(status.value for status in NewLesionStatus)),
    Column("overall", Kind.CHOICE, "Overall response", choices=_OVERALL, synonyms=_spelt_out(_OVERALL)),
    Column(
        "best_response",
        Kind.CHOICE,
        "Best overall response; in any one row of the subject",
        choices=_OVERALL,
        synonyms=_spelt_out(_OVERALL),
    ),
    Column("best_confirmed", Kind.YES_NO, "Whether it was reported as confirmed; empty: not said"),
    Column("progression_date", Kind.DATE, "Date of the first progression; in any one row of the subject"),
)

TABLES: Mapping[str, tuple[Column, ...]] = MappingProxyType(
    {"lesions": LESION_COLUMNS, "responses": RESPONSE_COLUMNS, "reported": REPORTED_COLUMNS}
)


def json_schema(table: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a table as a list of rows: ``lesions``, ``responses`` or ``reported``."""
    columns = TABLES[table]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:tumorresp:{table}-{SCHEMA_VERSION}",
        "title": f"tumorresp {table} table, version {SCHEMA_VERSION}",
        "type": "array",
        "items": {
            "type": "object",
            "required": [column.name for column in columns if column.required],
            "properties": {column.name: _property(column) for column in columns},
            "additionalProperties": False,
        },
    }


def _property(column: Column) -> dict[str, Any]:
    described: dict[str, Any] = {"description": column.description}
    empty: list[dict[str, Any]] = [] if column.required else [{"type": "null"}, {"const": ""}]
    if empty and column.kind is not Kind.TEXT:
        empty.append({"enum": list(NO_VALUE)})
    return described | {"anyOf": [_value(column), *empty]}


def _value(column: Column) -> dict[str, Any]:
    if column.kind is Kind.DATE:
        return {"type": "string", "pattern": r"^\d{4}(-\d{2}(-\d{2})?)?$"}
    if column.kind is Kind.CHOICE:
        return {"type": "string", "pattern": _choice_pattern(column)}
    if column.kind is Kind.YES_NO:
        return {"anyOf": [{"type": "boolean"}, {"enum": [0, 1]}, {"type": "string", "pattern": _YES_NO}]}
    if column.kind in (Kind.LENGTH, Kind.NUMBER, Kind.AS_REPORTED):
        text = {"type": "string", "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*$" if column.positive else r"^\s*-?[0-9.]+\s*$"}
        return {"anyOf": [{"type": "number", **({"minimum": 0} if column.positive else {})}, text]}
    return {"anyOf": [{"type": "string", "pattern": r"\S"}, {"type": "number"}]}


def _choice_pattern(column: Column) -> str:
    words = "|".join([*column.choices, *(word for word, _ in column.synonyms)]).replace("-", "[-_ ]")
    return f"^(?i:{words})$"
