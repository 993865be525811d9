"""The weights that the product knows, as data: where they come from, what they must hash to, and their terms."""

from dataclasses import dataclass

from tumorresp.domain.errors import WeightsNotFound


@dataclass(frozen=True)
class RegisteredWeights:
    """One weights file.

    Parameters
    ----------
    name
        By which the file is pulled, verified and added.
    segmenter
        The segmenter that uses it.
    file_name
        In the model folder.
    address
        Direct download address; None where there is none, and ``page`` says where a person gets the file.
    page
        Where the file and its terms are described.
    sha256
        Of the file; None where it is not known beforehand, and the first copy's hash is recorded instead.
    approximate_megabytes
        For people who wait.
    licence
        SPDX identifier.
    citation
        What to cite when results are published.
    purpose
        In a sentence.
    """

    name: str
    segmenter: str
    file_name: str
    address: str | None
    page: str
    sha256: str | None
    approximate_megabytes: int
    licence: str
    citation: str
    purpose: str


_MEDSAM_PAPER = (
    "Ma J, He Y, Li F, et al. Segment anything in medical images. Nature Communications 15:654 (2024). "
    "doi:10.1038/s41467-024-44824-z"
)

REGISTRY: tuple[RegisteredWeights, ...] = (
    RegisteredWeights(
        name="lite-medsam",
        segmenter="lite-medsam",
        file_name="lite_medsam.pth",
        # A mirror: upstream's own link needs a browser. The hash is that of upstream's file, so the mirror need not
        # be trusted.
        address="https://huggingface.co/GleghornLab/medsam-vit-b/resolve/main/lite_medsam.pth",
        page="https://github.com/bowang-lab/MedSAM/tree/LiteMedSAM",
        sha256="79d8c9dca6db4d69d3f905579e5250af05e859fff9c1f543e89a513c3028ce76",
        approximate_megabytes=39,
        licence="Apache-2.0",
        citation=_MEDSAM_PAPER,
        purpose="The default segmenter: TinyViT encoder, 256 x 256, about a second a slice on two CPU cores.",
    ),
    RegisteredWeights(
        name="medsam",
        segmenter="medsam",
        file_name="medsam_vit_b.pth",
        address="https://zenodo.org/records/10689643/files/medsam_vit_b.pth",
        page="https://github.com/bowang-lab/MedSAM",
        sha256=None,
        approximate_megabytes=375,
        licence="CC-BY-4.0",
        citation=_MEDSAM_PAPER,
        purpose="The larger network: ViT-B encoder, 1024 x 1024, about 12 s a slice on two CPU cores.",
    ),
    RegisteredWeights(
        name="medsam-hf",
        segmenter="medsam",
        file_name="medsam-vit-base.bin",
        address="https://huggingface.co/wanglab/medsam-vit-base/resolve/main/pytorch_model.bin",
        page="https://huggingface.co/wanglab/medsam-vit-base",
        sha256=None,
        approximate_megabytes=375,
        licence="Apache-2.0",
        citation=_MEDSAM_PAPER,
        purpose="The larger network in Hugging Face's layout, uploaded in May 2023, before `medsam`.",
    ),
)


def registered(name: str) -> RegisteredWeights:
    """Return the entry of a name.

    Raises
    ------
    WeightsNotFound
        If no weights of that name are known.
    """
    for entry in REGISTRY:
        if entry.name == name:
            return entry
    known = ", ".join(entry.name for entry in REGISTRY)
    raise WeightsNotFound(f"no weights named {name!r} are known.", remedy=f"Known names: {known}.")


def weights_of(segmenter: str) -> tuple[RegisteredWeights, ...]:
    """Return the weights that a segmenter can use, the preferred first; none for a segmenter without weights."""
    return tuple(entry for entry in REGISTRY if entry.segmenter == segmenter)
