"""Outside readers of a WARC file of ours: each prints what it read, and every record is compared."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path

from tests.interop.environments import Unavailable
from tests.interop.guesses import READERS
from tests.interop.records import Record, sha1
from tests.interop.rows import Row
from tests.interop.tools import ENVIRONMENTS

SCRIPTS = Path(__file__).parent / "readers"
_PATIENCE = 120  # seconds for one reader


def read_with(name: str, script: str, file: Path) -> list[dict[str, str]]:
    """Return the lines that a reader printed of a file.

    Raises Unavailable where it cannot be installed; RuntimeError with its last words where it ended with a failure.
    """
    environment = ENVIRONMENTS[name]
    environment.install()
    engine = environment.program("python") if script.endswith(".py") else "node"
    variables = environment.variables() | {"NODE_FOLDER": str(environment.folder)}
    done = subprocess.run(
        [engine, str(SCRIPTS / script), str(file)], capture_output=True, text=True, timeout=_PATIENCE, env=variables
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode:
        words = (done.stderr.strip().splitlines() or ["nothing on stderr"])[-1]
        raise RuntimeError(f"ends with {done.returncode} after {len(lines)} records: {words[:200]}")
    return lines


def compared(lines: list[dict[str, str]], truth: list[Record]) -> str:
    """Return in one line how the records that a reader printed differ from those of the file."""
    parts = [f"{len(lines)} of {len(truth)} records"]
    if len(lines) != len(truth):
        missing = Counter(record.kind for record in truth) - Counter(line["kind"] for line in lines)
        return f"{parts[0]}; missing {dict(missing)}"
    forms: Counter[str] = Counter()
    other: list[str] = []
    for line, record in zip(lines, truth, strict=True):
        for field, expected in (("kind", record.kind), ("url", record.url), ("date", record.date)):
            if (line.get(field) or "") != expected:
                other.append(f"{field} {line.get(field)!r} for {expected!r}")
        form = next((form for form, data in record.forms().items() if sha1(data) == line["content"]), "")
        forms[form or "other"] += 1
        if not form:
            other.append(f"{record.kind} {'/' + record.url.partition('//')[2].partition('/')[2]}")
    parts += [f"{form}: {count}" for form, count in forms.most_common()]
    if other:
        parts.append("differs: " + ", ".join(other[:12]) + (f" and {len(other) - 12} more" if len(other) > 12 else ""))
    return "; ".join(parts)


def rows(file: Path, truth: list[Record], only: set[str]) -> list[Row]:
    """Return a row for each reader, or for those that are named."""
    found = []
    for name, (script, guess) in READERS.items():
        if only and name not in only:
            continue
        try:
            seen = compared(read_with(name, script, file), truth)
        except Unavailable as error:
            seen = f"skipped: {error}"
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            seen = str(error)
        found.append(Row(name, ENVIRONMENTS[name].pins, guess, seen))
    return found
