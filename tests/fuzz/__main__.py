"""`make fuzz`: every harness in turn under a coverage-guided fuzzer, beginning with the inputs that are known.

`--time SECONDS` for all together, `--only NAME`, `--jobs N` at once; `--keep` writes what was found to be interesting,
the smallest inputs first, back into the corpus. Inputs that break a harness are printed as corpus lines; exit code 1.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.targets import CORPUS, TARGETS, inputs, written_line

_ROOT = Path(__file__).parents[2]
_OPTIONS = ["-timeout=20", "-rss_limit_mb=1536", "-max_len=4096", "-print_final_stats=1", "-verbosity=0"]
_KEPT = 6_000  # bytes of a harness's corpus that the fuzzer has found
_LONGEST = 400  # characters of an input that is kept
_FOUND = "# found by the fuzzer, each for a path of its own"
_EXECUTED = re.compile(rb"number_of_executed_units:\s*(\d+)")


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """What came of one harness."""

    name: str
    executed: int
    seconds: float
    broken: tuple[bytes, ...]
    log: bytes


def fuzz(name: str, seconds: int, work: Path, *, keep: bool) -> Fuzzed:
    """Run one harness for so long, or until an input breaks it."""
    seeds, found, artifacts = (work / name / part for part in ("seeds", "found", "broken"))
    for folder in (seeds, found, artifacts):
        folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(inputs(name)):
        (seeds / f"{number:04}").write_bytes(data)
    begun = time.monotonic()
    log = _one(name, f"-max_total_time={seconds}", f"-artifact_prefix={artifacts}/", str(found), str(seeds))
    seconds_spent = time.monotonic() - begun
    executed = sum(map(int, _EXECUTED.findall(log)))
    broken = tuple(path.read_bytes() for path in sorted(artifacts.iterdir()))
    if keep and not broken:
        _keep(name, found)
    return Fuzzed(name, executed, seconds_spent, broken, log)


def _one(name: str, *options: str) -> bytes:
    command = [sys.executable, "-m", "tests.fuzz.one", name, *_OPTIONS, *options]
    return subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout


def _keep(name: str, found: Path) -> None:
    """Write inputs that took a new path into the corpus file, behind what people have written there."""
    file = CORPUS / f"{name}.txt"
    written, _, before = file.read_text("ascii").partition(f"{_FOUND}\n")
    by_hand = set(written.splitlines())
    lines = {written_line(path.read_bytes()) for path in found.iterdir()} | set(before.splitlines())
    kept, size = [], 0
    for line in sorted(lines - by_hand, key=lambda line: (len(line), line)):
        if line and len(line) <= _LONGEST and size + len(line) < _KEPT:
            kept.append(line)
            size += len(line) + 1
    if kept:
        file.write_text(written + _FOUND + "\n" + "".join(f"{line}\n" for line in kept), "ascii")


def _told(log: bytes) -> str:
    """What the fuzzer says of a defect."""
    _, mark, rest = log.partition(b" === Uncaught")
    return (mark + rest if mark else log)[:4000].decode("utf-8", "replace")


def main() -> int:
    """Fuzz, and print a line a harness."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--time", type=int, default=600, help="seconds for all harnesses together")
    parser.add_argument("--only", action="append", choices=sorted(TARGETS), help="this harness; may be repeated")
    parser.add_argument("--jobs", type=int, default=1, help="harnesses at once")
    parser.add_argument("--keep", action="store_true", help="write what was found into the corpus")
    asked = parser.parse_args()
    names = asked.only or list(TARGETS)
    seconds = max(asked.time * asked.jobs // len(names), 1)
    executed, spent, broken = 0, 0.0, 0
    with tempfile.TemporaryDirectory(prefix="onrecord-fuzz-") as work, ThreadPoolExecutor(asked.jobs) as pool:
        for done in pool.map(lambda name: fuzz(name, seconds, Path(work), keep=asked.keep), names):
            executed, spent, broken = executed + done.executed, spent + done.seconds, broken + len(done.broken)
            state = "broken" if done.broken else "sound" if done.executed else "did not run"
            print(f"{done.name:<16} {done.executed:>10,} inputs in {done.seconds:>4.0f} s: {state}", flush=True)
            for data in done.broken:
                print(f"  an input for tests/fuzz/corpus/{done.name}.txt: {written_line(data)}")
            if done.broken or not done.executed:
                broken += not done.broken
                print(_told(done.log))
    print(f"{len(names)} harnesses, {executed:,} inputs, {spent:,.0f} s of fuzzing, {broken} broken")
    return 1 if broken else 0


sys.exit(main())
