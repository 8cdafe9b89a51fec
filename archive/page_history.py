"""The snapshots of pages as the one judge judges them, read from an archive."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby, islice

from archive.errors import IntegrityError, NoSuchSnapshot
from archive.formats.surt import urlkey
from archive.formats.tracking import untracked
from archive.index.finder import spelling_of
from archive.model import Outcome, RecordRef, Snapshot, TextMark
from archive.reader import Reader
from archive.states import Availability, Certainty, Judge, Judged, Name, PageState, SnapshotState, page_state
from archive.stored_texts import Same, StoredTexts
from archive.times import from_iso, iso

_RECENT = 400  # snapshots from which a page's state is made,
_MOST = 20_000  # or this many, where none of them shows the page
_KEPT_PAGES = 2_000


@dataclass(frozen=True, slots=True)
class PageHistory:
    """The snapshots of one page in the order of time, each with its state, and where the page stands."""

    judged: tuple[Judged, ...]
    now: Availability
    state: PageState | None

    def state_of(self, snapshot: Snapshot) -> SnapshotState | None:
        """Return the state of one of the snapshots."""
        return next((each.state for each in self.judged if each.snapshot.place == snapshot.place), None)

    def edited_since(self, snapshot: Snapshot) -> Judged | None:
        """Return the first snapshot after this one that shows the page with another text than all before it."""
        for each in self.judged:
            later = each.snapshot.true_time > snapshot.true_time
            if later and (each.state.name == Name.EDITED or each.state.edited):
                return each
        return None

    def moved_since(self, snapshot: Snapshot) -> Judged | None:
        """Return the first of the redirects with which the history ends, where they are later than a snapshot."""
        found = None
        for each in reversed(self.judged):
            if each.state.name != Name.MOVED or each.snapshot.true_time <= snapshot.true_time:
                break
            found = each
        return found if found is not None and is_led_elsewhere(snapshot.url, found.state.detail) else None


def judged(texts: StoredTexts, snapshots: Iterable[Snapshot]) -> Iterator[Judged]:
    """Judge snapshots that come by key, then time, each page's beside each other; yields them in that order.

    Where an index is damaged, what is sound is given first; then IntegrityError is raised.
    """
    faults: list[IntegrityError] = []
    for _, group in groupby(_sound(snapshots, faults), key=lambda each: urlkey(each.url)):
        held = list(group)
        states: dict[str, Judged] = {}
        for page in _pages(held):
            states |= {each.snapshot.place: each for each in history(texts, page).judged}
        yield from (states[each.place] for each in held)
    if faults:
        raise faults[0]


def histories(texts: StoredTexts, snapshots: Iterable[Snapshot]) -> Iterator[PageHistory]:
    """Yield the history of each page, of snapshots that come by key, then time; raises IntegrityError at the end.

    Where an index is damaged, what is sound is given first.
    """
    faults: list[IntegrityError] = []
    for _, group in groupby(_sound(snapshots, faults), key=lambda each: urlkey(each.url)):
        for page in _pages(list(group)):
            yield history(texts, page)
    if faults:
        raise faults[0]


def _sound(snapshots: Iterable[Snapshot], faults: list[IntegrityError]) -> Iterator[Snapshot]:
    """Yield snapshots up to where an index is damaged; what is wrong is added to the faults."""
    try:
        yield from snapshots
    except IntegrityError as error:
        faults.append(error)


def _pages(snapshots: list[Snapshot]) -> Iterator[list[Snapshot]]:
    """Yield the snapshots of one key by spelling: paths that differ by case are pages of their own."""
    found: dict[str, list[Snapshot]] = {}
    for snapshot in snapshots:
        found.setdefault(spelling_of(snapshot.url), []).append(snapshot)
    yield from found.values()


def history(texts: StoredTexts, snapshots: Iterable[Snapshot]) -> PageHistory:
    """Judge all snapshots of one page."""
    judge = Judge(texts)
    found: list[Judged] = []
    for snapshot in sorted(snapshots, key=lambda each: each.true_time):
        found += judge.take(snapshot)
    found += judge.end()
    return PageHistory(tuple(found), judge.now, page_state(judge.now))


class States:
    """The state of any snapshot of an archive, each page judged whole and kept for those that are asked for next."""

    def __init__(self, reader: Reader, same: Same | None = None) -> None:
        self._reader = reader
        self._texts = StoredTexts(reader, same)
        self._pages: OrderedDict[str, dict[str, SnapshotState]] = OrderedDict()

    def of(self, snapshot: Snapshot) -> SnapshotState | None:
        """Return the state of a snapshot, None where the index no longer has it; raises IntegrityError, StoreError."""
        key = urlkey(snapshot.url)
        if key not in self._pages:
            found = judged(self._texts, self._reader.snapshots(snapshot.url))
            self._pages[key] = {each.snapshot.place: each.state for each in found}
            if len(self._pages) > _KEPT_PAGES:
                self._pages.popitem(last=False)
        return self._pages[key].get(snapshot.place)


def history_of(reader: Reader, url: str, same: Same | None = None) -> PageHistory:
    """Return the recent history of the page at exactly this path and query; raises IntegrityError, StoreError."""
    return history(StoredTexts(reader, same), _recent(reader, url))


def _recent(reader: Reader, url: str) -> list[Snapshot]:
    wanted = spelling_of(url)
    back = (each for each in _sound(reader.back(url), []) if spelling_of(each.url) == wanted)
    found = list(islice(back, _RECENT))
    if not any(each.text for each in found):
        found += islice(back, _MOST - len(found))
    return found


def state_of_outcome(
    reader: Reader,
    outcome: Outcome,
    extractor: str,
    words: frozenset[str] | None = None,
    same: Same | None = None,
    *,
    rendered: bool = False,
) -> SnapshotState | None:
    """Return the state of the capture that an outcome of a run under way is about, None where there is no capture.

    `extractor` made the outcome's text, from `rendered` markup or not; `words` are those of it in lower case.
    Raises IntegrityError, StoreError.
    """
    if outcome.record_id is None or outcome.status is None:
        return None
    url = outcome.final_url or outcome.url
    stands = outcome.outcome not in {"ok", "http-error"}
    snapshot = Snapshot(
        url=url,
        timestamp=from_iso(outcome.timestamp),
        status=outcome.status,
        mime=outcome.mime or "unk",
        digest=outcome.digest or "",
        record_id=outcome.record_id,
        record=RecordRef(outcome.key or "", outcome.offset or 0, outcome.length or 0),
        run="",
        title=outcome.title,
        availability=outcome.outcome if stands else None,
        text=TextMark(outcome.text, outcome.words or 0, extractor, rendered) if outcome.text else None,
    )
    before = [] if outcome.text or not outcome.revisit else [_repeated(reader, snapshot)]
    if before and before[0] is not None:
        snapshot = replace(snapshot, text=before[0].text, document=before[0].document)
    texts = StoredTexts(reader, same, {snapshot.place: words or frozenset()})
    return history(texts, [*_recent(reader, url), snapshot]).state_of(snapshot)


def _repeated(reader: Reader, snapshot: Snapshot) -> Snapshot | None:
    """Return the newest capture with the payload of one whose text was not made again."""
    recent = islice(reader.back(snapshot.url), _RECENT)
    return next((each for each in recent if each.digest == snapshot.digest and each.url == snapshot.url), None)


@dataclass(frozen=True, slots=True)
class Dated:
    """Of when an answer is: its time, how far that is from the time asked for, and what is known of the page since."""

    snapshot: Snapshot
    asked: datetime | None
    state: SnapshotState | None  # of the snapshot
    edited: Judged | None  # the first later snapshot with another text
    moved: Judged | None  # the first later snapshot that sends its reader to where the page is now
    page: PageState | None

    @property
    def distance(self) -> timedelta | None:
        """Return how much later than the time asked for the snapshot is; less than none where it is earlier."""
        return None if self.asked is None else self.snapshot.timestamp - self.asked

    def since(self) -> list[str]:
        """Return what is known of the page since: "edited since TIME", "to be confirmed: gone since TIME (404)"."""
        said = []
        if self.edited is not None:
            pending = self.edited.state.certainty == Certainty.PENDING
            words = f"edited since {iso(self.edited.snapshot.timestamp)}"
            said.append(f"{Certainty.PENDING}: {words}" if pending else words)
        if self.moved is not None:
            said.append(f"moved since {iso(self.moved.snapshot.timestamp)} ({self.moved.state.detail})")
        page = self.page
        if (
            page is not None
            and page.since > self.snapshot.true_time
            and page.name not in {"ok", Name.EDITED, Name.MOVED}
        ):
            said.append(page.words)
        return said

    def notes(self) -> list[str]:
        """Return where the snapshot is from, unless it is a capture of our own, and what is known of the page since."""
        return [self.snapshot.source, *self.since()] if self.snapshot.recovered else self.since()

    def fields(self) -> dict[str, object]:
        """Return all of it as JSON has it."""
        entry: dict[str, object] = dict(self.state.fields()) if self.state else {}
        if self.snapshot.recovered:
            entry["recovered_from"] = self.snapshot.recovered
        if self.asked is not None and self.distance is not None:
            entry |= {"asked": iso(self.asked), "seconds_from_asked": round(self.distance.total_seconds())}
        if self.edited is not None:
            entry["edited_since"] = iso(self.edited.snapshot.timestamp)
        if self.moved is not None:
            entry |= {"moved_since": iso(self.moved.snapshot.timestamp), "moved_to": self.moved.state.detail}
        if self.page is not None:
            entry["page"] = self.page.fields()
        return entry


def newest_shown(reader: Reader, url: str, same: Same | None = None) -> Snapshot:
    """Return the newest snapshot that shows the page, as the judge has it; raises as `closest` does.

    Where none does, the newest of what stands in its place.
    """
    found = reader.closest(url)
    url = reader.kept_address(url)
    page = history_of(reader, url if is_led_elsewhere(url, found.url) else found.url, same)
    entry = next((each for each in page.judged if each.snapshot.place == found.place), None)
    moved = next((each for each in reversed(page.judged) if each.snapshot.is_redirect), None)
    if entry is None and (moved is None or moved.state.name == Name.MOVED):
        return found  # where the page has moved to
    if entry is not None and entry.state.shows_page:
        return found
    shown = [each.snapshot for each in page.judged if each.state.shows_page]
    return next(reader.newest_first(shown), found)


def is_led_elsewhere(url: str, found: str) -> bool:
    """Return whether the address of what was found is not a spelling of the one that was named."""
    return urlkey(untracked(url)) != urlkey(untracked(found))


def is_other_spelling(url: str, found: str) -> bool:
    """Return whether an address names the same page as another one, in another spelling of path or query."""
    written = url if "://" in url else f"http://{url}"
    return not is_led_elsewhere(url, found) and spelling_of(written) != spelling_of(found)


def dated(reader: Reader, snapshot: Snapshot, asked: datetime | None, same: Same | None = None) -> Dated:
    """Return of when a snapshot is; raises IntegrityError, StoreError."""
    found = history_of(reader, snapshot.url, same)
    edited, moved = found.edited_since(snapshot), found.moved_since(snapshot)
    return Dated(snapshot, asked, found.state_of(snapshot), edited, moved, found.state)


def to_compare(
    reader: Reader, url: str, start: datetime | None, end: datetime | None, same: Same | None = None
) -> tuple[Snapshot, Snapshot]:
    """Return two snapshots of a page to compare, the earlier one first: those of two times, or the last two texts.

    Raises NoSuchSnapshot, and as `closest` does.
    """
    new = reader.closest(url, end) if end else newest_shown(reader, url, same)
    if start is not None:
        old = reader.closest(url, start)
        return (old, new) if old.timestamp <= new.timestamp else (new, old)
    before: list[Snapshot] = []
    state = None
    for entry in history_of(reader, new.url, same).judged:
        if entry.snapshot.place == new.place:
            if entry.earlier is not None:
                return entry.earlier, new
            state = entry.state
            break
        if entry.state.shows_page and entry.snapshot.document is not None:
            before.append(entry.snapshot)
    if state is not None and not state.shows_page:
        raise NoSuchSnapshot(
            f"no text of {url} shows the page: the newest snapshot is {state.words}; capture it again, or name "
            "two times with --from and --to"
        )
    if not before:
        raise NoSuchSnapshot(f"only one text is kept of {url}; capture it again later, and compare then")
    return before[-1], new
