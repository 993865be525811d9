"""How time and memory of ``tumorresp respond`` grow with the number of subjects.

    python -m tests.bench.response_scale --subjects 1000 10000

Each run is a process of its own: 10 time points x 8 lesions a subject, four criteria unless
``--criteria`` names others, Parquet; XPT and Dataset-JSON with ``--cdisc``.
"""

import argparse
import datetime
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

CRITERIA = ("recist-1.1", "irecist", "choi", "volume-recist")
TIME_POINTS = 10
LESIONS = 8
HEADER = (
    "subject,date,lesion,role,site,long_axis_mm,short_axis_mm,volume_mm3,mean_density_hu,state,reference_date,arm\r\n"
)
_SITES = ("lung", "liver", "lymph node", "adrenal", "lung", "liver", "lymph node", "bone")


def main() -> None:
    """Print a row of the table a size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, nargs="+", default=[1000, 10000])
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--cdisc", action="store_true")
    parser.add_argument("--criteria", nargs="+", default=list(CRITERIA))
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        _run(Path(options.run[0]), Path(options.run[1]), options.workers, options.cdisc, tuple(options.criteria))
        return
    print("| subjects | measurements | seconds | ms a subject | us a measurement and criterion | peak memory, MiB |")
    print("|---:|---:|---:|---:|---:|---:|")
    for subjects in options.subjects:
        with tempfile.TemporaryDirectory() as folder:
            table = Path(folder) / "lesions.csv"
            table.write_text(HEADER + "".join(_rows(subjects)), "utf-8")
            own = [sys.executable, "-m", "tests.bench.response_scale", "--workers", str(options.workers)]
            own += ["--criteria", *options.criteria, *(["--cdisc"] if options.cdisc else [])]
            answer = subprocess.run(
                [*own, "--run", str(table), str(Path(folder) / "out")], check=True, capture_output=True, text=True
            )
        figures = json.loads(answer.stdout)
        measurements = subjects * TIME_POINTS * LESIONS
        seconds = figures["seconds"]
        print(
            f"| {subjects} | {measurements} | {seconds:.1f} | {1000 * seconds / subjects:.2f} "
            f"| {1e6 * seconds / measurements / len(options.criteria):.1f} | {figures['memory_mib']:.0f} |",
            flush=True,
        )


def _rows(subjects: int) -> Iterator[str]:
    random = np.random.default_rng(7)
    start = datetime.date(2020, 1, 6)
    for subject in range(subjects):
        sizes = random.uniform(12, 60, LESIONS)
        drift = random.normal(0, 0.08, LESIONS)
        for visit in range(TIME_POINTS):
            day = start + datetime.timedelta(days=56 * visit)
            if visit:
                sizes = sizes * np.exp(drift + random.normal(0, 0.05, LESIONS))
            for number, size in enumerate(sizes):
                yield _row(subject, day, number, float(size), visit, float(random.normal(60, 12)))


def _row(subject: int, day: datetime.date, number: int, size: float, visit: int, density: float) -> str:
    target = number < 5
    lesion = f"T{number + 1:02}" if target else f"NT{number - 4:02}"
    role = ("target" if target else "non-target") if visit == 0 else ""
    sizes = f"{size:.1f},{0.7 * size:.1f},{0.4 * size**3:.1f},{density:.1f},"
    return f"S{subject:06},{day},{lesion},{role},{_SITES[number]},{sizes},2020-01-10,{'AB'[subject % 2]}\r\n"


def _run(table: Path, out: Path, workers: int, cdisc: bool, criteria: tuple[str, ...]) -> None:
    from tumorresp.service.respond.command import RespondRequest, run_respond

    request = RespondRequest(
        table=table,
        out=out,
        criteria=criteria,
        formats=("parquet",),
        figures=False,
        cdisc="sponsor" if cdisc else None,
        workers=workers,
    )
    started = time.perf_counter()
    run_respond(request, lambda *_: None)
    seconds = time.perf_counter() - started
    kilobytes = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps({"seconds": seconds, "memory_mib": kilobytes / 1024}))


if __name__ == "__main__":
    main()
