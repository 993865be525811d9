"""RELREC: how TU, TR and RS belong together, as relationships of whole data sets (SDTMIG 3.4, section 8.3)."""

from reports.cdisc.dataset import DatasetDefinition, Row, Variable
from reports.cdisc.study_facts import ExportMode, StudyFacts

RELREC = DatasetDefinition(
    "RELREC",
    "Related Records",
    "SDTM",
    "RELATIONSHIP",
    "One record per related data set",
    (
        Variable("STUDYID", "Study Identifier", origin="Protocol"),
        Variable("RDOMAIN", "Related Domain Abbreviation"),
        Variable("USUBJID", "Unique Subject Identifier"),
        Variable("IDVAR", "Identifying Variable"),
        Variable("IDVARVAL", "Identifying Variable Value"),
        Variable("RELTYPE", "Relationship Type"),
        Variable("RELID", "Relationship Identifier"),
    ),
    ("STUDYID", "RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "RELID"),
)


def related_records(facts: StudyFacts) -> list[Row]:
    """Return the records of RELREC: TU to TR by lesion, and where there is an RS, TR to RS by visit."""
    links = [("TU", "TULNKID", "ONE", "TUTR"), ("TR", "TRLNKID", "MANY", "TUTR")]
    if facts.mode is ExportMode.CENTRAL_READ:
        links += [("TR", "TRLNKGRP", "MANY", "TRRS"), ("RS", "RSLNKGRP", "ONE", "TRRS")]
    return [
        {"STUDYID": facts.study_id, "RDOMAIN": domain, "IDVAR": variable, "RELTYPE": kind, "RELID": identity}
        for domain, variable, kind, identity in links
    ]
