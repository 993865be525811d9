"""A folder of CDISC data sets from evaluated subjects: SDTM and ADaM, each with its Define-XML."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from reports.cdisc.adrs import ADRS, response_analysis
from reports.cdisc.adsl import ADSL, subject_level
from reports.cdisc.adtr import ADTR, tumor_analysis
from reports.cdisc.adtte import ADTTE, time_to_event
from reports.cdisc.dataset import Dataset, DatasetDefinition, Row
from reports.cdisc.dataset_json import FileFacts, write_dataset_json, write_dataset_ndjson
from reports.cdisc.dataset_summary import DatasetSummary, summary
from reports.cdisc.define_xml import write_define_xml
from reports.cdisc.disease_response import RS, disease_response
from reports.cdisc.related_records import RELREC, related_records
from reports.cdisc.study_facts import ExportMode, StudyFacts
from reports.cdisc.subject_records import SubjectRecords, subject_records, visit_plan
from reports.cdisc.tumor_identification import SUPPTU, TU, supplemental_identification, tumor_identification
from reports.cdisc.tumor_results import TR, tumor_results
from reports.cdisc.xpt import write_xpt
from tumorresp.domain.finding import Finding
from tumorresp.response.outcome import SubjectOutcome

Built = Mapping[str, Sequence[Row]]
"""Records of one subject by data set."""
Builder = Callable[[SubjectRecords, StudyFacts, Built], Sequence[Row]]

BUILDERS: tuple[tuple[tuple[DatasetDefinition, Builder], ...], ...] = (
    ((TU, lambda subject, facts, _: tumor_identification(subject, facts)),),
    ((SUPPTU, lambda subject, facts, _: supplemental_identification(subject, facts)),),
    ((TR, lambda subject, facts, _: tumor_results(subject, facts)),),
    ((ADSL, lambda subject, facts, _: subject_level(subject, facts)),),
    ((ADTR, lambda subject, facts, _: tumor_analysis(subject, facts)),),
    (
        (RS, lambda subject, facts, _: disease_response(subject, facts)),
        (ADRS, lambda subject, facts, built: response_analysis(subject, facts, built[RS.name])),
        (ADTTE, lambda subject, facts, built: time_to_event(subject, facts, built[ADRS.name])),
    ),
)
"""Data sets that are built together, each subject's from the records of those before it."""
DEFINITIONS: tuple[DatasetDefinition, ...] = (*(item for group in BUILDERS for item, _ in group), RELREC)


class FileFormat(StrEnum):
    """Formats of a data set's file."""

    XPT = "xpt"
    JSON = "json"
    NDJSON = "ndjson"


@dataclass(frozen=True)
class ExportResult:
    """What an export wrote, and which texts it had to change."""

    files: tuple[Path, ...]
    findings: tuple[Finding, ...]


def write_cdisc(
    outcomes: Sequence[SubjectOutcome],
    facts: StudyFacts,
    folder: Path,
    file_facts: FileFacts,
    formats: Sequence[FileFormat] = (FileFormat.XPT, FileFormat.JSON),
) -> ExportResult:
    """Write ``folder/sdtm`` and ``folder/adam``: one file a data set and format, and ``define.xml`` in each.

    Data sets without records are not written. Those that are built together are in memory together.

    Raises
    ------
    InvalidInput
        If an evaluator cannot be named, records have the same key, or a text does not fit a transport file.
    """
    files: list[Path] = []
    findings: list[Finding] = []
    written: dict[str, list[DatasetSummary]] = {"sdtm": [], "adam": []}
    for dataset in cdisc_datasets(outcomes, facts):
        standard = dataset.definition.standard.lower()
        files += _write(dataset, folder / standard, file_facts, formats)
        findings += dataset.findings
        written[standard].append(summary(dataset))
    collected_by = "Vendor" if facts.mode is ExportMode.CENTRAL_READ else "Investigator"
    for standard, datasets in written.items():
        if datasets:
            path = folder / standard / "define.xml"
            write_define_xml(datasets, path, file_facts, collected_by=collected_by)
            files.append(path)
    return ExportResult(tuple(files), tuple(findings))


def cdisc_datasets(outcomes: Sequence[SubjectOutcome], facts: StudyFacts) -> Iterator[Dataset]:
    """Yield every data set that has records, each built when it is asked for."""
    domains: set[str] = set()
    plan = visit_plan(outcomes, facts)
    for group in BUILDERS:
        built = [Dataset(definition) for definition, _ in group]
        for subject in subject_records(outcomes, facts, plan):
            rows: dict[str, Sequence[Row]] = {}
            for dataset, (definition, build) in zip(built, group, strict=True):
                rows[definition.name] = build(subject, facts, rows)
                dataset.add_subject(rows[definition.name])
        for dataset in built:
            if dataset.records:
                domains.add(dataset.definition.name)
                yield dataset
            if dataset.definition is RS and "TU" in domains:
                related = Dataset(RELREC)
                related.add_subject(related_records(facts, domains))
                yield related


def _write(dataset: Dataset, folder: Path, file_facts: FileFacts, formats: Sequence[FileFormat]) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for file_format in dict.fromkeys(formats):
        path = folder / f"{dataset.definition.name.lower()}.{file_format}"
        if file_format is FileFormat.XPT:
            write_xpt(dataset, path)
        elif file_format is FileFormat.JSON:
            write_dataset_json(dataset, path, file_facts)
        else:
            write_dataset_ndjson(dataset, path, file_facts)
        yield path
