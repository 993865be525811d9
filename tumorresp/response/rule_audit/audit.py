"""Every reported value of a subject held against what follows from the measurements."""

from tumorresp.response.rule_audit.derivation import Derivation
from tumorresp.response.rule_audit.not_read import open_visits
from tumorresp.response.rule_audit.reported import AuditFinding, AuditParameters, ReportedEvaluation
from tumorresp.response.rule_audit.reported_sums import sums_before_the_reader
from tumorresp.response.rule_audit.subject_findings import AuditedSubject, subject_findings, unmeasured_findings
from tumorresp.response.rule_audit.visit_findings import AuditedVisit, visit_findings
from tumorresp.response.subject import SubjectCourse


def audit_rules(
    course: SubjectCourse, reported: ReportedEvaluation, parameters: AuditParameters | None = None
) -> tuple[AuditFinding, ...]:
    """Return every reported value that does not follow from the measurements by RECIST 1.1.

    Numbers are compared exactly, up to the decimals with which they were reported. Each finding says which mistake, or
    which two together, would have given the reported value; every mistake is tried by deriving the value again under
    it. A response that follows from the measurements is held against the reported sums as well. What was not reported
    is never a finding, and where input could not be read and may have changed what is derived, nothing is held against
    the reader. Without any measurement the reported responses are held against each other: overall
    against its parts (Table 1), best against the visits.

    Parameters
    ----------
    course
        The measurements of one subject by one evaluator.
    reported
        What the same evaluator reported of the same subject.
    parameters
        The protocol's rules; the published defaults when not given.

    Returns
    -------
    tuple of AuditFinding
        By visit in order of date, then what concerns the whole subject; empty when everything follows.

    Raises
    ------
    InvalidInput
        If the visits are not in order of date.
    """
    rules = parameters or AuditParameters()
    derivation = Derivation(course.visits, rules.recist)
    by_id = {item.time_point_id: item for item in reported.visits}
    findings: list[AuditFinding] = []
    doubt = open_visits(course, derivation, rules)
    for index, (sums, stated) in enumerate(sums_before_the_reader(derivation, by_id)):
        own = by_id.get(course.visits[index].time_point_id)
        if own is not None:
            found = visit_findings(AuditedVisit(course, derivation, index, own, sums, stated))
            findings += doubt.visit_findings(index, found)
    subject = AuditedSubject(course, derivation, reported, rules)
    findings += unmeasured_findings(subject)
    findings += doubt.course_findings(subject_findings(subject))
    return tuple(findings)
