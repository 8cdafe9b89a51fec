"""From what the network brought to what is kept: records at once, then what bodies say, then the acknowledgement."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from archive.formats import at_capture
from archive.model import Fetched, Made, Outcome, Role, Snapshot, Target
from archive.runs import Session
from archive.times import iso, now
from archive.warc import Origin, mime_of
from pipeline.capture.http.failures import LACKS, STANDS
from pipeline.crawl.frontier import Frontier, Wanted, seed_of
from pipeline.crawl.robots_gate import RobotsAnswer
from pipeline.crawl.scope import Rules
from pipeline.discover.outlinks import MOST, Findings, Hop
from pipeline.extract.extractor_pool import Extractors
from pipeline.extract.tasks import Task, may_hold_text
from pipeline.ingest.answers import is_read, small_body, standing_in, with_wall
from pipeline.ingest.documents import Documents
from pipeline.ingest.extraction_queue import Done, Job, Jobs
from pipeline.ingest.import_room import Texts
from pipeline.ingest.reading_outcome import with_reading

if TYPE_CHECKING:
    from pipeline.capture.browser.visit_many import Browsed

Report = Callable[[Outcome, bytes], None]

_HTML = frozenset({"text/html", "application/xhtml+xml"})
_TASKS = {Role.FEED: Task.FEED, Role.SITEMAP: Task.SITEMAP}
_ROBOTS_LIMIT = 512_000  # bytes
_SHORT_TEXT = 1_000  # words; a longer one is no notice in a page's place
_ACK_AFTER = 0.05  # seconds an outcome waits for others to share its fsync
_SYNC_SHARE = 10  # or this many times what the last fsync took, if that is more


class Writing:
    """What is under way between the network and the session of one run. Not for use by two threads at once.

    Without a frontier (a run that is recovered) nothing that is found leads anywhere.
    """

    def __init__(
        self,
        session: Session,
        pool: Extractors,
        frontier: Frontier | None,
        report: Report,
        rules: Rules,
        decoded_limit: int,
        short_texts: dict[str, frozenset[str]] | None = None,
        texts: Texts | None = None,
    ) -> None:
        """`short_texts` is given the words of short texts by record id, for `report` to take out.

        `texts` bounds what is read, and takes the documents in place of the session.
        """
        self._texts = texts
        self._short_texts = short_texts
        self._session = session
        self._frontier = frontier
        self._report = report
        in_order = rules.requisites or rules.depth > 0
        most = max(rules.limit, MOST)
        self._jobs = Jobs(session, pool, decoded_limit, in_order=in_order, most=most, bounds=texts)
        self._documents = Documents(texts.add if texts else session.add_document, session.capture_of)
        self._unacknowledged: list[tuple[Outcome, bytes]] = []
        self._sync_due = 0.0
        self._sync_cost = 0.0

    def take_browsed(self, browsed: Browsed) -> None:
        """Write what a visit in the browser brought: what the page asked for, the page, and what was made of it."""
        page, *requisites = browsed.fetched
        for fetched in requisites:
            self._conclude(self._record(fetched, page=False, read=False)[1])
            fetched.discard()
        beside = [fetched.target.url for fetched in requisites]
        self.take(page, browsed.resources, browsed.notes, beside)

    def take(
        self,
        fetched: Fetched,
        made: tuple[Made, ...] = (),
        notes: tuple[str, ...] = (),
        beside: Iterable[str] = (),
    ) -> None:
        """Write the records of what was fetched, and of what was made of it, and see its body on its way.

        `beside` are the URLs that the browser captured for the page. The frontier is asked what is wanted of the body
        here, and given what the body said when it was read: here where it is not, else by `advance`.
        """
        assert self._frontier is not None, "what is recovered or imported is not fetched"
        target = fetched.target
        wanted = self._frontier.wanted(fetched, beside)
        task = _task(fetched, mime_of(fetched.exchanges[-1]), wanted) if fetched.exchanges else None
        page = target.role == Role.PAGE and _is_whole(fetched)
        snapshot, outcome = self._record(fetched, page=page, read=task is not None)
        if notes:
            outcome = replace(outcome, notes=(*outcome.notes, *notes))
        rendered = self._made(made, snapshot) if made and snapshot is not None else None
        if rendered and snapshot is not None and snapshot.revisit and outcome.outcome == snapshot.availability:
            outcome = replace(outcome, outcome="ok", error=None)  # the rendered page is read, and judged by itself
        robots = None
        if wanted.rules:  # that a site has none is no failure
            robots = _robots_answer(fetched, outcome)
            outcome = replace(outcome, role=Role.ROBOTS.value)
        if snapshot is not None:
            mime = snapshot.mime
            last = fetched.exchanges[-1]
            holds = page and (rendered or snapshot.revisit or is_read(last, mime))
            task = self._page(snapshot, rendered, wanted.links, bool(holds)) if page else _task(fetched, mime, wanted)
        if snapshot is None or task is None:
            self._conclude(outcome)
            self._frontier.learned(target, robots=robots)
        else:
            job = Job(snapshot.place, target, task, outcome, robots=robots, rendered=rendered)
            if task in {Task.FRAME, Task.CSS}:  # nothing is read there that an outcome names
                self._conclude(outcome)
                job.outcome = None
            self._jobs.add(job, fetched.exchanges[-1])
        fetched.discard()
        for thing in made:
            thing.block.discard()

    def resume(self, snapshot: Snapshot) -> None:
        """Take up a page whose records were kept before its writer was killed."""
        dom = self._session.newest(f"urn:dom:{snapshot.url}")
        self.read_page(snapshot, dom.place if dom else None)

    def read_page(self, snapshot: Snapshot, rendered: str | None) -> None:
        """Have the text of a page made whose records are kept; `rendered` is the place of what it is made from."""
        target = Target(snapshot.url)
        if self._page(snapshot, rendered, False, True) == Task.ARTICLE:
            named = None
            if self._texts is not None:
                named = at_capture(Outcome(snapshot.url, "ok", iso(snapshot.timestamp), role="text"), snapshot)
            self._jobs.add(Job(snapshot.place, target, Task.ARTICLE, named, rendered=rendered))

    def advance(self) -> None:
        """Move everything on as far as it goes without waiting."""
        for done in self._jobs.advance():
            self._read(done)
        for outcome in self._frontier.left_out() if self._frontier else ():
            self._conclude(outcome)
        if self._unacknowledged and time.monotonic() >= self._sync_due:
            self._acknowledge()

    def abandon(self, targets: Iterable[Target], why: str) -> None:
        """Conclude targets that are not waited for any longer."""
        for target in targets:
            role = None if target.role == Role.PAGE else target.role.value
            hops = target.hops or None
            seed = seed_of(target)
            self._conclude(
                Outcome(
                    target.url, "out-of-time", iso(now()), error=why, role=role, via=target.via, hops=hops, seed=seed
                )
            )

    def read_out(self) -> None:
        """Wait for every body that came."""
        while self._jobs.wait(_ACK_AFTER):
            self.advance()
        self.advance()

    def finish(self) -> None:
        """Wait for every body, write every document, and acknowledge everything."""
        self.read_out()
        for outcome in self._frontier.left_out(at_end=True) if self._frontier else ():
            self._conclude(outcome)
        self._documents.finish()
        self._acknowledge()

    # From exchanges to records

    def _record(self, fetched: Fetched, *, page: bool, read: bool) -> tuple[Snapshot | None, Outcome]:
        target = fetched.target
        via, hops = target.via, target.hops
        snapshot = wall = None
        last = len(fetched.exchanges) - 1
        for number, exchange in enumerate(fetched.exchanges):
            final = number == last
            origin = Origin(via, hops)
            if final:
                wall = standing_in(exchange, page=target.role == Role.PAGE)
            stands = wall[0] if final and wall else None
            whole = page and final
            snapshot = self._session.add(exchange, page=whole, origin=origin, read=read and final, availability=stands)
            via, hops = exchange.url, hops + Hop.REDIRECT
        outcome = _outcome(fetched, snapshot)
        return snapshot, with_wall(outcome, wall) if wall else outcome

    def _made(self, made: tuple[Made, ...], page: Snapshot) -> str | None:
        """Write what was made of a page; returns the place of what scripts made of its markup."""
        rendered = None
        for thing in made:
            snapshot = self._session.add_made(thing, page)
            rendered = snapshot.place if thing.url.startswith("urn:dom:") else rendered
        return rendered

    def _page(self, snapshot: Snapshot, rendered: str | None, links: bool, holds: bool) -> Task | None:
        """Return what is left to be read of a page: all of it, what it leads to when its text is known, or nothing.

        `holds` says that its body holds a text, as far as its media type allows that.
        """
        if not (holds and may_hold_text(snapshot.mime)):
            self._session.describe(snapshot.place, ())
            self._documents.add(snapshot, None)
            return None
        drawn = snapshot.text is not None and snapshot.text.rendered  # then its text is not that of these bytes
        if snapshot.revisit and not rendered and not drawn:
            self._documents.same(snapshot)
            return Task.FRAME if links else None
        return Task.ARTICLE

    # From bodies to documents and further targets

    def _read(self, done: Done) -> None:
        job, read = done
        snapshot = self._session.snapshot(job.place)
        reading = read.reading
        findings = reading.findings if reading else Findings()
        self._session.describe(job.place, [f"{link.url} {link.hop} {link.context}" for link in findings.outlinks])
        unread = job.task == Task.ARTICLE and self._texts is not None and self._texts.unread(snapshot, read)
        if job.task == Task.ARTICLE and not unread:
            rendered = self._session.snapshot(job.rendered).payload if job.rendered else None
            article = reading.article if reading else None
            self._documents.add(snapshot, article, rendered)
            words = (article.text or "").lower().split() if article and self._short_texts is not None else []
            if words and len(words) <= _SHORT_TEXT and self._short_texts is not None:
                self._short_texts[snapshot.record_id] = frozenset(words)
        if job.outcome is not None:
            outcome = with_reading(job, job.outcome, read.verdict, reading)
            if self._texts is None or (not unread and self._texts.may_say(outcome, read.verdict)):
                self._conclude(outcome)
        if self._frontier is not None:
            self._frontier.learned(job.target, findings, at=snapshot.url, robots=job.robots)

    # From records to acknowledgements

    def _conclude(self, outcome: Outcome) -> None:
        if not self._unacknowledged:
            self._sync_due = time.monotonic() + max(_ACK_AFTER, _SYNC_SHARE * self._sync_cost)
        self._documents.note(outcome)
        self._unacknowledged.append((outcome, self._session.add_outcome(outcome)))

    def _acknowledge(self) -> None:
        """One fsync for all outcomes that wait: only then are they told to anyone."""
        begun = time.monotonic()
        self._session.checkpoint()
        self._sync_cost = time.monotonic() - begun
        acknowledged, self._unacknowledged = self._unacknowledged, []
        for outcome, line in acknowledged:
            self._report(outcome, line)


def _is_whole(fetched: Fetched) -> bool:
    """Whether a target's last response is what was asked for: no tombstone, no redirect that led nowhere."""
    if not fetched.exchanges:
        return False
    status = fetched.exchanges[-1].status
    return 200 <= status < 300 or status == 304


