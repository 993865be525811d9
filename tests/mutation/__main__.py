"""How many small mistakes in the code the tests notice: `python -m tests.mutation`.

mutmut changes one operator, number or argument at a time; a seeded sample of the changes in each package is tried
against that package's tests. Changes to sentences alone are left out (see ``words``). Needs mutmut
(`pip install -e '.[mutation]'`). The survivors are listed with their differences; the table goes to docs/benchmarks.md.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.words import only_words

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = {
    "response": ("tumorresp/response/*.py", ("tests/response", "tests/cohort")),
    "quantify": ("tumorresp/quantify/*.py", ("tests/quantify",)),
    "reports": ("reports/*.py", ("tests/reports",)),
    "dicom_node": ("dicom_node/*.py", ("tests/dicom_node",)),
}
_NO_TESTS = 33
_PYTEST = ("-p", "no:cacheprovider", "-q", "-x")
# Tests of the source text, which mutmut rewrites.
_OF_THE_SOURCE = ("tests/response/test_deciding_findings.py",)


@dataclass(frozen=True)
class Tally:
    """What became of a sample of mutants."""

    package: str
    made: int
    words_only: int
    tried: int
    survivors: tuple[str, ...]
    seconds: float

    @property
    def killed_percent(self) -> float:
        """Share of the tried mutants that a test noticed."""
        return 100 * (1 - len(self.survivors) / self.tried) if self.tried else 0.0


def main() -> None:
    """Run the sample that the command line asks for, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--package", nargs="*", choices=sorted(PACKAGES), default=sorted(PACKAGES))
    parser.add_argument("--sample", type=int, default=200, help="mutants a package")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--module", default="", help="only modules whose dotted name holds this")
    wanted = parser.parse_args()
    print("| package | mutants | tried | killed | survivors | s |\n|---|---|---|---|---|---|")
    for package in wanted.package:
        folder, tally = tried(package, wanted.sample, wanted.seed, wanted.module)
        print(
            f"| {package} | {tally.made} | {tally.tried} | {tally.killed_percent:.1f} % | {len(tally.survivors)} "
            f"| {tally.seconds:.0f} |",
            flush=True,
        )
        for mutant in tally.survivors:
            print(_difference(folder, mutant), file=sys.stderr)


def tried(package: str, sample: int, seed: int, module: str) -> tuple[Path, Tally]:
    """Mutate a package in a copy of the checkout, try a sample, and return the copy and what became of it."""
    started = time.monotonic()
    folder = _copied_checkout(package)
    _mutmut(folder, "run", "none.of.them")  # generates, and learns which test reaches which function
    if not (folder / "mutants" / "mutmut-stats.json").is_file():
        raise SystemExit(f"the tests do not pass on the copy: see {folder / 'run.log'}")
    every = sorted(mutant for mutants in _results(folder).values() for mutant in mutants if module in mutant)
    random.Random(seed).shuffle(every)
    chosen: list[str] = []
    words = 0
    for mutant in every:
        if len(chosen) == sample:
            break
        if only_words(_file_of(folder, mutant), mutant):
            words += 1
        else:
            chosen.append(mutant)
    if chosen:
        _mutmut(folder, "run", *chosen)
    ended = {mutant: code for codes in _results(folder).values() for mutant, code in codes.items()}
    survivors = tuple(sorted(m for m in chosen if ended[m] in (0, None, _NO_TESTS)))
    return folder, Tally(package, len(every), words, len(chosen), survivors, time.monotonic() - started)


def _copied_checkout(package: str) -> Path:
    modules, tests = PACKAGES[package]
    folder = REPOSITORY / "build" / "mutation" / package
    shutil.rmtree(folder, ignore_errors=True)
    listed = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
    for name in listed.splitlines():
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, folder / name)
    with (folder / "pyproject.toml").open("a") as project:
        project.write(
            "\n[tool.mutmut]\n"
            'source_paths = ["tumorresp", "dicom_node", "reports", "models"]\n'
            f'only_mutate = ["{modules}"]\n'
            'also_copy = ["docs", "README.md", "Makefile"]\n'
            f"pytest_add_cli_args = {json.dumps([*_PYTEST, *(f'--deselect={name}' for name in _OF_THE_SOURCE)])}\n"
            f"pytest_add_cli_args_test_selection = {json.dumps(list(tests))}\n"
            "use_git_change_detection = false\ntrack_dependencies = false\n"
        )
    return folder


def _mutmut(folder: Path, *arguments: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "mutmut", *arguments], cwd=folder, check=False, capture_output=True, text=True
    )
    if "No module named mutmut" in ran.stderr:
        raise SystemExit("mutmut is not installed: pip install -e '.[mutation]'")
    (folder / f"{arguments[0]}.log").write_text(ran.stdout + ran.stderr)
    return ran.stdout


def _results(folder: Path) -> dict[Path, dict[str, int | None]]:
    found = {path: json.loads(path.read_text())["exit_code_by_key"] for path in folder.glob("mutants/**/*.meta")}
    if not found:
        raise SystemExit(f"no mutants were made: see {folder / 'run.log'}")
    return found


def _file_of(folder: Path, mutant: str) -> Path:
    module = mutant.rsplit(".", 1)[0]
    parts = Path(*module.split("."))
    as_module = folder / "mutants" / parts.with_suffix(".py")
    return as_module if as_module.is_file() else folder / "mutants" / parts / "__init__.py"


def _difference(folder: Path, mutant: str) -> str:
    shown: Sequence[str] = _mutmut(folder, "show", mutant).splitlines()
    lines = [line for line in shown if line.startswith(("+", "-")) and not line.startswith(("+++", "---"))]
    return "\n".join([mutant, *lines, ""])


if __name__ == "__main__":
    main()
