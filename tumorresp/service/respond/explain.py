"""`tumorresp explain`: from a table, from a folder of results, or from a running service."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.compute

from tumorresp.domain.errors import InvalidInput, Missing
from tumorresp.response.criteria import CRITERIA
from tumorresp.response.explanation import explanation
from tumorresp.response.protocol import Protocol
from tumorresp.service.respond.part import subject_outcomes
from tumorresp.service.respond.table_files import TableFile


def explain_from_table(
    table: TableFile, subject: str, time_point: str, criteria: Sequence[str], protocol: Protocol
) -> str:
    """Return the calculation of one subject of a table as Markdown.

    Raises
    ------
    Missing
        If the table has no such subject, or the subject no such time point.
    """
    names = pyarrow.compute.utf8_trim_whitespace(table.rows["subject"].cast("string"))
    own = table.rows.filter(pyarrow.compute.equal(names, subject))
    if own.num_rows == 0:
        raise Missing("the table has no such subject.", where=subject, remedy="Subjects are compared as written.")
    outcomes, loose = subject_outcomes(table.kind, own, criteria, protocol)
    texts = [explanation(outcome, time_point) for outcome in outcomes]
    remarks = [f"- {f.severity}: {f.message} ({f.where})" for _, f in loose]
    remarks += [
        f"- {f.severity}: {f.message} ({f.where})"
        for outcome in outcomes
        for f in (*outcome.course.findings, *outcome.findings)
    ]
    if remarks:
        texts.append("\n".join(["## Remarks about the table", "", *remarks, ""]))
    return "\n".join(texts)


def explain_from_folder(folder: Path, time_point: str) -> str:
    """Return the calculations of a subject that was evaluated with images, from its folder of results.

    Raises
    ------
    Missing
        If the folder holds no evaluation.
    InvalidInput
        If it cannot be read.
    """
    file = folder / "evaluation.json" if folder.is_dir() else folder
    if not file.is_file():
        raise Missing("there is no evaluation.json.", where=folder.name, remedy="Give a subject's folder of results.")
    try:
        document = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise InvalidInput(f"the file is no JSON: {error}", where=file.name) from None
    return explain_document(document, time_point)


def explain_document(document: Mapping[str, Any], time_point: str) -> str:
    """Return an evaluation with images (``evaluation_document``) as Markdown.

    Raises
    ------
    Missing
        If there is no such time point.
    """
    points = [(row["time_point"], row["date"]) for row in document["responses"]]
    chosen = [point for point in points if time_point.strip().lower() in ("", point[0].lower(), point[1])]
    if not chosen:
        known = ", ".join(f"{name} ({date})" for name, date in points)
        raise Missing("the subject has no such time point.", where=time_point, remedy=f"There are: {known}.")
    lines = [f"# Subject {document['subject']}", ""]
    for name, date in chosen:
        lines += [f"## {name}, {date}", "", *_lesion_lines(document, name), ""]
        for item in document["reasons"]:
            if item["time_point"] == name:
                lines += _argument(item)
    for item in document["reasons"]:
        if item["time_point"] == chosen[0][0]:
            pairs = ", ".join(f"{key} {value}" for key, value in item["parameters"].items())
            lines += [f"Parameters of {_title(item['criterion'])}: {pairs}.", ""]
    return "\n".join([*lines, f"tumorresp {document['software_version']}"]) + "\n"


def _lesion_lines(document: Mapping[str, Any], name: str) -> Iterator[str]:
    yield "| lesion | role | state | reader's axes, mm | mask, ml | matched by |"
    yield "|---|---|---|---:|---:|---|"
    for row in document["lesions"]:
        if row["time_point"] == name:
            axes = " × ".join(f"{row[key]:.2f}" for key in _AXES if row[key] is not None) or "–"
            volume = row["mask_volume_mm3"]
            shown = "–" if volume is None else f"{volume / 1000:.3f}"
            cells = (f"{row['lesion']} {row['organ']}", row["role"], row["state"], axes, shown, row["matched_by"])
            yield f"| {' | '.join(cells)} |"


_AXES = ("reader_long_axis_mm", "reader_short_axis_mm")


def _argument(item: Mapping[str, Any]) -> list[str]:
    verdict = "baseline" if item["overall"] == "BASELINE" else item["overall"]
    reasons = [f"{number}. {reason}" for number, reason in enumerate(item["reasons"], 1)]
    return [f"### {_title(item['criterion'])}: {verdict}", "", *reasons, ""]


def _title(name: str) -> str:
    return CRITERIA[name].title if name in CRITERIA else name
