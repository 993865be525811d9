"""Stored values become CT numbers: sign, rescale, padding."""

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from dicom_node.ct_volume import read_ct_volume
from dicom_node.hounsfield import to_hounsfield
from tests.dicom_node.ct_files import COLUMNS, ROWS, ct_image, write
from tumorresp.domain.errors import InvalidInput


def convert(stored, **attributes):
    dataset = Dataset()
    dataset.BitsStored, dataset.PixelRepresentation = 16, 1
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, 0
    for keyword, value in attributes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return to_hounsfield(np.array([stored]), [dataset], where="image")


def codes(numbers) -> list[str]:
    return [finding.code for finding in numbers.findings]


@pytest.mark.parametrize(
    ("stored", "attributes", "hu"),
    [
        ([0, 1024, 4095], {"RescaleIntercept": -1024}, [-1024, 0, 3071]),
        ([-1024, 0, 3071], {}, [-1024, 0, 3071]),
        ([0, 500], {"RescaleSlope": 2, "RescaleIntercept": -1000}, [-1000, 0]),
        # padding, written with the image's sign, with the other one, as a range, and the wrong way round
        ([-2000, 40], {"PixelPaddingValue": -2000}, [-1000, 40]),
        ([-2000, 40], {"PixelPaddingValue": 63536}, [-1000, 40]),
        (
            [-2000, -1999, -1998, 40],
            {"PixelPaddingValue": -2000, "PixelPaddingRangeLimit": -1999},
            [-1000, -1000, -1998, 40],
        ),
        ([-2000, -1999, 40], {"PixelPaddingValue": -1999, "PixelPaddingRangeLimit": -2000}, [-1000, -1000, 40]),
        ([0, 1064], {"PixelPaddingValue": 0, "RescaleIntercept": -1024}, [-1000, 40]),
        ([32767, 40], {"PixelPaddingValue": 32767}, [-1000, 40]),
        (
            [63536, 1064],
            {"PixelPaddingValue": -2000, "PixelRepresentation": 0, "RescaleIntercept": -1024},
            [-1000, 40],
        ),
    ],
)
def test_ct_numbers(stored, attributes, hu):
    numbers = convert(stored, **attributes)
    assert numbers.hu.tolist() == [hu]
    assert codes(numbers) == []


@pytest.mark.parametrize("bits", [12, 13, 16])
@pytest.mark.parametrize("value", [-2000, -2048, -1500])
def test_padding_below_zero_is_one_value_however_it_is_written(bits: int, value: int):
    """Pixel Padding Value as signed short, as unsigned 16 bits, or in the image's own bits: all mean one number."""
    for written in {value, value + (1 << 16), value + (1 << bits)}:
        numbers = convert([value, value + 1, 40], BitsStored=bits, PixelPaddingValue=written)
        assert numbers.hu.tolist() == [[-1000, value + 1, 40]], written
    unsigned = convert(
        [value + (1 << bits), 1064],
        BitsStored=bits,
        PixelRepresentation=0,
        RescaleIntercept=-8192,
        PixelPaddingValue=value,
    )
    assert unsigned.hu.tolist() == [[-1000, 1064 - 8192]]


@pytest.mark.parametrize(
    ("bits", "value"), [(12, 2047), (12, 1), (16, 32767)], ids=["largest of 12 bits", "one", "largest of 16 bits"]
)
def test_padding_above_zero_is_not_taken_for_a_negative_one(bits: int, value: int):
    numbers = convert([value, value - 1], BitsStored=bits, RescaleIntercept=5000, PixelPaddingValue=value)
    assert numbers.hu.tolist() == [[-1000, value - 1 + 5000]]


def test_padding_that_is_a_ct_number_of_tissue_is_kept_and_said():
    numbers = convert([0, 40, -300], PixelPaddingValue=0)
    assert numbers.hu.tolist() == [[0, 40, -300]]
    assert codes(numbers) == ["padding-not-replaced"]


@pytest.mark.parametrize(
    ("stored", "attributes", "dtype"),
    [
        ([0, 10], {}, np.int16),
        ([0, 10], {"RescaleSlope": 0.5}, np.float32),
        ([0, 10], {"RescaleIntercept": 0.5}, np.float32),
        ([0, 30000], {"RescaleSlope": 2}, np.float32),
    ],
)
def test_int16_only_where_it_is_exact(stored, attributes, dtype):
    numbers = convert(stored, **attributes)
    assert numbers.hu.dtype == dtype
    slope, intercept = attributes.get("RescaleSlope", 1), attributes.get("RescaleIntercept", 0)
    assert numbers.hu.tolist() == [[value * slope + intercept for value in stored]]


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"RescaleSlope": None}, "no-rescale"),
        ({"RescaleIntercept": None}, "no-rescale"),
        ({"RescaleSlope": 0}, "no-rescale"),
        ({"RescaleType": "US"}, "not-hounsfield"),
        ({"LossyImageCompression": "01"}, "lossy-compression"),
    ],
)
def test_what_makes_ct_numbers_doubtful_is_said(attributes, code):
    numbers = convert([5, 40], **attributes)
    assert numbers.hu.tolist() == [[5, 40]]
    assert codes(numbers) == [code]


def test_a_lookup_table_is_refused():
    with pytest.raises(InvalidInput, match=r"\(0028,3000\)"):
        convert([1], ModalityLUTSequence=[Dataset()])


def test_colour_is_refused():
    with pytest.raises(InvalidInput, match="one sample"):
        to_hounsfield(np.zeros((4, 4, 3), np.uint8), [Dataset()], where="image")


def test_findings_of_all_images_are_one_with_their_number(tmp_path: Path):
    volume = read_ct_volume(write(tmp_path, *(ct_image(z, LossyImageCompression="01") for z in (0, 5, 10))))
    assert codes(volume) == ["lossy-compression"]
    assert "Images: 3" in volume.findings[0].message


def test_twelve_bits_with_their_sign_and_padding_from_a_file(tmp_path: Path):
    """-2048 stored in 12 of 16 bits, unused bits clear, Pixel Padding Value as unsigned short."""
    stored = np.array([-2048, -1, 0, 2047] * (ROWS * COLUMNS // 4))
    image = ct_image(
        0, BitsStored=12, HighBit=11, PixelRepresentation=1, PixelData=(stored & 0x0FFF).astype("<u2").tobytes()
    )
    image["PixelPaddingValue"] = DataElement("PixelPaddingValue", "US", 0x0800)
    volume = read_ct_volume(write(tmp_path, image, ct_image(5)))
    assert volume.hu[0].ravel()[:4].tolist() == [-1000, -1, 0, 2047]
