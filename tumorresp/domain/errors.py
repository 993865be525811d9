"""The error tree: one class a kind of failure, each with a stable code and its face on every edge.

Every leaf knows what a DICOM peer (``dimse_status``), an HTTP client (``http_status``, as problem+json with
``type`` = ``code``) and a shell (``exit_code``) are told. Messages name what is wrong, where (file, tag, row), what was
expected and what to do; they never carry a patient's name or ID.
"""

from typing import ClassVar


class TumorRespError(Exception):
    """Root of all errors that this product raises on purpose.

    Parameters
    ----------
    message
        What is wrong and what was expected, in words for the person who must act. No patient data.
    where
        File name, tag, row or UID that the message is about; empty when there is no such place.
    remedy
        What to do about it; empty when the message says it already.
    """

    code: ClassVar[str] = "error"
    dimse_status: ClassVar[int] = 0xC000
    http_status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 70

    def __init__(self, message: str, *, where: str = "", remedy: str = "") -> None:
        self.message = message
        self.where = where
        self.remedy = remedy
        super().__init__(self.__str__())

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f" {self.remedy}" if self.remedy else ""
        return f"{place}{self.message}{advice}"


class InvalidInput(TumorRespError):
    """The input cannot be used as it is; it goes to quarantine with this reason."""

    code = "invalid-input"
    dimse_status = 0xC000
    http_status = 422
    exit_code = 65


class NotDicom(InvalidInput):
    """The file is no DICOM Part 10 file, or it is cut off."""

    code = "not-dicom"
    dimse_status = 0xC001


class ExceedsLimit(NotDicom):
    """The data set is larger, inflates to more or is nested deeper than is read."""

    code = "exceeds-limit"
    dimse_status = 0xC006
    http_status = 413


class InvalidGeometry(InvalidInput):
    """Images that form no volume: mixed orientations, duplicate positions, no spacing, a localizer."""

    code = "invalid-geometry"
    dimse_status = 0xC002


class InvalidMeasurement(InvalidInput):
    """A measurement that cannot be placed: zero length, outside its image, absent reference."""

    code = "invalid-measurement"
    dimse_status = 0xC003


class ConflictingInstance(InvalidInput):
    """A SOP Instance UID was received again with other content."""

    code = "conflicting-instance"
    dimse_status = 0xC004
    http_status = 409


class UnknownFormat(InvalidInput):
    """No reader knows this file."""

    code = "unknown-format"
    dimse_status = 0xC005
    http_status = 415


class UnreadableTable(InvalidInput):
    """Most cells of a column cannot be read: the table is written in another way than expected."""

    code = "unreadable-table"
    exit_code = 79


class InvalidSettings(TumorRespError):
    """A setting has no meaning or contradicts another."""

    code = "invalid-settings"
    http_status = 500
    exit_code = 78


class Missing(TumorRespError):
    """Something that the work needs is not there (yet)."""

    code = "missing"
    http_status = 404
    exit_code = 66


class MissingPrior(Missing):
    """An earlier time point is needed and absent."""

    code = "missing-prior"


class MissingImages(Missing):
    """The images that a measurement refers to have not arrived."""

    code = "missing-images"


class WeightsNotFound(Missing):
    """The weights of a segmenter are not in the model folder."""

    code = "weights-not-found"


class InvalidWeights(InvalidInput):
    """A weights file is of another network, cut off, or not what its hash says."""

    code = "invalid-weights"


class OutsideFailure(TumorRespError):
    """Something outside this process failed; trying again may help."""

    code = "outside-failure"
    dimse_status = 0xA700
    http_status = 503
    exit_code = 75


class OutOfResources(OutsideFailure):
    """Disk or database cannot take more; nothing was stored and the sender must keep its copy."""

    code = "out-of-resources"
    dimse_status = 0xA700
    http_status = 507
    exit_code = 74


class DeliveryFailed(OutsideFailure):
    """A destination did not take an object."""

    code = "delivery-failed"
    http_status = 502


class SegmentationFailed(TumorRespError):
    """The segmenter found no lesion at the prompt."""

    code = "segmentation-failed"
    http_status = 422
    exit_code = 65
