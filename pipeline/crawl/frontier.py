"""The frontier: everything a run will capture, from what was named to what was found, each URL once.

Named targets come from their source, further ones from what was captured. For each target that was handed out, the
recording asks `wanted` when the target has come back and calls `learned` when it has been read: the iterator ends when
every target is learned and nothing is queued.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from archive.model import Fetched, Headers, Outcome, Role, Snapshot, Target
from archive.times import iso, now
from pipeline.capture.http.failures import Failure
from pipeline.capture.http.urls import checked_url
from pipeline.crawl.admission import Admission
from pipeline.crawl.robots_gate import Gatekeeper, RobotsAnswer, names_sitemaps
from pipeline.crawl.scope import RobotsPolicy, Rules, page_key
from pipeline.crawl.target_queue import TargetQueue
from pipeline.discover.outlinks import Findings, Hop, Outlink
from pipeline.discover.sitemaps import findings_of_sitemap

_LONGEST_CHAIN = 12  # embeds of embeds: style sheets that import without end
_DEEPEST_INDEX = 4  # sitemaps in sitemap indexes

Last = Callable[[str], Snapshot | None]
Sieve = Callable[[Target], bool]  # of an entry of a feed or a sitemap: whether it is to be captured now


_NOTHING = Findings()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of a fetched target's body: the URLs that it leads to, the rules of a robots.txt, or neither."""

    links: bool
    rules: bool


