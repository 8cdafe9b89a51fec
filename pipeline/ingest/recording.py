"""From what the network brought to what is kept: records at once, then what bodies say, then the acknowledgement."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace

from archive.digests import text_digest
from archive.errors import EntityError
from archive.formats.outcomes_jsonl import at_capture
from archive.model import Article, Exchange, Fetched, Made, Outcome, Reference, Role, Snapshot, Target, Verdict
from archive.runs.session import Session
from archive.times import iso, now
from archive.warc.capture_metadata import Origin, mime_of
from archive.warc.http_message import decoded
from archive.warc.payload_digest import entity_of
from pipeline.capture.browser.visit_many import Browsed
from pipeline.capture.http.failures import STANDS
from pipeline.crawl.frontier import Frontier, seed_of
from pipeline.crawl.scope import Rules
from pipeline.discover.outlinks import MORE, MOST, Findings, Hop
from pipeline.discover.sitemaps import findings_of_sitemap
from pipeline.extract.extractor_pool import Extractors
from pipeline.extract.tasks import EXTRACTABLE, Reading, Task
from pipeline.ingest.documents import Documents
from pipeline.ingest.extraction_queue import Done, Job, Jobs

Report = Callable[[Outcome, bytes], None]

_HTML = frozenset({"text/html", "application/xhtml+xml"})
_TASKS = {Role.FEED: Task.FEED, Role.SITEMAP: Task.SITEMAP}
_UNREADABLE = {Task.FEED: "no-feed", Task.SITEMAP: "no-sitemap"}
_ROBOTS_LIMIT = 512_000  # bytes
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
    ) -> None:
        self._session = session
        self._frontier = frontier
        self._report = report
        in_order = rules.requisites or rules.depth > 0
        self._jobs = Jobs(session, pool, decoded_limit, in_order=in_order, most=max(rules.limit, MOST))
        self._documents = Documents(session, session.capture_of)
        self._unacknowledged: list[tuple[Outcome, bytes]] = []
        self._sync_due = 0.0
        self._sync_cost = 0.0

    def take_browsed(self, browsed: Browsed) -> None:
        """Write what a visit in the browser brought: what the page asked for, the page, and what was made of it."""
        page, *requisites = browsed.fetched
        for fetched in requisites:
            if self._frontier:
                self._frontier.captured(fetched.target.url)
            _, outcome = self._record(fetched, page=False, read=False)
            self._conclude(outcome)
            _discard(fetched)
        self.take(page, browsed.resources, browsed.notes)

    def take(self, fetched: Fetched, made: tuple[Made, ...] = (), notes: tuple[str, ...] = ()) -> None:
        """Write the records of what was fetched, and of what was made of it, and see its body on its way."""
        target = fetched.target
        if self._frontier is not None:
            self._frontier.arrived(target)
        task = self._task(fetched, mime_of(fetched.exchanges[-1])) if fetched.exchanges else None
        page = target.role == Role.PAGE and _is_whole(fetched)
        snapshot, outcome = self._record(fetched, page=page, read=task is not None)
        outcome = replace(outcome, notes=(*outcome.notes, *notes))
        rendered = self._made(made, snapshot) if snapshot is not None else None
        if target.role == Role.ROBOTS or _is_robots_in_place_of_sitemap(fetched):
            outcome = self._robots(fetched, outcome)
        if snapshot is not None:
            task = self._page(snapshot, target, rendered) if page else self._task(fetched, snapshot.mime)
        if snapshot is None or task is None:
            self._conclude(outcome)
            self._done()
        elif task in {Task.FRAME, Task.CSS}:
            self._conclude(outcome)
            self._jobs.add(Job(snapshot.place, target, task), fetched.exchanges[-1])
        else:
            self._jobs.add(Job(snapshot.place, target, task, outcome, rendered=rendered), fetched.exchanges[-1])
        _discard(fetched)
        for thing in made:
            thing.block.discard()

    def resume(self, snapshot: Snapshot) -> None:
        """Take up a page whose records were kept before its writer was killed."""
        target = Target(snapshot.url)
        dom = self._session.newest(f"urn:dom:{snapshot.url}")
        rendered = dom.place if dom else None
        if self._page(snapshot, target, rendered) == Task.ARTICLE:
            self._jobs.add(Job(snapshot.place, target, Task.ARTICLE, rendered=rendered))

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
        for outcome in self._frontier.too_deep() if self._frontier else ():
            self._conclude(outcome)
        self._documents.finish()
        self._acknowledge()

    # From exchanges to records

    def _record(self, fetched: Fetched, *, page: bool, read: bool) -> tuple[Snapshot | None, Outcome]:
        target = fetched.target
        via, hops = target.via, target.hops
        snapshot = None
        last = len(fetched.exchanges) - 1
        for number, exchange in enumerate(fetched.exchanges):
            final = number == last
            origin = Origin(via, hops)
            snapshot = self._session.add(exchange, page=page and final, origin=origin, read=read and final)
            via, hops = exchange.url, hops + Hop.REDIRECT
            if self._frontier and number:
                self._frontier.captured(exchange.url)
        return snapshot, _outcome(fetched, snapshot)

    def _task(self, fetched: Fetched, mime: str) -> Task | None:
        """What is to be read in the last response's body, if anything."""
        target = fetched.target
        if not _is_whole(fetched) or target.role == Role.ROBOTS:
            return None
        if target.role == Role.PAGE:
            return Task.ARTICLE
        if target.role in _TASKS:
            return _TASKS[target.role]
        if not self._reads(target):
            return None
        return Task.CSS if mime == "text/css" else Task.FRAME if mime in _HTML else None

    def _made(self, made: tuple[Made, ...], page: Snapshot) -> str | None:
        """Write what was made of a page; returns the place of what scripts made of its markup."""
        rendered = None
        for thing in made:
            snapshot = self._session.add_made(thing, page)
            rendered = snapshot.place if thing.url.startswith("urn:dom:") else rendered
        return rendered

    def _page(self, snapshot: Snapshot, target: Target, rendered: str | None) -> Task | None:
        """What is left to be read of a page: all of it, what it leads to when its text is known, or nothing."""
        if snapshot.mime not in EXTRACTABLE:
            self._session.describe(snapshot.place, ())
            self._documents.add(snapshot, None)
            return None
        if snapshot.revisit and not rendered:
            self._documents.same(snapshot)
            return Task.FRAME if self._reads(target) else None
        return Task.ARTICLE

    def _reads(self, target: Target) -> bool:
        return self._frontier is not None and self._frontier.reads(target)

    def _robots(self, fetched: Fetched, outcome: Outcome) -> Outcome:
        """Know what a robots.txt says; that a site has none is no failure, nor the end of looking for its sitemap."""
        assert self._frontier is not None, "nobody else asks for robots.txt"
        last = fetched.exchanges[-1] if fetched.exchanges else None
        body = _small_body(last) if last and _is_whole(fetched) else None
        status = last.status if last else None
        self._frontier.robots(fetched.target, status, body, outcome.error or outcome.outcome)
        if body is None and fetched.target.role == Role.SITEMAP:
            self._frontier.found(fetched.target, fetched.target.url, findings_of_sitemap(b"", fetched.target.url))
        return replace(outcome, role=Role.ROBOTS.value)

    # From bodies to documents and further targets

    def _read(self, done: Done) -> None:
        job, read = done
        snapshot = self._session.snapshot(job.place)
        findings = read.reading.findings if read.reading else Findings()
        article = read.article
        self._session.describe(job.place, [f"{link.url} {link.hop} {link.context}" for link in findings.outlinks])
        if job.task == Task.ARTICLE:
            self._documents.add(snapshot, article, self._rendered(job))
        if job.outcome is not None:
            self._conclude(_with_reading(job, job.outcome, read.verdict, read.reading))
        if self._frontier is None:
            return
        self._frontier.found(job.target, snapshot.url, findings)
        self._done()

    def _rendered(self, job: Job) -> Reference | None:
        return self._session.snapshot(job.rendered).payload if job.rendered else None

    def _done(self) -> None:
        if self._frontier is not None:
            self._frontier.done()

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


