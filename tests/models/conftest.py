"""The golden checkpoint, made once a session, and networks that carry it."""

from pathlib import Path

import pytest
import torch

from models.lite_medsam import LiteMedSam, LiteMedSamNetwork, upstream_key
from tests.models.golden_checkpoint import golden_state_dict


@pytest.fixture(scope="session")
def golden_state() -> dict[str, torch.Tensor]:
    """State dict of the golden checkpoint, in upstream's names."""
    own = LiteMedSamNetwork().state_dict()
    return golden_state_dict({upstream_key(key): (tuple(value.shape), value.dtype) for key, value in own.items()})


@pytest.fixture(scope="session")
def golden_file(golden_state: dict[str, torch.Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The golden checkpoint as a bare state dict on disk."""
    path = tmp_path_factory.mktemp("golden") / "lite_medsam.pth"
    torch.save(golden_state, path)
    return path


@pytest.fixture(scope="session")
def golden_segmenter(golden_file: Path) -> LiteMedSam:
    """Lite MedSAM with the golden checkpoint."""
    return LiteMedSam.load(golden_file)
