"""SDTM TU and SUPPTU: one record for each lesion that an evaluator identified, split or merged (SDTMIG 3.4, TU)."""

from collections.abc import Iterator

from reports.cdisc.controlled_terminology import ROLE_TERMS, TU_TESTS, laterality_term, location_term, method_term
from reports.cdisc.dataset import DatasetDefinition, Row, Value, ValueLevel, Variable, VariableType
from reports.cdisc.exposure import epoch, flag_last_before_exposure
from reports.cdisc.study_facts import ExportMode, StudyFacts
from reports.cdisc.subject_records import Reading, SubjectRecords, study_day
from tumorresp.response.observation import LesionObservation

TU = DatasetDefinition(
    "TU",
    "Tumor/Lesion Identification",
    "SDTM",
    "FINDINGS",
    "One record per identified lesion per assessor",
    (
        Variable("STUDYID", "Study Identifier", origin="Protocol"),
        Variable("DOMAIN", "Domain Abbreviation"),
        Variable("USUBJID", "Unique Subject Identifier"),
        Variable("TUSEQ", "Sequence Number", VariableType.INTEGER),
        Variable("TUGRPID", "Group ID"),
        Variable("TUSPID", "Sponsor-Defined Identifier", origin="Collected"),
        Variable("TULNKID", "Link ID"),
        Variable("TUTESTCD", "Tumor/Lesion ID Short Name", codelist="TUTESTCD"),
        Variable("TUTEST", "Tumor/Lesion ID Test Name", codelist="TUTEST"),
        Variable("TUORRES", "Tumor/Lesion ID Result", origin="Collected"),
        Variable("TUSTRESC", "Tumor/Lesion ID Result Std. Format", codelist="TUIDRS"),
        Variable("TUNAM", "Laboratory/Vendor Name", free_text=True),
        Variable("TULOC", "Location of the Tumor/Lesion", origin="Collected", codelist="LOC", free_text=True),
        Variable("TULAT", "Laterality", origin="Collected", codelist="LAT"),
        Variable("TUMETHOD", "Method of Identification", origin="Collected", codelist="METHOD", free_text=True),
        Variable("TULOBXFL", "Last Observation Before Exposure Flag", origin="Derived", codelist="NY"),
        Variable("TUEVAL", "Evaluator", codelist="EVAL"),
        Variable("TUEVALID", "Evaluator Identifier", codelist="MEDEVAL"),
        Variable("VISITNUM", "Visit Number", VariableType.FLOAT),
        Variable("VISIT", "Visit Name", origin="Collected", free_text=True),
        Variable("EPOCH", "Epoch", origin="Derived", codelist="EPOCH"),
        Variable("TUDTC", "Date/Time of Tumor/Lesion Identification", VariableType.ISO_DATE, "Collected"),
        Variable("TUDY", "Study Day of Tumor/Lesion Identification", VariableType.INTEGER, "Derived"),
    ),
    ("STUDYID", "USUBJID", "TUEVAL", "TUEVALID", "TULNKID", "TUTESTCD", "VISITNUM"),
)

SUPPTU = DatasetDefinition(
    "SUPPTU",
    "Supplemental Qualifiers for TU",
    "SDTM",
    "RELATIONSHIP",
    "One record per supplemental qualifier per lesion",
    (
        Variable("STUDYID", "Study Identifier", origin="Protocol"),
        Variable("RDOMAIN", "Related Domain Abbreviation"),
        Variable("USUBJID", "Unique Subject Identifier"),
        Variable("IDVAR", "Identifying Variable"),
        Variable("IDVARVAL", "Identifying Variable Value"),
        Variable("QNAM", "Qualifier Variable Name"),
        Variable("QLABEL", "Qualifier Variable Label"),
        Variable("QVAL", "Data Value", origin="Collected"),
        Variable("QORIG", "Origin"),
    ),
    ("STUDYID", "RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM"),
    ValueLevel("QNAM", "QLABEL", ("QVAL",)),
)


def tumor_identification(subject: SubjectRecords, facts: StudyFacts) -> list[Row]:
    """Return the records of TU of one subject."""
    rows: list[dict[str, Value]] = []
    for reading in subject.readings:
        own = [row for row, _ in _identified(subject, reading, facts)]
        flag_last_before_exposure(own, "TU", subject.dates.first_treatment, ("TULNKID", "TUTESTCD"))
        rows += sorted(own, key=lambda row: (str(row["TULNKID"]), str(row["TUTESTCD"])))
    for number, row in enumerate(rows, start=1):
        row["TUSEQ"] = number
    return list(rows)


def supplemental_identification(subject: SubjectRecords, facts: StudyFacts) -> list[Row]:
    """Return the records of SUPPTU of one subject: lesions that were irradiated before the baseline."""
    irradiated = {
        (row["TUEVAL"], row["TUEVALID"], row["TULNKID"])
        for reading in subject.readings
        for row, lesion in _identified(subject, reading, facts)
        if lesion.irradiated
    }
    return [
        {
            "STUDYID": facts.study_id,
            "RDOMAIN": "TU",
            "USUBJID": subject.usubjid,
            "IDVAR": "TUSEQ",
            "IDVARVAL": str(row["TUSEQ"]),
            "QNAM": "TUPREISP",
            "QLABEL": "Previously Irradiated Site",
            "QVAL": "Y",
            "QORIG": "CRF",
        }
        for row in tumor_identification(subject, facts)
        if (row["TUEVAL"], row["TUEVALID"], row["TULNKID"]) in irradiated
    ]


def _identified(
    subject: SubjectRecords, reading: Reading, facts: StudyFacts
) -> Iterator[tuple[dict[str, Value], LesionObservation]]:
    seen: set[str] = set()
    for scan in reading.scans:
        for lesion in scan.visit.observations:
            if lesion.lesion_id in seen:
                continue
            seen.add(lesion.lesion_id)
            date = lesion.date or scan.visit.date
            yield (
                {
                    "STUDYID": facts.study_id,
                    "DOMAIN": "TU",
                    "USUBJID": subject.usubjid,
                    **_what(reading, lesion),
                    "TUNAM": facts.vendor_name if facts.mode is ExportMode.CENTRAL_READ else "",
                    "TULOC": location_term(lesion.organ, nodal=lesion.nodal),
                    "TULAT": laterality_term(lesion.organ),
                    "TUMETHOD": method_term(lesion.method),
                    "TUEVAL": reading.terms.kind.value,
                    "TUEVALID": reading.terms.evaluator_id,
                    "VISITNUM": scan.numbered.number,
                    "VISIT": scan.numbered.title.upper(),
                    "EPOCH": epoch(date, subject.dates),
                    "TUDTC": date.isoformat(),
                    "TUDY": study_day(date, subject.first_day),
                },
                lesion,
            )


def _what(reading: Reading, lesion: LesionObservation) -> dict[str, Value]:
    test = ("TUMIDENT", "TUSPLIT", "TUMERGE")[min(len(lesion.parents), 2)]
    role = ROLE_TERMS[lesion.role]
    return {
        "TUGRPID": reading.link_prefix + "/".join(lesion.parents) if lesion.parents else "",
        "TUSPID": lesion.lesion_id,
        "TULNKID": reading.link_id(lesion.lesion_id),
        "TUTESTCD": test,
        "TUTEST": TU_TESTS[test],
        "TUORRES": role,
        "TUSTRESC": role,
    }
