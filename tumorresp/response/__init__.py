"""Response criteria as pure functions: lesion observations in, categories with reasons out."""

from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.parameters import Recist11Parameters, VolumetricParameters
from tumorresp.response.recist_1_1 import assess_recist_1_1
from tumorresp.response.volumetric import assess_volumetric

__all__ = [
    "LesionObservation",
    "Recist11Parameters",
    "Visit",
    "VolumetricParameters",
    "assess_recist_1_1",
    "assess_volumetric",
]
