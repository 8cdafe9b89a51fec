"""`onrecord verify`: a look at every run, or every byte of the archive."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.context import Context
from pipeline.cli.output import json_line, many, plain, print_json
from pipeline.cli.output_file import to_file
from pipeline.cli.progress import Progress
from pipeline.cli.time_params import Span

if TYPE_CHECKING:
    from archive.crypto import PublicKey
    from archive.evidence import Checkpoint
    from archive.verify import Finding, Readings, Verification
    from storage.base import ObjectStore


@click.command("verify")
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--deep", is_flag=True, help="Read every byte.")
@click.option("--resume", is_flag=True, help="With --deep: go on where the last reading of the archive ended.")
@click.option("--older-than", "age", type=Span(), help="With --deep: read what was not read for so long, as 30d.")
@click.option("--time-limit", "limit", type=Span(), help="With --deep: begin no further run after this time, as 1h.")
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A checkpoint that you kept elsewhere: report what was removed since.",
)
@click.option("--report", type=click.Path(path_type=Path), help="Write what was found to a JSON file.")
@click.pass_obj
def command(
    context: Context,
    runs: tuple[str, ...],
    deep: bool,
    resume: bool,
    age: timedelta | None,
    limit: timedelta | None,
    checkpoint: Path | None,
    report: Path | None,
) -> None:
    """Check every run of the archive, or the runs that are named; with --deep, read every byte.

    A look reads manifests, digest files and index heads, compares what is listed with them, and looks for every earlier
    run that a manifest names, and for what was signed of the archive, on this machine too. It sees what is missing, cut
    or altered in length, not what is altered within a file. --deep holds every file against its manifest, reads every
    gzip member and record to its last byte, makes every digest again, compares every index line with its record. This
    machine remembers when each run was read whole.

    Example: onrecord verify --deep --older-than 30d --time-limit 1h
    """
    from archive.errors import IntegrityError

    if not deep and (resume or age or limit):
        raise click.UsageError("--resume, --older-than and --time-limit are for --deep", click.get_current_context())
    if resume and (age or runs):
        raise click.UsageError("--resume goes on with everything: leave out --older-than and runs")
    archive = context.open_archive()
    archive.require()
    end = None if limit is None else time.monotonic() + limit.total_seconds()
    asked = _Asked(runs, deep, resume, age, end, _held(context, checkpoint), tuple(context.known_keys()))
    bar = _bar(context, deep=deep)
    told = _Told(context, bar, named=archive.has_replicas)
    with closing(bar), to_file(report) if report else closing(_Nowhere()) as file:
        written = _Report(file, archive.url, deep=deep)
        for store, (finding, read) in archive.each_store(lambda store: _look(context, store, asked, told)):
            told(store, finding)
            written.add(store, finding, read)
        for store, finding in archive.lacking() if not runs else ():
            told(store, finding)
            written.add(store, finding, None)
        written.end(told.faults, told.unread)
    context.say(told.summary(deep=deep))
    if checkpoint and not runs and not told.faults:
        context.say(
            f"{checkpoint} holds: nothing was taken out of the log of runs, or altered in it, since it was signed"
        )
    if told.faults:
        raise IntegrityError(
            f"{many(told.faults, 'fault')} found: repair them: onrecord repair --from STORE, a copy of the store"
        )


def _bar(context: Context, *, deep: bool) -> Progress:
    return Progress(enabled=context.draws, total=None, what="reading" if deep else "checking", unit="run")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be looked at: the runs that are named or all, and which of them are read to their last byte."""

    runs: tuple[str, ...]
    deep: bool
    resume: bool
    age: timedelta | None
    end: float | None  # of the monotonic clock
    held: Mapping[str, Checkpoint]
    known: tuple[PublicKey, ...]


def _look(
    context: Context, store: ObjectStore, asked: _Asked, told: _Told
) -> Iterator[tuple[Finding, datetime | None]]:
    """Yield what is found in one store, and when each run was last read whole by this machine."""
    with closing(context.readings(store)) as readings:
        since = _since(readings, resume=asked.resume, age=asked.age, everything=asked.deep and not asked.runs)
        checking = context.archive_at(store).verification(
            readings, deep=asked.deep, since=since, end=asked.end, held=asked.held, known=asked.known
        )
        for finding in checking.findings(list(asked.runs) or None):
            yield finding, readings.last(finding.manifest)
        _finish(readings, checking, everything=asked.deep and not (asked.runs or asked.age))
        told.unread += len(checking.unread)


def _held(context: Context, file: Path | None) -> dict[str, Checkpoint]:
    """Return the checkpoint that is named, and the one that this machine signed last."""
    from archive.evidence import remembered_checkpoint

    own = context.last_checkpoint()
    last = remembered_checkpoint(own)
    held = {f"the checkpoint that this machine signed last, {own}": last} if last else {}
    return held | ({str(file): _parsed(file)} if file else {})


