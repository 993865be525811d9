"""Make timm and segment-anything importable where torchvision's compiled operators do not match torch.

Both import torchvision, and a torchvision wheel built for another torch fails on import, because the schema of
``torchvision::nms`` is nowhere registered. The networks here never call such an operator, so declaring the two schemas
is enough; calling one still raises torchvision's own error, that its compiled operators could not be loaded.
"""

import importlib
import sys
from types import ModuleType
from typing import Any

import structlog

_NMS_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_OPERATORS = ("nms", "qnms")

# A torch library takes its schemas back when it is collected, so it lives as long as the process.
_declared: list[Any] = []


def import_torchvision() -> ModuleType:
    """Import torchvision, declaring its missing operator schemas where the plain import fails for want of them.

    Returns
    -------
    module
        torchvision; whole where wheel and torch match, without compiled operators otherwise.

    Raises
    ------
    ImportError, RuntimeError
        Whatever else is wrong with the installation, unchanged.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as failure:
        if "operator torchvision::nms does not exist" not in str(failure):
            raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    _declare_operators()
    module = importlib.import_module("torchvision")
    structlog.get_logger().info("torchvision_without_compiled_operators", version=getattr(module, "__version__", ""))
    return module


def _declare_operators() -> None:
    import torch.library

    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in _OPERATORS:
        library.define(operator + _NMS_SCHEMA)
    _declared.append(library)
