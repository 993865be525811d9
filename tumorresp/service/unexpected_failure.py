"""What may be said of a failure that nobody foresaw: its kind and its place, never its words."""

import traceback
from pathlib import Path


def kind_and_place(error: BaseException) -> str:
    """Return kind and place of an error; its own words may hold patient data."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
