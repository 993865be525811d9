"""Response criteria as pure functions: lesion observations in, categories with reasons out.

>>> from tumorresp.response import Protocol, SubjectCourse, evaluate_course
>>> outcome = evaluate_course(course, ["recist-1.1", "volume-recist"], Protocol())  # doctest: +SKIP
"""

from tumorresp.response.criteria import CRITERIA, Criterion, criterion_named
from tumorresp.response.evaluate import evaluate_course, evaluate_reported
from tumorresp.response.explanation import explanation
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.outcome import BestResponse, CriterionOutcome, EndPoint, SubjectOutcome
from tumorresp.response.parameters import Recist11Parameters, VolumetricParameters
from tumorresp.response.protocol import Protocol, protocol_from
from tumorresp.response.recist_1_1 import assess_recist_1_1
from tumorresp.response.subject import SubjectCourse, SubjectDates
from tumorresp.response.volumetric import assess_volumetric

__all__ = [
    "CRITERIA",
    "BestResponse",
    "Criterion",
    "CriterionOutcome",
    "EndPoint",
    "LesionObservation",
    "Protocol",
    "Recist11Parameters",
    "SubjectCourse",
    "SubjectDates",
    "SubjectOutcome",
    "Visit",
    "VolumetricParameters",
    "assess_recist_1_1",
    "assess_volumetric",
    "criterion_named",
    "evaluate_course",
    "evaluate_reported",
    "explanation",
    "protocol_from",
]
