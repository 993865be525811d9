"""How fast the listener takes a CT series: 100 images of 512 x 512, by dcmtk's storescu and by our own sender.

``python tests/bench/listener_speed.py [--rounds N]`` prints seconds, the median of N rounds; senders take turns.
``PYTHONPATH=another/checkout`` measures that one.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from dicom_node.listener import IndexOutcome, Listener, ListenerSettings, ReceivedInstance, RefusedInstance
from dicom_node.sender import Destination, send
from tests.dicom_node.ct_files import ct_image, write

IMAGES, SIDE = 100, 512


class Counting:
    """Takes everything and keeps nothing."""

    def __init__(self) -> None:
        self.count = 0

    def index(self, received: ReceivedInstance) -> IndexOutcome:
        self.count += received.path.is_file()
        return IndexOutcome.NEW

    def refuse(self, refused: RefusedInstance) -> None:
        raise AssertionError(refused.error)


def _images(folder: Path) -> list[Path]:
    noise = np.random.default_rng(1)
    return [
        path
        for z in range(IMAGES)
        for path in write(
            folder,
            ct_image(z, Rows=SIDE, Columns=SIDE, PixelData=noise.integers(-1000, 1000, (SIDE, SIDE), "<i2").tobytes()),
        )
    ]


def _seconds(sender: str, images: list[Path], folder: Path) -> float:
    index = Counting()
    shutil.rmtree(folder, ignore_errors=True)
    with Listener(ListenerSettings(folder, port=0), index) as listener:
        begin = time.perf_counter()
        if sender == "storescu":
            command = ["storescu", "-aec", "TUMORRESP", "127.0.0.1", str(listener.port), *map(str, images)]
            subprocess.run(command, check=True, env={**os.environ, "TCP_NODELAY": "1"})
        else:
            send(images, Destination("listener", "TUMORRESP", "127.0.0.1", listener.port))
        taken = time.perf_counter() - begin
    assert index.count == IMAGES
    return taken


def main() -> None:
    """Print the median seconds of each sender."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        images = _images(Path(name) / "sent")
        taken: dict[str, list[float]] = {"storescu": [], "own sender": []}
        for _ in range(rounds):
            for sender, seconds in taken.items():
                seconds.append(_seconds(sender, images, Path(name) / "incoming"))
    for sender, seconds in taken.items():
        median, least, most = statistics.median(seconds), min(seconds), max(seconds)
        print(f"{sender}: {median:.2f} s for {IMAGES} images ({least:.2f} to {most:.2f})")


if __name__ == "__main__":
    main()
