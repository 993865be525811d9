"""Coded concepts shared by readers and writers, as plain values (PS3.16; SNOMED CT, DCM, IBSI, UCUM).

Private concepts carry the scheme ``99TUMORRESP``; objects that use one declare it in the Coding Scheme
Identification Sequence.
"""

from dataclasses import dataclass, replace

PRIVATE_SCHEME = "99TUMORRESP"


@dataclass(frozen=True)
class Code:
    """A coded concept; two codes are the same concept when value and scheme agree."""

    value: str
    scheme: str
    meaning: str

    def same_concept(self, other: "Code | None") -> bool:
        """Return whether both name the same concept, whatever the meaning's wording."""
        return other is not None and (self.value, self.scheme) == (other.value, other.scheme)

    def with_meaning(self, meaning: str) -> "Code":
        """Return the same concept under another wording."""
        return replace(self, meaning=meaning)


LONG_AXIS = Code("103339001", "SCT", "Long Axis")
SHORT_AXIS = Code("103340004", "SCT", "Short Axis")
LONG_AXIS_SRT = Code("G-A185", "SRT", "Long Axis")
SHORT_AXIS_SRT = Code("G-A186", "SRT", "Short Axis")
LENGTH = Code("410668003", "SCT", "Length")
LENGTH_SRT = Code("G-D7FE", "SRT", "Length")
DIAMETER = Code("81827009", "SCT", "Diameter")
DISTANCE = Code("121206", "DCM", "Distance")

MEASUREMENT_GROUP = Code("125007", "DCM", "Measurement Group")
FINDING = Code("121071", "DCM", "Finding")
FINDING_SITE = Code("363698007", "SCT", "Finding Site")
FINDING_SITE_SRT = Code("G-C0E3", "SRT", "Finding Site")
COMMENT = Code("121106", "DCM", "Comment")
TRACKING_IDENTIFIER = Code("112039", "DCM", "Tracking Identifier")
TRACKING_UNIQUE_IDENTIFIER = Code("112040", "DCM", "Tracking Unique Identifier")

LESION = Code("52988006", "SCT", "Lesion")
NEOPLASM = Code("108369006", "SCT", "Neoplasm")
MORPHOLOGICALLY_ABNORMAL = Code("49755003", "SCT", "Morphologically Abnormal Structure")
LYMPH_NODE = Code("59441001", "SCT", "Lymph node")
ABSENT = Code("2667000", "SCT", "Absent")
PRESENT = Code("52101004", "SCT", "Present")

VOLUME = Code("118565006", "SCT", "Volume")
VOLUME_OF_MESH = Code("RNU0", "IBSI", "Volume of Mesh")
VOXEL_SUMMATION = Code("YEKZ", "IBSI", "Voxel Summation Volume")
SPHERICITY = Code("QCFX", "IBSI", "Sphericity")
MAXIMUM_3D_DIAMETER = Code("L0JK", "IBSI", "Maximum 3D Diameter of a Mesh")
ATTENUATION = Code("112031", "DCM", "Attenuation Coefficient")
MEAN = Code("373098007", "SCT", "Mean")
STANDARD_DEVIATION = Code("386136009", "SCT", "Standard Deviation")
RECIST_1_1 = Code("126081", "DCM", "RECIST 1.1")
CURRENT_RESPONSE = Code("112048", "DCM", "Current Response")

TARGET_CR = Code("112041", "DCM", "Target Lesion Complete Response")
TARGET_PR = Code("112042", "DCM", "Target Lesion Partial Response")
TARGET_PD = Code("112043", "DCM", "Target Lesion Progressive Disease")
TARGET_SD = Code("112044", "DCM", "Target Lesion Stable Disease")
NON_TARGET_CR = Code("112045", "DCM", "Non-Target Lesion Complete Response")
NON_TARGET_SD = Code("112046", "DCM", "Non-Target Lesion Incomplete Response or Stable Disease")
NON_TARGET_PD = Code("112047", "DCM", "Non-Target Lesion Progressive Disease")

# What a reader says of a lesion, for groups that carry no axes (or axes and a role).
LESION_ROLE = Code("lesion-role", PRIVATE_SCHEME, "Lesion Role")
ROLE_TARGET = Code("target", PRIVATE_SCHEME, "Target Lesion")
ROLE_NON_TARGET = Code("non-target", PRIVATE_SCHEME, "Non-Target Lesion")
ROLE_NEW = Code("new", PRIVATE_SCHEME, "New Lesion")
LESION_STATE = Code("lesion-state", PRIVATE_SCHEME, "Lesion State")
STATE_TOO_SMALL = Code("too-small", PRIVATE_SCHEME, "Too Small To Measure")
STATE_NOT_EVALUABLE = Code("not-evaluable", PRIVATE_SCHEME, "Not Evaluable")
STATE_UNEQUIVOCAL_PROGRESSION = Code("unequivocal-progression", PRIVATE_SCHEME, "Unequivocal Progression")
STATE_EQUIVOCAL = Code("equivocal", PRIVATE_SCHEME, "Equivocal")
