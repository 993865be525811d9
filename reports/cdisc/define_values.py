"""Value-level metadata of Define-XML: what a result variable holds for each test or parameter."""

from collections.abc import Iterator
from typing import Any

from odmlib.define_2_1 import model as define

from reports.cdisc.dataset_json import item_oid
from reports.cdisc.dataset_summary import DatasetSummary, Values

_YES_NO = frozenset(("Y", "N"))


def value_list_oid(dataset_name: str, name: str) -> str:
    """Return the OID of the value list of a variable."""
    return f"VL.{dataset_name}.{name}"


def codelist_of(summarised: DatasetSummary, value: str, values: Values) -> str:
    """Return the codelist of a variable's values for one test or parameter; empty where they are no terms."""
    level = summarised.definition.value_level
    if level is None or not values.texts or values.data_type != "text":
        return ""
    if set(values.texts) <= _YES_NO:
        return "NY"
    return level.codelists.get(value, level.codelist)


def value_lists(summarised: DatasetSummary) -> Iterator[tuple[Any, list[Any]]]:
    """Yield for each variable its value list and the items of it."""
    definition, level = summarised.definition, summarised.definition.value_level
    if level is None:
        return
    for name in level.variables:
        listed = define.ValueListDef(OID=value_list_oid(definition.name, name))
        items = []
        known = {value: values for (variable, value), values in summarised.by_value.items() if variable == name}
        for order, (value, values) in enumerate(sorted(known.items()), start=1):
            item = _item(summarised, name, value, values)
            items.append(item)
            reference = define.ItemRef(ItemOID=item.OID, OrderNumber=order, Mandatory="No")
            clause = define.WhereClauseRef(WhereClauseOID=_clause_oid(summarised, value))
            reference.WhereClauseRef.append(clause)
            listed.ItemRef.append(reference)
        if items:
            yield listed, items


def where_clauses(summarised: DatasetSummary) -> Iterator[Any]:
    """Yield the conditions of the value lists: the test or parameter is this one."""
    definition, level = summarised.definition, summarised.definition.value_level
    if level is None:
        return
    by = next(variable for variable in definition.variables if variable.name == level.by)
    for value in sorted({value for _, value in summarised.by_value}):
        clause = define.WhereClauseDef(OID=_clause_oid(summarised, value))
        check = define.RangeCheck(Comparator="EQ", SoftHard="Soft", ItemOID=item_oid(definition.name, by))
        check.CheckValue.append(define.CheckValue(_content=value))
        clause.RangeCheck.append(check)
        yield clause


def _clause_oid(summarised: DatasetSummary, value: str) -> str:
    level = summarised.definition.value_level
    assert level is not None, "only data sets with value-level metadata have clauses"
    return f"WC.{summarised.definition.name}.{level.by}.{value}"


def _item(summarised: DatasetSummary, name: str, value: str, values: Values) -> Any:
    attributes: dict[str, Any] = {
        "OID": f"IT.{summarised.definition.name}.{name}.{value}",
        "Name": name,
        "SASFieldName": name,
        "DataType": values.data_type,
        "Length": values.length,
    }
    if values.data_type == "float":
        attributes["SignificantDigits"] = values.decimals
    item = define.ItemDef(**attributes)
    codelist = codelist_of(summarised, value, values)
    if codelist:
        item.CodeListRef = define.CodeListRef(CodeListOID=f"CL.{codelist}")
    return item
