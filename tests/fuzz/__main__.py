"""``python -m tests.fuzz --minutes N``: change documents at random for as long as wanted; keep what is found."""

import argparse
import logging
import random
import sys
import time
import traceback
from pathlib import Path

import structlog

from tests.fuzz.edits import edited, random_edits
from tests.fuzz.targets import TARGETS, Target
from tumorresp.service.logs import silence_libraries

SLOW_S = 5.0


def trouble(target: Target, content: bytes) -> str:
    """Read a document and return what went wrong: an error outside of the tree, or too much time."""
    begin = time.perf_counter()
    try:
        target.read(content)
    except Exception as error:  # noqa: BLE001  what is looked for
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if "site-packages" not in frame.filename][-1]
        return f"{type(error).__name__} by {Path(ours.filename).name}:{ours.lineno} ({Path(frames[-1].filename).name})"
    taken = time.perf_counter() - begin
    return f"took {taken:.0f} s" if taken > SLOW_S else ""


def main() -> int:
    """Run all targets in turns, and return 1 when something was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--target", choices=[target.name for target in TARGETS], action="append")
    parser.add_argument("--seed", type=int, default=None, help="of the random numbers; default: another one each time")
    parser.add_argument(
        "--out", type=Path, default=Path("fuzz-findings"), help="where documents that did harm are kept"
    )
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    silence_libraries()
    seed = random.randrange(1 << 32) if options.seed is None else options.seed
    source = random.Random(seed)
    chosen = [target for target in TARGETS if not options.target or target.name in options.target]
    found: dict[str, int] = {}
    tried, end = 0, time.monotonic() + 60 * options.minutes
    while time.monotonic() < end:
        for target in chosen:
            content = edited(source.choice(target.seeds()), random_edits(source))
            tried += 1
            what = trouble(target, content)
            if not what:
                continue
            name = f"{target.name}: {what}"
            if name not in found:
                options.out.mkdir(parents=True, exist_ok=True)
                path = options.out / f"{target.name}-{len(found)}.bin"
                path.write_bytes(content)
                print(f"{name}, kept as {path}", flush=True)  # noqa: T201  a command
            found[name] = found.get(name, 0) + 1
    print(f"{tried} documents with seed {seed}; {len(found)} kinds of trouble")  # noqa: T201  a command
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
