"""The ellipsoid of a lesion's axes: the segmenter that looks at no image, beside which all others are measured."""

from models.lesion_frame import box_around, lesion_frame
from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.errors import SegmentationFailed
from tumorresp.domain.segmentation import BoxPrompt, LesionMask, SegmenterIdentity
from tumorresp.domain.version import SOFTWARE_VERSION


class Ellipsoid:
    """Half axes L/2 and S/2 in the plane of the measurement and L/2 across it; centred between the two axes."""

    @property
    def identity(self) -> SegmenterIdentity:
        """Name and version; there are no weights and no parameters."""
        return SegmenterIdentity("ellipsoid", SOFTWARE_VERSION)

    def segment(self, volume: CtVolume, prompt: BoxPrompt) -> LesionMask:
        """Return the voxels whose centres lie in the ellipsoid.

        Raises
        ------
        SegmentationFailed
            If no voxel centre lies in it.
        """
        frame = lesion_frame(prompt, volume.geometry)
        box = box_around(frame, volume.geometry.shape, frame.half_long_mm, frame.half_long_mm)
        along, beside, across = frame.coordinates(*box.indices())
        inside = along**2 + beside**2 + across**2 <= 1
        if not inside.any():
            raise SegmentationFailed("the ellipsoid of the axes holds no voxel of the volume")
        return LesionMask.from_volume(
            box.in_volume(inside, volume.geometry.shape),
            volume.geometry,
            measurement_uid=prompt.measurement_uid,
            segmenter=self.identity,
            key_slice=prompt.slice_index,
        )