class Frontier:
    """The targets of one run. Iterated in one thread; `wanted` and `learned` are called in another."""

    def __init__(self, named: Iterable[Target], rules: Rules, last: Last, sieve: Sieve | None = None) -> None:
        self._rules = rules
        self._key = partial(page_key, keep_tracking=rules.keep_tracking)  # of a page's URL
        self._sieve = sieve
        self._under_way: dict[str, Target] = {}  # handed out, and not come back
        self._begun: dict[str, float] = {}  # when the first target of a seed was handed out
        self._unread = iter(named)
        self._last = last
        # Hashes of URLs: 64 bits are enough, and a run may see millions.
        self._named: set[int] = set()
        self._seen: set[int] = set()
        self._keys: set[int] = set()  # hashes of the keys of pages
        self._refused: set[int] = set()
        self._too_deep: dict[str, Outcome] = {}  # by URL: a shorter way may be found yet
        self._admission = Admission(rules)
        self._gate = Gatekeeper(rules.agent)
        self._queue = TargetQueue(self._admitted(self._unread))
        self.close = self._queue.close  # ends the iteration, wherever it waits
        self._lock = threading.RLock()
        self._left_out: queue.SimpleQueue[Outcome] = queue.SimpleQueue()

    # To the network

    def __iter__(self) -> Iterator[Target]:
        for target in self._queue:
            present = time.monotonic()
            limit = None if target.role == Role.ROBOTS else self._rules.seed_time  # others wait for a robots.txt
            if limit is not None and present - self._begun.setdefault(target.seed or target.url, present) >= limit:
                self._leave_out(target, "out-of-time", f"the time of {target.seed} was over")
                self._queue.done()
                continue
            with self._lock:
                self._under_way[target.url] = target
            yield self._conditional(target)

    def _admitted(self, named: Iterable[Target]) -> Iterator[Target]:
        """Each named URL once, as it was written; those that robots.txt is asked for wait for it."""
        for target in named:
            with self._lock:
                mark = hash(target.url)
                if mark in self._named:
                    continue
                self._named.add(mark)
                self._new(target.url)
                self._keys.add(hash(self._key(target.url)))
                seed: Target | None = replace(target, seed=target.seed or target.url)
                self._admission.add_root(target.url, target.url)
                found_once = target.via is not None and self._rules.robots == RobotsPolicy.DISCOVERED
                found_once &= target.role != Role.REQUISITE
                if found_once or self._rules.robots == RobotsPolicy.ALL:
                    seed = self._past_the_gate(replace(target, seed=target.seed or target.url))
            if seed is not None:
                yield seed

    def _conditional(self, target: Target) -> Target:
        """Return the target with the validators of its last capture (RFC 9110 §13.1)."""
        visited = self._rules.browser and target.role == Role.PAGE  # a browser without its cache has no use for a 304
        rules = target.url.endswith("/robots.txt")  # are read at once, so a 304 would tell nothing
        if not self._rules.conditional or visited or target.headers or rules:
            return target
        last = self._last(target.url)
        if last is None or last.is_redirect:  # an answer without a body would not say where a page leads
            return target
        headers: Headers = (("If-None-Match", last.etag),) if last.etag else ()
        if last.last_modified:
            headers += (("If-Modified-Since", last.last_modified),)
        return replace(target, headers=headers)

    def unfinished(self) -> Iterator[Target]:
        """Yield what was named or found and has not come back, once nothing is waited for.

        To be asked once, at the end.
        """
        self.close()
        with self._lock:
            yield from self._under_way.values()
            yield from self._queue.left()
            yield from self._gate.left()
        yield from self._unread

    # From the network

    def wanted(self, fetched: Fetched, beside: Iterable[str] = ()) -> Wanted:
        """Take a target back, and return what of its body is to be read.

        The URLs that it was redirected to, and those that a browser captured `beside` it, are not queued any more.
        """
        target = fetched.target
        with self._lock:
            self._under_way.pop(target.url, None)
            if target.bare:  # handed out as https
                self._under_way.pop(target.url.replace("http:", "https:", 1), None)
            for url in (*beside, *(exchange.url for exchange in fetched.exchanges[1:])):
                self._new(url)
                self._keys.add(hash(self._key(url)))
        rules = self._rules
        links = rules.requisites or rules.linked_pdfs or rules.embeds or target.role in {Role.FEED, Role.SITEMAP}
        links = links or (target.role == Role.PAGE and target.depth < rules.depth)
        return Wanted(links, target.role == Role.ROBOTS or (target.role == Role.SITEMAP and names_sitemaps(target.url)))

    def learned(
        self,
        target: Target,
        findings: Findings = _NOTHING,
        *,
        at: str | None = None,
        robots: RobotsAnswer | None = None,
    ) -> None:
        """Queue what a target leads to, as far as the rules go (the rest is `left_out`); to be called once for each.

        `at` is the URL of the body that was read, when redirects led elsewhere. With the answer for a robots.txt, the
        targets that waited for its rules are queued; a site without one may have a sitemap in the usual place.
        """
        with self._lock:
            if robots is not None:
                for waiting in self._gate.learn(checked_url(target.url), robots):
                    self._enqueue(self._past_the_gate(waiting))
                if robots.body is None and target.role == Role.SITEMAP:
                    findings = findings_of_sitemap(b"", target.url)
            self._found(target, at or target.url, findings)
        self._queue.done()

    def left_out(self, *, at_end: bool = False) -> Iterator[Outcome]:
        """Return an outcome for each URL that is not captured: those since the last call.

        `at_end`, those come too to which no way was short enough.
        """
        with suppress(queue.Empty):
            while True:
                yield self._left_out.get_nowait()
        if at_end:
            yield from self._too_deep.values()

    # The rules

    def _found(self, target: Target, url: str, findings: Findings) -> None:
        if target.role == Role.PAGE and not target.hops and target.seed:
            self._admission.add_root(target.seed, url)
        if self._rules.requisites:
            for outlink in findings.of(Hop.EMBED):
                self._requisite(target, url, outlink)
        if self._rules.embeds:
            for embed in findings.embeds:
                self._requisite(target, url, Outlink(embed.url, Hop.EMBED, "embed"))
        feeds = findings.feeds[:1] if target.role == Role.FEED else ()
        for address in (*feeds, *findings.sitemaps):
            self._source(target, url, address)
        if target.role == Role.REQUISITE:
            return
        links = findings.of(Hop.LINK)
        if self._sieve is not None and target.role in {Role.FEED, Role.SITEMAP}:
            links = [link for link in links if self._sieve(_followed(target, url, link))]
        if links or findings.canonical:
            self._links(target, url, links, findings.canonical)

    def _source(self, target: Target, url: str, address: str) -> None:
        """Add a feed that a page names, or a sitemap that an index lists."""
        if not self._new(address):
            return
        if target.hops.count(Hop.LINK) >= _DEEPEST_INDEX:
            self._leave_out(replace(target, url=address, via=url), "too-deep", "sitemaps within sitemaps")
        else:
            self._enqueue(replace(target, url=address, via=url, hops=target.hops + Hop.LINK, headers=()))

    def _requisite(self, target: Target, url: str, outlink: Outlink) -> None:
        if not self._new(outlink.url):
            return
        hops = target.hops + outlink.hop
        found = Target(outlink.url, url, role=Role.REQUISITE, hops=hops, depth=target.depth, seed=target.seed)
        if hops.endswith(Hop.EMBED * _LONGEST_CHAIN):
            self._leave_out(found, "too-deep", f"{_LONGEST_CHAIN} embeds within embeds")
        else:
            self._enqueue(found)

    def _links(self, target: Target, url: str, links: list[Outlink], canonical: str | None) -> None:
        """Links on a page, entries of a feed, lines of a sitemap."""
        if target.role == Role.PAGE:
            if self._rules.linked_pdfs:
                for link in filter(_is_pdf, links):
                    self._requisite(target, url, link)
            if not self._rules.depth:
                return
            if canonical and self._key(canonical) != self._key(url):
                if self._known(canonical):
                    return  # the same page under another address: its links were followed there
                links.insert(0, Outlink(canonical, Hop.LINK, "link/@canonical"))
        for link in links:
            mark, key = hash(link.url), hash(self._key(link.url))
            if mark not in self._refused and mark not in self._seen and key not in self._keys:
                self._follow(_followed(target, url, link), target.role, mark, key)

    def _follow(self, link: Target, found_in: Role, mark: int, key: int) -> None:
        """Queue a link, or let it wait; what is left out may still be captured as what a page needs to be shown."""
        refused = self._admission.refusal(link, found_in)
        if refused is None:
            self._seen.add(mark)
            self._keys.add(key)
            self._too_deep.pop(link.url, None)
            self._enqueue(link if self._rules.robots == RobotsPolicy.IGNORE else self._past_the_gate(link))
        elif refused[0] == "too-deep":
            self._too_deep[link.url] = _outcome(link, *refused)
        else:
            self._leave_out(link, *refused)

    def _past_the_gate(self, target: Target) -> Target | None:
        """Return a target that robots.txt lets pass; or the target that fetches robots.txt; or None."""
        try:
            url = checked_url(target.url)
        except Failure:
            return target  # it ends with its own outcome
        if url.path == "/robots.txt":  # may always be asked for (RFC 9309 §2.2.2)
            return target
        rules = self._gate.rules(url)
        if rules is None:
            return self._gate.hold(target, url)
        if why := rules.refusal(target.url):
            return self._leave_out(target, "robots-denied", why)
        return replace(target, pause=rules.pause)

    def _enqueue(self, target: Target | None) -> None:
        if target is not None:
            self._queue.add(target)

    def _leave_out(self, target: Target, name: str, why: str) -> Target | None:
        """Tell why a URL is not captured; there is no target then."""
        mark = hash(target.url)
        self._refused.add(mark)
        self._seen.discard(mark)
        self._left_out.put(_outcome(target, name, why))
        return None

    # What is known

    def _new(self, url: str) -> bool:
        mark = hash(url)
        if mark in self._seen:
            return False
        self._seen.add(mark)
        return True

    def _known(self, url: str) -> bool:
        return hash(url) in self._seen or hash(self._key(url)) in self._keys


def _outcome(target: Target, name: str, why: str) -> Outcome:
    hops, seed = target.hops or None, seed_of(target)
    return Outcome(target.url, name, iso(now()), error=why, via=target.via, hops=hops, seed=seed)


def seed_of(target: Target) -> str | None:
    """Return what an outcome names as the seed of a page or a source.

    What was named and led to it, when that is another.
    """
    sought = target.role in {Role.PAGE, Role.FEED, Role.SITEMAP}
    return target.seed if sought and target.seed != target.url else None


def _followed(target: Target, url: str, link: Outlink) -> Target:
    depth = target.depth + (target.role == Role.PAGE and link.context != "link/@canonical")
    return Target(link.url, url, role=Role.PAGE, hops=target.hops + Hop.LINK, depth=depth, seed=target.seed)


def _is_pdf(link: Outlink) -> bool:
    return link.url.partition("?")[0].lower().endswith(".pdf")
