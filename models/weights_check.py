"""Whether a weights file is of the network that it is added for."""

from pathlib import Path

from models.checkpoint import StateDict, load_weights, read_state_dict
from models.lite_medsam import LiteMedSamNetwork, upstream_key
from models.medsam import load_medsam_weights, new_network
from models.registry import RegisteredWeights, registered
from tumorresp.domain.errors import InvalidWeights

# One tensor that tells the network.
_MARKS = {
    "image_encoder.patch_embed.seq.0.c.weight": "lite-medsam",
    "image_encoder.patch_embed.proj.weight": "medsam",
    "vision_encoder.patch_embed.projection.weight": "medsam-hf",
}


def check_tensors(file: Path, name: str | None) -> RegisteredWeights:
    """Load a file into its network and return which registered weights it can stand for.

    Parameters
    ----------
    file
        Checkpoint or safetensors file.
    name
        Of the registered weights; None to tell by the tensors' names.

    Raises
    ------
    WeightsNotFound
        If there is no such file, or the name is unknown.
    InvalidWeights
        If the file is of another network; names the first bad key.
    """
    named = None if name is None else registered(name)
    state = read_state_dict(file)
    weights = registered(_recognised(state, file.name)) if named is None else named
    if weights.segmenter == "lite-medsam":
        load_weights(LiteMedSamNetwork(), state, file_key=upstream_key, network_name="Lite MedSAM", where=file.name)
    else:
        load_medsam_weights(new_network(), state, file.name)
    return weights


def _recognised(state: StateDict, where: str) -> str:
    for mark, name in _MARKS.items():
        if mark in state:
            return name
    raise InvalidWeights(
        f"the tensors are of no known network; the first is {next(iter(state))!r}.",
        where=where,
        remedy="Known are Lite MedSAM, and MedSAM ViT-B in its own and in Hugging Face's names.",
    )
