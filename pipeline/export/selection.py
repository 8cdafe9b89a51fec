"""Which captures an export holds: what was asked for, and what it needs to be shown."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from archive.archive import Reader
from archive.errors import ArchiveError, NoSuchSnapshot, Withheld
from archive.formats import DamagedLine
from archive.model import Reference, Role, Snapshot
from archive.warc import decoded
from pipeline.discover.outlinks import Hop
from pipeline.extract.extractor_pool import Extractors, extracted
from pipeline.extract.tasks import Page, Task
from storage.errors import ObjectMissing

_log = logging.getLogger("onrecord.pipeline")

MOST = 100_000  # captures that are added to what was asked for
# What programs put before a page's address to name what they made of it.
MADE_OF = (
    "urn:dom:",
    "urn:fullPageFinal:",
    "urn:pdf:",
    "urn:view:",
    "urn:thumbnail:",
    "urn:text:",
    "urn:pageinfo:",
    "urn:mhtml:",
)
_BESIDE = timedelta(hours=1)  # between a page's capture and what was made of it
_BODY = 20_000_000  # bytes of a page that is looked through for what it needs

_PAGES = frozenset({"text/html", "application/xhtml+xml", "unk"})
_TASKS = {"text/html": Task.FRAME, "application/xhtml+xml": Task.FRAME, "text/css": Task.CSS}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a user asked for; without a URL and a time it is whole runs, all of them where none is named."""

    url: str | None = None
    match: str = "exact"
    start: datetime | None = None
    end: datetime | None = None
    runs: tuple[str, ...] = ()
    collection: str | None = None

    @property
    def whole_runs(self) -> bool:
        """Whether runs are wanted as they are, with every record in them."""
        return self.url is None and self.start is None and self.end is None and self.collection is None


def wanted_captures(archive: Reader, wanted: Wanted) -> Iterator[Snapshot]:
    """Yield the captures that were asked for, withheld ones too.

    Raises NoSuchSnapshot for a run that is not there, IntegrityError.
    """
    if wanted.collection is not None:
        for snapshot in archive.collection(wanted.collection):
            is_asked = wanted.url is None or archive.matches(snapshot, wanted.url, wanted.match)
            if is_asked and not _is_outside(snapshot, wanted):
                yield snapshot
        return
    if wanted.url is not None:
        found = archive.snapshots(wanted.url, match=wanted.match, start=wanted.start, end=wanted.end)
        yield from (snapshot for snapshot in found if not wanted.runs or snapshot.run in wanted.runs)
        return
    for run in runs_of(archive, wanted):
        for snapshot in archive.captures_of(run):
            if snapshot.run == run and not _is_outside(snapshot, wanted):
                yield snapshot


def _is_outside(snapshot: Snapshot, wanted: Wanted) -> bool:
    """Return whether a capture is not of the time, or of the runs, that were asked for."""
    late = wanted.end is not None and snapshot.timestamp > wanted.end
    early = wanted.start is not None and snapshot.timestamp < wanted.start
    return late or early or bool(wanted.runs and snapshot.run not in wanted.runs)


def runs_of(archive: Reader, wanted: Wanted) -> list[str]:
    """Return the runs that are meant, oldest first; raises NoSuchSnapshot for one that is not there."""
    there = archive.runs()
    for run in wanted.runs:
        if run not in there:
            raise NoSuchSnapshot(f"there is no run {run}; `onrecord --json snapshots URL` names runs")
    return sorted(set(wanted.runs)) if wanted.runs else there


def with_referents(archive: Reader, snapshots: Iterable[Snapshot]) -> list[Snapshot]:
    """Each capture once, with those that hold the payloads of revisits, by time."""
    chosen = {snapshot.place: snapshot for snapshot in snapshots}
    for snapshot in list(chosen.values()):
        reference = snapshot.refers_to
        if reference is None or reference.record.place in chosen:
            continue
        at = reference.timestamp
        for other in archive.snapshots(reference.url, start=at, end=at):
            if other.place == reference.record.place:
                chosen[other.place] = other
                break
        else:  # no line of its own any more: the reference knows enough to find it
            chosen[reference.record.place] = replace(
                snapshot, url=reference.url, timestamp=at, record_id=reference.record_id, record=reference.record,
                refers_to=None, document=None,
            )  # fmt: skip
    return sorted(chosen.values(), key=lambda snapshot: (snapshot.timestamp, snapshot.url, snapshot.place))


