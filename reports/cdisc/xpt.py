"""SAS V5 transport files (XPT), by ReadStat."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat

from reports.cdisc.dataset import Dataset, VariableType

_VERSION = 5  # ReadStat's own default, 8, is read by few


def write_xpt(dataset: Dataset, path: Path) -> None:
    """Write a data set as a version 5 transport file.

    Texts have the length of their variable's longest value; missing texts are blank, missing numbers SAS's ``.``;
    dates of ADaM are numbers with the format DATE9.
    """
    definition = dataset.definition
    columns = {}
    for variable in definition.variables:
        name = variable.name
        if variable.type.is_text:
            texts, codes = dataset.text_column(name)
            columns[name] = pd.Series(np.array(texts, dtype=object)[np.frombuffer(codes, dtype=np.intc)], dtype=object)
        else:
            columns[name] = pd.Series(np.frombuffer(dataset.number_column(name), dtype=float))
    pyreadstat.write_xport(
        pd.DataFrame(columns, copy=False),
        str(path),
        file_label=definition.label,
        column_labels=[variable.label for variable in definition.variables],
        table_name=definition.name,
        file_format_version=_VERSION,
        variable_format={item.name: "DATE9." for item in definition.variables if item.type is VariableType.DATE},
    )
