"""Dataset-JSON 1.1 (CDISC, 2024): one document, or newline-delimited with the metadata in the first line."""

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema

from reports.cdisc.dataset import Dataset, Variable, VariableType
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.version import SOFTWARE_VERSION

VERSION = "1.1.0"
SOURCE_SYSTEM = "tumorresp"
_TYPES: Mapping[VariableType, dict[str, str]] = {
    VariableType.TEXT: {"dataType": "string"},
    VariableType.ISO_DATE: {"dataType": "date"},
    VariableType.INTEGER: {"dataType": "integer"},
    VariableType.FLOAT: {"dataType": "float"},
    VariableType.DATE: {"dataType": "date", "targetDataType": "integer", "displayFormat": "E8601DA."},
}
_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "date": (str,),
    "integer": (int,),
    "float": (int, float),
}


@dataclass(frozen=True)
class FileFacts:
    """What a Dataset-JSON or Define-XML file says of itself.

    Parameters
    ----------
    created
        Aware; when the files were written.
    originator
        The organisation that wrote them.
    terminology_version
        Publication date of the controlled terminology that Define-XML names.
    """

    study_id: str
    created: datetime.datetime
    originator: str = "tumorresp"
    terminology_version: str = "2024-09-27"

    @property
    def created_text(self) -> str:
        """``created`` in UTC, to the second."""
        return self.created.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def study_oid(self) -> str:
        """Of the study, in Define-XML as well."""
        return f"ST.{self.study_id}"

    def metadata_oid(self, standard: str) -> str:
        """OID of the Define-XML's metadata version of SDTM or ADaM."""
        return f"MDV.{self.study_id}.{standard}"


def item_oid(dataset_name: str, variable: Variable) -> str:
    """Return the OID of a variable, in Define-XML as well."""
    return f"IT.{dataset_name}.{variable.name}"


def write_dataset_json(dataset: Dataset, path: Path, facts: FileFacts) -> None:
    """Write a data set as one JSON document."""
    head = json.dumps(_metadata(dataset, facts), indent=1)
    encode = _encoder()
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.write(head.removesuffix("\n}") + ',\n "rows": [')
        separator = "\n"
        for row in dataset.rows():
            file.write(separator + encode(row))
            separator = ",\n"
        file.write("\n ]\n}\n")


def write_dataset_ndjson(dataset: Dataset, path: Path, facts: FileFacts) -> None:
    """Write a data set as newline-delimited JSON: the metadata, then one record a line."""
    encode = _encoder()
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.write(json.dumps(_metadata(dataset, facts)) + "\n")
        file.writelines(encode(row) + "\n" for row in dataset.rows())


def check_dataset_json(document: Mapping[str, Any]) -> None:
    """Check a document against the schema, and against the rules that a schema cannot say.

    Raises
    ------
    InvalidInput
        If the schema is broken, a record has other than one value a column, ``records`` is not their number, a value is
        not of its column's type or longer than its length, or the key sequence has gaps.
    """
    try:
        jsonschema.validate(document, _schema(), format_checker=jsonschema.FormatChecker())
    except jsonschema.ValidationError as error:
        raise InvalidInput(error.message, where=error.json_path) from error
    name = str(document["name"])
    columns = document["columns"]
    rows = document.get("rows", [])
    if len(rows) != document["records"]:
        raise InvalidInput(f"records says {document['records']}, but there are {len(rows)}.", where=name)
    keys = sorted(column["keySequence"] for column in columns if "keySequence" in column)
    if keys != list(range(1, len(keys) + 1)):
        raise InvalidInput(f"the key sequence {keys} does not count from 1.", where=name)
    for number, row in enumerate(rows, start=1):
        if len(row) != len(columns):
            raise InvalidInput(f"{len(row)} values for {len(columns)} columns.", where=f"{name}, row {number}")
        for value, column in zip(row, columns, strict=True):
            _check_value(value, column, f"{name}, row {number}, {column['name']}")


def _check_value(value: object, column: Mapping[str, Any], where: str) -> None:
    if value is None:
        return
    kind = column["dataType"]
    if isinstance(value, bool) or not isinstance(value, _PYTHON_TYPES[kind]):
        raise InvalidInput(f"{value!r} is no {kind}.", where=where)
    if kind == "date":
        try:
            datetime.date.fromisoformat(str(value))
        except ValueError:
            raise InvalidInput(f"{value!r} is no complete date.", where=where) from None
    if isinstance(value, str) and len(value) > column.get("length", len(value)):
        raise InvalidInput(f"{value!r} is longer than {column['length']}.", where=where)


def _metadata(dataset: Dataset, facts: FileFacts) -> dict[str, Any]:
    definition = dataset.definition
    standard = definition.standard
    return {
        "datasetJSONCreationDateTime": facts.created_text,
        "datasetJSONVersion": VERSION,
        "fileOID": f"{facts.study_oid}.{definition.name}.{facts.created_text}",
        "dbLastModifiedDateTime": facts.created_text,
        "originator": facts.originator,
        "sourceSystem": {"name": SOURCE_SYSTEM, "version": SOFTWARE_VERSION},
        "studyOID": facts.study_oid,
        "metaDataVersionOID": facts.metadata_oid(standard),
        "metaDataRef": "define.xml",
        "itemGroupOID": f"IG.{definition.name}",
        "records": dataset.records,
        "name": definition.name,
        "label": definition.label,
        "columns": [_column(dataset, variable) for variable in definition.variables],
    }


def _column(dataset: Dataset, variable: Variable) -> dict[str, Any]:
    definition = dataset.definition
    column: dict[str, Any] = {
        "itemOID": item_oid(definition.name, variable),
        "name": variable.name,
        "label": variable.label,
        **_TYPES[variable.type],
    }
    if variable.type is VariableType.TEXT:
        column["length"] = dataset.length(variable)
    if variable.name in definition.keys:
        column["keySequence"] = definition.keys.index(variable.name) + 1
    return column


def _encoder() -> Any:
    return json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=datetime.date.isoformat).encode


@cache
def _schema() -> dict[str, Any]:
    text = resources.files("reports.cdisc").joinpath("dataset_json_schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