class Needs:
    """Finds the captures that pages need to be shown: what they name, as it was nearest in time, and what that names.

    What a browser asked for is known from the run's own outcomes: scripts name it nowhere.
    """

    def __init__(self, archive: Reader, pool: Extractors) -> None:
        self._archive = archive
        self._pool = pool
        self._via: dict[str, dict[str, list[str]]] = {}  # run -> page -> URLs
        self.withheld = 0  # what pages name and is not to be shown

    def of(self, pages: Iterable[Snapshot]) -> Iterator[Snapshot]:
        """Yield what pages need, each capture once, requisites of requisites too, and where redirects lead."""
        queue = deque(pages)
        seen = {snapshot.place for snapshot in queue}
        while queue and len(seen) < MOST:
            page = queue.popleft()
            for found in (*self.made_of(page), *map(partial(self._near, page), self._named(page))):
                if found is not None and found.place not in seen:
                    seen.add(found.place)
                    queue.append(found)
                    yield found

    def made_of(self, page: Snapshot) -> Iterator[Snapshot]:
        """Yield what was made of a page: the markup that its text is made from, the picture of it, and the like."""
        if page.mime not in _PAGES or not page.url.lower().startswith(("http:", "https:")):
            return
        rendered = self._rendered(page)
        start, end = _around(page.timestamp)
        for form in MADE_OF:
            found = self._archive.snapshots(form + page.url, start=start, end=end)
            at = rendered.timestamp if rendered else page.timestamp
            same_run = [each for each in found if each.run == page.run or _home(each) == _home(page)]
            self.withheld += any(each.withheld for each in same_run)
            shown = [each for each in same_run if not each.withheld]
            exact = [each for each in shown if rendered and each.place == rendered.record.place]
            if shown:
                yield (exact or sorted(shown, key=lambda each: (abs(each.timestamp - at), each.place)))[0]

    def _rendered(self, page: Snapshot) -> Reference | None:
        try:
            document = self._archive.document(page) if page.document else None
        except ArchiveError:  # `verify` names it
            return None
        return document.rendered if document else None

    def _near(self, page: Snapshot, url: str) -> Snapshot | None:
        try:
            return self._archive.near(url, page.timestamp)
        except Withheld:
            self.withheld += 1
            return None

    def _named(self, page: Snapshot) -> Iterator[str]:
        if page.is_redirect and page.location is not None:
            yield page.location
            return
        yield from self._asked(page)
        task = _TASKS.get(page.mime)
        if task is None or page.is_tombstone:
            return
        try:
            head, _, entity = self._archive.payload(page)
            body = b"".join(decoded(entity, head.content_encoding, _BODY))
        except ArchiveError:  # it is exported as it is; whoever opens it sees what a browser would have
            return
        reading = extracted(self._pool.submit(Page(page.url, body, head.header("Content-Type"), task))).reading
        if reading is not None:
            yield from (outlink.url for outlink in reading.findings.of(Hop.EMBED))

    def _asked(self, page: Snapshot) -> list[str]:
        if page.run not in self._via:
            self._via[page.run] = _requisites_of_run(self._archive, page.run)
        return self._via[page.run].get(page.url, [])


def _around(at: datetime) -> tuple[datetime, datetime]:
    """Return the ends of the span of time in which things are made of a page."""
    ends = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    return max(at, ends[0] + _BESIDE) - _BESIDE, min(at, ends[1] - _BESIDE) + _BESIDE


def _home(snapshot: Snapshot) -> str:
    """Return the folder of the file that holds a capture's record, which a text that is made again leaves there."""
    return snapshot.record.key.rpartition("/")[0]


def _requisites_of_run(archive: Reader, run: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    try:
        for line in archive.unguarded().outcomes(run):
            if isinstance(line, DamagedLine):
                why = f"line {line.number} of its outcomes is damaged: {line.reason}"
                _log.warning("run %s: %s; run `onrecord verify --deep`", run, why)
            elif line.outcome.role == Role.REQUISITE and line.outcome.record_id:
                found.setdefault(str(line.outcome.via), []).append(line.outcome.url)
    except (ArchiveError, ObjectMissing):  # `verify` names what is wrong with it
        return found
    return found