def _parsed(file: Path) -> Checkpoint:
    from archive.errors import IntegrityError
    from archive.evidence import Checkpoint

    try:
        return Checkpoint.parse(file.read_bytes())
    except IntegrityError as error:
        raise IntegrityError(
            f"--checkpoint {file}: {error}; name a file of `onrecord evidence checkpoint -o`"
        ) from error


def _since(readings: Readings, *, resume: bool, age: timedelta | None, everything: bool) -> datetime | None:
    """From when on a reading counts; with none, no earlier one does."""
    from archive.times import now

    if age is not None:
        return now() - age
    began = readings.unfinished() if resume else None
    if everything and began is None:
        readings.begin(now())
    return began


def _finish(readings: Readings, checking: Verification, *, everything: bool) -> None:
    if everything and not checking.unread:
        readings.end()


class _Told:
    """Prints each finding, and counts."""

    def __init__(self, context: Context, progress: Progress, *, named: bool) -> None:
        self._context = context
        self._progress = progress
        self._named = named
        self._counts: Counter[str] = Counter()
        self.faults = 0
        self.unread = 0

    def __call__(self, store: ObjectStore, finding: Finding) -> None:
        self._counts["runs"] += finding.committed
        self._counts["read"] += finding.committed and finding.read
        self._counts["records"] += finding.records
        self._counts["bytes"] += finding.bytes if finding.read else 0
        self._counts["listed"] += 0 if finding.read else finding.bytes
        self.faults += len(finding.faults)
        if self._context.as_json:
            print_json(asdict(finding) | ({"store": store.url} if self._named else {}))
            return
        self._progress.advance(failed=bool(finding.faults), size=finding.bytes if finding.read else 0)
        where = f"{plain(store.url)}: " if self._named else ""
        for fault in finding.faults:
            self._progress.print(f"{where}{plain(finding.run)}: {plain(fault)}", error=True)
        for note in finding.notes if not self._context.quiet else ():
            self._progress.print(f"{where}{finding.run}: {plain(note)}", error=False)
        if finding.run.startswith(("index/", "notices/", "annotations/")) or (finding.faults and not finding.committed):
            return
        if not finding.committed:
            self._context.say(f"{where}{finding.run} was never committed: it is no part of the archive")
        elif not finding.faults and not self._context.quiet and finding.read:
            whole = f"{many(finding.records, 'record')}, {many(finding.bytes, 'byte')}"
            self._progress.print(f"{where}{finding.run}: whole, {whole}", error=False)

    def summary(self, *, deep: bool) -> str:
        """Return the last line: what was read, and what was not."""
        of = self._counts
        if not deep:
            return (
                f"{many(of['runs'], 'run')} looked at, {many(of['listed'], 'byte')} listed, "
                f"{many(self.faults, 'fault')}; manifests and "
                "sizes were compared, what was captured was not read: for every byte, onrecord verify --deep"
            )
        text = f"{many(of['read'], 'run')}, {many(of['records'], 'record')}, {many(of['bytes'], 'byte')}"
        text = f"{text}, {many(self.faults, 'fault')}"
        if self.unread:
            left = many(self.unread, "run")
            return f"{text}; time is over, {left} not read yet: continue with onrecord verify --deep --resume"
        if of["read"] == of["runs"]:
            return f"{text}; every byte was read"
        return f"{text}; every byte of these was read, {many(of['runs'] - of['read'], 'run')} read before"


class _Nowhere:
    """A report that nobody wants."""

    def write(self, data: bytes) -> int:
        return len(data)

    def close(self) -> None:
        """Nothing was opened."""


class _Report:
    """A JSON file, written as the findings come: {"store","began","deep","runs":[...],"ended","faults","unread"}."""

    def __init__(self, file: Any, store: str, *, deep: bool) -> None:
        from archive.times import iso, now

        self._file = file
        self._first = True
        head = json.dumps({"store": store, "began": iso(now()), "deep": deep})
        file.write(f'{head[:-1]}, "runs": [\n'.encode())

    def add(self, store: ObjectStore, finding: Finding, read: datetime | None) -> None:
        """Print a line for a run: what was found, and when this machine last read it completely."""
        from archive.times import iso

        entry = asdict(finding) | {"store": store.url, "last_read": read and iso(read)}
        self._file.write((b"" if self._first else b",\n") + json_line(entry))
        self._first = False

    def end(self, faults: int, unread: int) -> None:
        """Print the last line."""
        from archive.times import iso, now

        tail = json.dumps({"ended": iso(now()), "faults": faults, "unread": unread})
        self._file.write(f"\n], {tail[1:]}\n".encode())
