"""A page to capture, or a file to import: what was asked, by whom, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from archive.times import from_iso

COLUMNS = "id, kind, what, person, added, state, size, ended, outcome, error, run, url, captured"


class Kind(StrEnum):
    """What a job asks for."""

    CAPTURE = "capture"
    IMPORT = "import"


class State(StrEnum):
    """How far a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of a job: an outcome by its name, the run that holds it, and where its capture is found."""

    ok: bool
    outcome: str
    error: str | None = None
    run: str | None = None
    url: str | None = None  # where redirects led
    captured: datetime | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A page to capture, or a file to import, and what came of it."""

    id: str  # nobody guesses it
    kind: Kind
    what: str  # the URL, or the name of the file
    person: str  # whose token it came with
    added: datetime
    state: State
    size: int  # bytes of the file
    ended: datetime | None
    result: Ended | None


def job_of(row: tuple[str | int | None, ...]) -> Job:
    """Return the job of a row of COLUMNS."""
    name, kind, what, person, added, state, size, ended, *came = row
    outcome, error, run, url, captured = (None if each is None else str(each) for each in came)
    result = None
    if ended is not None:
        at = from_iso(captured) if captured else None
        result = Ended(state == State.DONE, outcome or "", error, run, url, at)
    return Job(
        str(name), Kind(str(kind)), str(what), str(person), from_iso(str(added)), State(str(state)), int(size or 0),
        from_iso(str(ended)) if ended else None, result,
    )  # fmt: skip
