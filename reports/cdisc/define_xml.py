"""Define-XML 2.1: the metadata of a folder of data sets, by odmlib."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from odmlib.define_2_1 import model as define
from odmlib.odm_parser import ODMSchemaValidator
from odmlib.oid_generator import create_oid_checker

from reports.cdisc.dataset import DatasetDefinition, Variable, VariableType
from reports.cdisc.dataset_json import SOURCE_SYSTEM, FileFacts, item_oid
from reports.cdisc.dataset_summary import DatasetSummary
from reports.cdisc.define_codelists import controlled_codelist, parameter_codelist, parameter_codelist_oid
from reports.cdisc.define_values import codelist_of, value_list_oid, value_lists, where_clauses
from reports.cdisc.derivation_methods import METHODS
from reports.cdisc.terminology_codes import REQUIRED
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.version import SOFTWARE_VERSION

_GUIDES = {"SDTM": ("SDTMIG", "3.4"), "ADaM": ("ADaMIG", "1.3")}
_PURPOSES = {"SDTM": "Tabulation", "ADaM": "Analysis"}
_PARAMETER = "PARAMCD"
_GUIDE_OID = "STD.1"
_TERMINOLOGY_OID = "STD.2"


def write_define_xml(datasets: Sequence[DatasetSummary], path: Path, facts: FileFacts, *, collected_by: str) -> None:
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


def _document(datasets: Sequence[DatasetSummary], facts: FileFacts, collected_by: str) -> Any:
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


def _metadata(datasets: Sequence[DatasetSummary], facts: FileFacts, standard: str, collected_by: str) -> Any:
    metadata = define.MetaDataVersion(
        OID=facts.metadata_oid(standard),
        Name=f"{facts.study_id} {standard}",
        Description=f"{standard} data sets of tumour response",
        DefineVersion="2.1.0",
    )
    metadata.Standards = _standards(standard, facts)
    methods: dict[str, Any] = {}
    codelists: dict[str, set[str]] = {}
    for dataset in datasets:
        definition = dataset.definition
        group = _group(definition)
        for order, variable in enumerate(definition.variables, start=1):
            group.ItemRef.append(_reference(dataset, variable, order))
            metadata.ItemDef.append(_item(dataset, variable, collected_by))
            if variable.origin == "Derived":
                methods.setdefault(variable.name, _method(variable))
            if variable.codelist:
                codelists.setdefault(variable.codelist, set()).update(dataset.values[variable.name].texts)
        metadata.ItemGroupDef.append(group)
        for listed, items in value_lists(dataset):
            metadata.ValueListDef.append(listed)
            metadata.ItemDef += items
        metadata.WhereClauseDef += where_clauses(dataset)
        for (_, value), values in dataset.by_value.items():
            name = codelist_of(dataset, value, values)
            if name:
                codelists.setdefault(name, set()).update(values.texts)
        if _has_parameters(definition):
            metadata.CodeList.append(parameter_codelist(definition.name, dataset.decodes))
    metadata.CodeList += [controlled_codelist(name, found, _TERMINOLOGY_OID) for name, found in codelists.items()]
    metadata.MethodDef = list(methods.values())
    return metadata


def _has_parameters(definition: DatasetDefinition) -> bool:
    return definition.value_level is not None and definition.value_level.by == _PARAMETER


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


def _reference(dataset: DatasetSummary, variable: Variable, order: int) -> Any:
    """Return how a data set uses a variable; mandatory is what the standard requires and every record has."""
    definition = dataset.definition
    required = variable.name in REQUIRED[definition.name] and dataset.values[variable.name].is_complete
    attributes: dict[str, Any] = {
        "ItemOID": item_oid(definition.name, variable),
        "OrderNumber": order,
        "Mandatory": "Yes" if required else "No",
    }
    if variable.name in definition.keys:
        attributes["KeySequence"] = definition.keys.index(variable.name) + 1
    if variable.origin == "Derived":
        attributes["MethodOID"] = f"MT.{variable.name}"
    return define.ItemRef(**attributes)


def _item(dataset: DatasetSummary, variable: Variable, collected_by: str) -> Any:
    definition, values = dataset.definition, dataset.values[variable.name]
    attributes: dict[str, Any] = {
        "OID": item_oid(definition.name, variable),
        "Name": variable.name,
        "SASFieldName": variable.name,
        "DataType": values.data_type,
    }
    if variable.type is not VariableType.ISO_DATE:
        attributes["Length"] = values.length
    if variable.type is VariableType.FLOAT:
        attributes["SignificantDigits"] = values.decimals
    if variable.type is VariableType.DATE:
        attributes["DisplayFormat"] = "DATE9."
    item = define.ItemDef(**attributes)
    item.Description = _description(variable.label)
    if variable.name == _PARAMETER and _has_parameters(definition):
        item.CodeListRef = define.CodeListRef(CodeListOID=parameter_codelist_oid(definition.name))
    if any(name == variable.name for name, _ in dataset.by_value):
        item.ValueListRef = define.ValueListRef(ValueListOID=value_list_oid(definition.name, variable.name))
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


def _description(text: str) -> Any:
    description = define.Description()
    description.TranslatedText.append(define.TranslatedText(_content=text, lang="en"))
    return description
