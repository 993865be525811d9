"""Codelists of Define-XML: the terms with their NCI codes, the parameter codes with what they mean."""

from collections.abc import Mapping
from typing import Any

from odmlib.define_2_1 import model as define

from reports.cdisc.controlled_terminology import CODELISTS, EXTENSIBLE
from reports.cdisc.terminology_codes import DECODES, TERM_CODES

_CONTEXT = "nci:ExtCodeID"


def controlled_codelist(name: str, found: set[str], terminology_oid: str) -> Any:
    """Return a codelist of the controlled terminology: its terms that the exports know, and what else was found."""
    title, code, terms = CODELISTS[name]
    codelist = define.CodeList(OID=f"CL.{name}", Name=title, DataType="text", StandardOID=terminology_oid)
    codes, decodes = TERM_CODES.get(name, {}), DECODES.get(name, {})
    for order, term in enumerate((*terms, *sorted(found - set(terms))), start=1):
        attributes: dict[str, Any] = {"CodedValue": term, "OrderNumber": order}
        if terms and name in EXTENSIBLE and term not in terms:
            attributes["ExtendedValue"] = "Yes"
        item = _item(attributes, decodes.get(term, "") if decodes else None)
        if term in codes:
            item.Alias.append(define.Alias(Context=_CONTEXT, Name=codes[term]))
        (codelist.CodeListItem if decodes else codelist.EnumeratedItem).append(item)
    codelist.Alias.append(define.Alias(Context=_CONTEXT, Name=code))
    return codelist


def parameter_codelist(dataset_name: str, decodes: Mapping[str, str]) -> Any:
    """Return the codes of the parameters of an analysis data set, which are the study's own."""
    codelist = define.CodeList(
        OID=parameter_codelist_oid(dataset_name),
        Name=f"Parameter Code of {dataset_name}",
        DataType="text",
        IsNonStandard="Yes",
    )
    for order, (code, words) in enumerate(sorted(decodes.items()), start=1):
        codelist.CodeListItem.append(_item({"CodedValue": code, "OrderNumber": order}, words))
    return codelist


def parameter_codelist_oid(dataset_name: str) -> str:
    """Return the OID of ``parameter_codelist``."""
    return f"CL.{dataset_name}.PARAMCD"


def _item(attributes: Mapping[str, Any], decode: str | None) -> Any:
    if decode is None:
        return define.EnumeratedItem(**attributes)
    item = define.CodeListItem(**attributes)
    item.Decode = define.Decode()
    item.Decode.TranslatedText.append(define.TranslatedText(_content=decode, lang="en"))
    return item