def _task(fetched: Fetched, mime: str, wanted: Wanted) -> Task | None:
    """Return what is to be read in the last response's body, if anything."""
    role = fetched.target.role
    if role == Role.ROBOTS or not _is_whole(fetched):
        return None
    if role == Role.PAGE:
        return Task.ARTICLE
    if role in _TASKS:
        return _TASKS[role]
    if not wanted.links:
        return None
    return Task.CSS if mime == "text/css" else Task.FRAME if mime in _HTML else None


def _robots_answer(fetched: Fetched, outcome: Outcome) -> RobotsAnswer:
    last = fetched.exchanges[-1] if fetched.exchanges else None
    body = small_body(last, _ROBOTS_LIMIT) if last and _is_whole(fetched) else None
    return RobotsAnswer(last.status if last else None, body, outcome.error or outcome.outcome)


def _outcome(fetched: Fetched, snapshot: Snapshot | None) -> Outcome:
    target = fetched.target
    outcome = Outcome(
        url=target.url,
        outcome=fetched.verdict.name,
        timestamp=iso(snapshot.timestamp if snapshot else now()),
        error=fetched.verdict.error,
        role=None if target.role == Role.PAGE else target.role.value,
        via=target.via,
        hops=target.hops or None,
        seed=seed_of(target),
    )
    if snapshot is None:
        return outcome
    if snapshot.revisit and snapshot.availability and outcome.ok:  # it is not read again, and stands for the same
        outcome = replace(outcome, outcome=snapshot.availability, error=(STANDS | LACKS).get(snapshot.availability))
    return replace(
        at_capture(outcome, snapshot),
        revisit=snapshot.revisit,
        final_url=snapshot.url if len(fetched.exchanges) > 1 else None,
        notes=fetched.exchanges[-1].notes,
    )
