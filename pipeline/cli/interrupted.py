"""Captures that the user interrupted: what they had not reached is kept on this machine, and fetched by --resume."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.cli.context import Context
from pipeline.cli.paths import state_folder

if TYPE_CHECKING:
    from archive.model import Target


@dataclass(frozen=True, slots=True)
class Interrupted:
    """One capture that was interrupted: its options, and its targets that were not reached."""

    path: Path
    options: dict[str, Any]
    targets: list[Target]


def keep(context: Context, run: str, options: Mapping[str, Any], left: Iterable[Target]) -> int:
    """Keep what an interrupted run had not reached; returns the number of targets. Raises OSError."""
    from archive.model import Role
    from storage.private import open_private, private_folder

    folder = context.interrupted_folder()
    private_folder(folder)
    path = folder / f"{run}.jsonl"
    count = 0
    with open_private(path.with_suffix(".part"), "wb") as file:
        file.write(json.dumps({"options": dict(options)}).encode() + b"\n")
        for target in left:
            if target.role != Role.ROBOTS:  # asked for anew
                file.write(json.dumps(asdict(target)).encode() + b"\n")
                count += 1
    if count:
        path.with_suffix(".part").replace(path)
    else:
        path.with_suffix(".part").unlink()
    return count


def interrupted(context: Context) -> Iterator[Interrupted]:
    """Yield the captures that were interrupted, oldest first; a file that cannot be read is passed over and named."""
    for path in sorted(context.interrupted_folder().glob("*.jsonl")):
        try:
            first, *lines = path.read_text("utf-8").splitlines()
            options = {name: _as_given(value) for name, value in json.loads(first)["options"].items()}
            yield Interrupted(path, options, [_target(json.loads(line)) for line in lines])
        except (OSError, ValueError, KeyError, TypeError) as error:
            context.say(f"{path} cannot be read ({error}), and is passed over: delete it")


def _as_given(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _target(entry: dict[str, Any]) -> Target:
    from archive.model import Role, Target

    headers = tuple((str(name), str(value)) for name, value in entry.pop("headers"))
    return Target(**{**entry, "role": Role(entry["role"]), "headers": headers})


def resume_command(context: Context) -> str:
    """Return the command that goes on with an interrupted capture, and publishes what waits."""
    return shlex.join(["onrecord", "--store", context.store, "capture", "--resume"])


def note_waiting(context: Context, url: str | None = None) -> None:
    """Say which runs wait in the spool, with this URL where they hold it, and what was not reached."""
    from archive.runs import Spool, left_runs
    from pipeline.cli.output import many

    if not (any((state_folder() / "spool").glob("*/2*")) or (state_folder() / "interrupted").is_dir()):
        return  # without a look at the store
    command = resume_command(context)
    for run, urls in left_runs(Spool(state_folder() / "spool", context.address())):
        here = ", this URL among them" if url is not None and url in urls else ""
        context.say(f"run {run} waits in the spool with {many(len(urls), 'capture')}{here}; to publish it: {command}")
    left = sum(len(found.targets) for found in interrupted(context))
    if left:
        context.say(f"{many(left, 'target')} of an interrupted capture not reached; to fetch them: {command}")
