"""RELREC: how TU, TR and RS belong together, as relationships of whole data sets (SDTMIG 3.4, section 8.3)."""

from collections.abc import Collection

from reports.cdisc.dataset import DatasetDefinition, Row, Variable
from reports.cdisc.study_facts import StudyFacts

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
        Variable("RELTYPE", "Relationship Type", codelist="RELTYPE"),
        Variable("RELID", "Relationship Identifier"),
    ),
    ("STUDYID", "RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "RELID"),
)


def related_records(facts: StudyFacts, domains: Collection[str]) -> list[Row]:
    """Return the records of RELREC between the domains that have records: TU and TR by lesion, TR and RS by visit."""
    links = (
        (("TU", "TULNKID", "ONE"), ("TR", "TRLNKID", "MANY")),
        (("TR", "TRLNKGRP", "MANY"), ("RS", "RSLNKGRP", "ONE")),
    )
    return [
        {
            "STUDYID": facts.study_id,
            "RDOMAIN": domain,
            "IDVAR": variable,
            "RELTYPE": kind,
            "RELID": "".join(part[0] for part in link),
        }
        for link in links
        if all(part[0] in domains for part in link)
        for domain, variable, kind in link
    ]
