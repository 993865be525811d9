"""Records in, result tables as records out: what the REST API and callers from Python use."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from reports.outcome_tables import FINDINGS, OUTCOME_TABLES, finding_cells
from tumorresp.domain.errors import InvalidInput, InvalidSettings
from tumorresp.response.criteria import criterion_named
from tumorresp.response.protocol import protocol_document, protocol_from
from tumorresp.service.respond.part import PartJob, evaluate_part
from tumorresp.service.respond.table_files import table_of_records, whole_table


def respond_records(
    rows: Sequence[Mapping[str, Any]], criteria: Sequence[str], protocol: Mapping[str, Any]
) -> dict[str, Any]:
    """Evaluate the rows of a lesion or response table.

    Parameters
    ----------
    rows
        Objects with the columns of the table; findings count them from 1.
    criteria
        Names; without effect on reported responses.
    protocol
        What differs from the published defaults, as in a protocol file.

    Returns
    -------
    dict
        A list of records by table name, and ``protocol`` with every parameter written out.

    Raises
    ------
    InvalidInput
        If there is no row, a column is missing or unknown, or a criterion is, or the protocol is not understood.
    """
    if not rows:
        raise InvalidInput("there is no row.", where="rows", remedy="Give a list of objects.")
    chosen = tuple(criterion_named(name).name for name in criteria)
    kind, table, noticed = whole_table(table_of_records([dict(row) for row in rows]), "rows")
    try:
        document = protocol_document(protocol_from(protocol))
    except InvalidSettings as error:
        raise InvalidInput(error.message, where=f"protocol: {error.where}", remedy=error.remedy) from error
    result = evaluate_part(PartJob(kind, table, chosen, document), OUTCOME_TABLES)
    result.tables[FINDINGS.name][:0] = [("", "", "", "", *finding_cells(finding)) for finding in noticed]
    made: dict[str, Any] = {
        shown.name: [
            {column.name: _plain(value) for column, value in zip(shown.columns, row, strict=True)}
            for row in result.tables[shown.name]
        ]
        for shown in OUTCOME_TABLES
    }
    return made | {"protocol": document}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime.date) else value
