"""The index of everything received, made and sent; the only place that knows SQLAlchemy."""

from tumorresp.service.store.records import (
    Backoff,
    DeliveryRecord,
    DeliveryState,
    EvaluationRecord,
    EvaluationRun,
    EvaluationState,
    Failure,
    InstanceRecord,
    QuarantineRecord,
    ReceivedInstance,
    ReceivedOutcome,
    SeriesRecord,
    SeriesState,
    WaitingItem,
)
from tumorresp.service.store.store import Store

__all__ = [
    "Backoff",
    "DeliveryRecord",
    "DeliveryState",
    "EvaluationRecord",
    "EvaluationRun",
    "EvaluationState",
    "Failure",
    "InstanceRecord",
    "QuarantineRecord",
    "ReceivedInstance",
    "ReceivedOutcome",
    "SeriesRecord",
    "SeriesState",
    "Store",
    "WaitingItem",
]
