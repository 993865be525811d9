"""Reported sums and responses held against the measurements that they were made from."""

from tumorresp.response.rule_audit.audit import audit_rules
from tumorresp.response.rule_audit.reported import (
    AuditFinding,
    AuditParameters,
    Reported,
    ReportedBest,
    ReportedEvaluation,
    ReportedVisit,
)

__all__ = [
    "AuditFinding",
    "AuditParameters",
    "Reported",
    "ReportedBest",
    "ReportedEvaluation",
    "ReportedVisit",
    "audit_rules",
]