def _discard(fetched: Fetched) -> None:
    for exchange in fetched.exchanges:
        exchange.response.discard()


def _is_whole(fetched: Fetched) -> bool:
    """Whether a target's last response is what was asked for: no tombstone, no redirect that led nowhere."""
    if not fetched.exchanges:
        return False
    status = fetched.exchanges[-1].status
    return 200 <= status < 300 or status == 304


def _is_robots_in_place_of_sitemap(fetched: Fetched) -> bool:
    is_url = fetched.verdict.name not in {"invalid-url", "unsupported-scheme"}
    return is_url and fetched.target.role == Role.SITEMAP and fetched.target.url.endswith("/robots.txt")


def _small_body(exchange: Exchange) -> bytes:
    body = bytearray()
    with exchange.response.open() as stream, suppress(EntityError):  # what came before is all there is
        head, entity = entity_of(exchange, stream)
        for piece in decoded(entity, head.header("Content-Encoding"), 1 << 24):
            body += piece
            if len(body) >= _ROBOTS_LIMIT:
                break
    return bytes(body)


def _with_reading(job: Job, outcome: Outcome, verdict: Verdict, reading: Reading | None) -> Outcome:
    """An outcome with what reading the body showed: a title, or why there is no text, or that it is no feed."""
    if outcome.ok and not verdict.ok:
        outcome = replace(outcome, outcome=verdict.name, error=verdict.error)
    if reading is None:
        return outcome
    if reading.findings.left_out:
        many = f"{reading.findings.left_out:,} links beyond {len(reading.findings.outlinks):,} are left out"
        outcome = replace(outcome, notes=(*outcome.notes, f"{many}; {MORE}"))
    if job.task in _UNREADABLE:
        problem = reading.findings.problem
        if problem and outcome.ok and not reading.findings.outlinks:
            return replace(outcome, outcome=_UNREADABLE[job.task], error=problem)
        return outcome
    article = reading.article or Article()
    outcome = replace(outcome, notes=(*outcome.notes, *reading.notes))
    if article.availability and outcome.ok:
        outcome = replace(outcome, outcome=article.availability, error=STANDS[article.availability])
    if article.text:
        words = article.text.split()
        outcome = replace(outcome, text=text_digest(words), words=len(words))
    return replace(outcome, title=article.title)


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
        outcome = replace(outcome, outcome=snapshot.availability, error=STANDS.get(snapshot.availability))
    return replace(
        at_capture(outcome, snapshot),
        revisit=snapshot.revisit,
        final_url=snapshot.url if len(fetched.exchanges) > 1 else None,
        notes=fetched.exchanges[-1].notes,
    )
