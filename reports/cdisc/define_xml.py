"""Define-XML 2.1: the metadata of a folder of data sets, by odmlib."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from odmlib.define_2_1 import model as define
from odmlib.odm_parser import ODMSchemaValidator
from odmlib.oid_generator import create_oid_checker

from reports.cdisc.controlled_terminology import CODELISTS, EXTENSIBLE
from reports.cdisc.dataset import Dataset, DatasetDefinition, Variable, VariableType
from reports.cdisc.dataset_json import SOURCE_SYSTEM, FileFacts, item_oid
from reports.cdisc.derivation_methods import METHODS
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.version import SOFTWARE_VERSION

_GUIDES = {"SDTM": ("SDTMIG", "3.4"), "ADaM": ("ADaMIG", "1.3")}
_PURPOSES = {"SDTM": "Tabulation", "ADaM": "Analysis"}
_TYPES = {
    VariableType.TEXT: "text",
    VariableType.INTEGER: "integer",
    VariableType.FLOAT: "float",
    VariableType.ISO_DATE: "date",
    VariableType.DATE: "integer",
}
_NUMBER_LENGTH = 8
_GUIDE_OID = "STD.1"
_TERMINOLOGY_OID = "STD.2"


def write_define_xml(datasets: Sequence[Dataset], path: Path, facts: FileFacts, *, collected_by: str) -> None:
    """Write the metadata of data sets of one standard (SDTM or ADaM).

    Parameters
    ----------
    collected_by
        Source of collected data: ``Investigator`` or ``Vendor``.

    Raises
    ------
    InvalidInput
        If the result breaks the published schema or an OID leads nowhere.
    """
    document = _document(datasets, facts, collected_by)
    if not document.verify_oids(create_oid_checker("define_2_1")):
        raise InvalidInput("an OID of the define file leads nowhere.", where=path.name)
    document.write_xml(str(path))
    check_define_xml(path)


def check_define_xml(path: Path) -> None:
    """Check a file against the XML schema of Define-XML 2.1.

    Raises
    ------
    InvalidInput
        If it breaks the schema; the message says where.
    """
    try:
        ODMSchemaValidator(standard="define", version="2.1").validate_file(str(path))
    except Exception as error:
        raise InvalidInput(f"the file breaks the schema of Define-XML 2.1: {error}", where=path.name) from error


def _document(datasets: Sequence[Dataset], facts: FileFacts, collected_by: str) -> Any:
    standard = datasets[0].definition.standard
    document = define.ODM(
        FileType="Snapshot",
        FileOID=f"{facts.study_oid}.define.{standard}",
        CreationDateTime=facts.created_text,
        ODMVersion="1.3.2",
        Originator=facts.originator,
        SourceSystem=SOURCE_SYSTEM,
        SourceSystemVersion=SOFTWARE_VERSION,
        Context="Other",
    )
    study = define.Study(OID=facts.study_oid)
    study.GlobalVariables = define.GlobalVariables()
    study.GlobalVariables.StudyName = define.StudyName(_content=facts.study_id)
    study.GlobalVariables.StudyDescription = define.StudyDescription(_content="Tumour response evaluation")
    study.GlobalVariables.ProtocolName = define.ProtocolName(_content=facts.study_id)
    study.MetaDataVersion = _metadata(datasets, facts, standard, collected_by)
    document.Study = study
    return document


def _metadata(datasets: Sequence[Dataset], facts: FileFacts, standard: str, collected_by: str) -> Any:
    metadata = define.MetaDataVersion(
        OID=facts.metadata_oid(standard),
        Name=f"{facts.study_id} {standard}",
        Description=f"{standard} data sets of tumour response",
        DefineVersion="2.1.0",
    )
    metadata.Standards = _standards(standard, facts)
    used_methods: dict[str, Any] = {}
    used_codelists: dict[str, set[str]] = {}
    for dataset in datasets:
        definition = dataset.definition
        group = _group(definition)
        for order, variable in enumerate(definition.variables, start=1):
            group.ItemRef.append(_reference(definition, variable, order))
            metadata.ItemDef.append(_item(dataset, variable, collected_by))
            if variable.origin == "Derived":
                used_methods.setdefault(variable.name, _method(variable))
            if variable.codelist:
                used_codelists.setdefault(variable.codelist, set()).update(dataset.distinct_texts(variable.name))
        metadata.ItemGroupDef.append(group)
    metadata.CodeList = [_codelist(name, found) for name, found in used_codelists.items()]
    metadata.MethodDef = list(used_methods.values())
    return metadata


def _standards(standard: str, facts: FileFacts) -> Any:
    name, version = _GUIDES[standard]
    standards = define.Standards()
    standards.Standard.append(define.Standard(OID=_GUIDE_OID, Name=name, Type="IG", Version=version, Status="Final"))
    standards.Standard.append(
        define.Standard(
            OID=_TERMINOLOGY_OID,
            Name="CDISC/NCI",
            Type="CT",
            PublishingSet="SDTM",
            Version=facts.terminology_version,
            Status="Final",
        )
    )
    return standards


def _group(definition: DatasetDefinition) -> Any:
    group = define.ItemGroupDef(
        OID=f"IG.{definition.name}",
        Name=definition.name,
        Repeating="No" if definition.name == "ADSL" else "Yes",
        IsReferenceData="No",
        SASDatasetName=definition.name,
        Domain=definition.name.removeprefix("SUPP"),
        Purpose=_PURPOSES[definition.standard],
        Structure=definition.structure,
        ArchiveLocationID=f"LF.{definition.name}",
        StandardOID=_GUIDE_OID,
    )
    group.Description = _description(definition.label)
    group.Class = define.Class(Name=definition.dataset_class)
    group.leaf = define.leaf(ID=f"LF.{definition.name}", href=f"{definition.name.lower()}.xpt")
    group.leaf.title = define.title(_content=f"{definition.name.lower()}.xpt")
    return group


def _reference(definition: DatasetDefinition, variable: Variable, order: int) -> Any:
    attributes: dict[str, Any] = {
        "ItemOID": item_oid(definition.name, variable),
        "OrderNumber": order,
        "Mandatory": "Yes" if variable.name in ("STUDYID", "USUBJID", "DOMAIN") else "No",
    }
    if variable.name in definition.keys:
        attributes["KeySequence"] = definition.keys.index(variable.name) + 1
    if variable.origin == "Derived":
        attributes["MethodOID"] = f"MT.{variable.name}"
    return define.ItemRef(**attributes)


def _item(dataset: Dataset, variable: Variable, collected_by: str) -> Any:
    attributes: dict[str, Any] = {
        "OID": item_oid(dataset.definition.name, variable),
        "Name": variable.name,
        "SASFieldName": variable.name,
        "DataType": _TYPES[variable.type],
    }
    if variable.type is VariableType.TEXT:
        attributes["Length"] = dataset.length(variable)
    elif variable.type is not VariableType.ISO_DATE:
        attributes["Length"] = _NUMBER_LENGTH
    if variable.type is VariableType.DATE:
        attributes["DisplayFormat"] = "DATE9."
    item = define.ItemDef(**attributes)
    item.Description = _description(variable.label)
    if variable.codelist:
        item.CodeListRef = define.CodeListRef(CodeListOID=f"CL.{variable.codelist}")
    source = collected_by if variable.origin == "Collected" else "Sponsor"
    if variable.origin == "Predecessor":
        origin = define.Origin(Type="Predecessor")
        origin.Description = _description("The subject's record" if variable.name != "TRLNKID" else "TR.TRLNKID")
    else:
        origin = define.Origin(Type=variable.origin, Source=source)
    item.Origin.append(origin)
    return item


def _method(variable: Variable) -> Any:
    method = define.MethodDef(OID=f"MT.{variable.name}", Name=f"Derivation of {variable.name}", Type="Computation")
    method.Description = _description(METHODS[variable.name])
    return method


def _codelist(name: str, found: set[str]) -> Any:
    title, code, terms = CODELISTS[name]
    codelist = define.CodeList(OID=f"CL.{name}", Name=title, DataType="text", StandardOID=_TERMINOLOGY_OID)
    codelist.EnumeratedItem = [
        define.EnumeratedItem(CodedValue=term, OrderNumber=order) for order, term in enumerate(terms, start=1)
    ]
    further = sorted(found - set(terms))
    for order, term in enumerate(further, start=len(terms) + 1):
        attributes = {"ExtendedValue": "Yes"} if terms and name in EXTENSIBLE else {}
        codelist.EnumeratedItem.append(define.EnumeratedItem(CodedValue=term, OrderNumber=order, **attributes))
    codelist.Alias.append(define.Alias(Context="nci:ExtCodeID", Name=code))
    return codelist


def _description(text: str) -> Any:
    description = define.Description()
    description.TranslatedText.append(define.TranslatedText(_content=text, lang="en"))
    return description
