"""A table cut into parts of whole subjects, so that parts can be evaluated side by side and forgotten."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute

SUBJECTS = 100
"""Subjects a part: some MB in memory, and much longer work than its transfer."""


def subject_chunks(rows: pa.Table, subjects: int = SUBJECTS) -> Iterator[pa.Table]:
    """Give parts with all rows of so many subjects each, in the order of their first rows; rows keep their order."""
    if rows.num_rows == 0:
        return
    names = rows["subject"].cast(pa.string()).combine_chunks()
    trimmed = pyarrow.compute.utf8_trim_whitespace(pyarrow.compute.fill_null(names, ""))
    codes = trimmed.dictionary_encode().indices.to_numpy(zero_copy_only=False)
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(0, codes.max() + 1, subjects))
    for start, end in zip(starts, [*starts[1:], len(order)], strict=True):
        yield rows.take(pa.array(order[start:end])).combine_chunks()
