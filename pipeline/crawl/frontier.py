"""The frontier: everything a run will capture, from what was named to what was found, each URL once.

Named targets come from their source; what a body leads to comes from `found`. A target is counted until `done` says
that all it leads to is queued, so that the iterator ends when there is nothing left anywhere.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace

from archive.model import Headers, Outcome, Role, Snapshot, Target
from archive.times import iso, now
from pipeline.capture.http.failures import Failure
from pipeline.capture.http.urls import WebUrl, checked_url
from pipeline.crawl.robots_gate import Gatekeeper
from pipeline.crawl.scope import RobotsPolicy, Rules, Traps, page_key, registrable, within
from pipeline.crawl.target_queue import TargetQueue
from pipeline.discover.outlinks import Findings, Hop, Outlink

_LONGEST_CHAIN = 12  # embeds of embeds: style sheets that import without end
_DEEPEST_INDEX = 4  # sitemaps in sitemap indexes

Last = Callable[[str], Snapshot | None]
Sieve = Callable[[Target], bool]  # of an entry of a feed or a sitemap: whether it is to be captured now


class Frontier:
    """The targets of one run. Iterated in one thread, told in another."""

    def __init__(self, named: Iterable[Target], rules: Rules, last: Last, sieve: Sieve | None = None) -> None:
        self._rules = rules
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
        self._roots: dict[str, list[WebUrl]] = {}
        self._found_pages = 0
        self._traps = Traps()
        self._gate = Gatekeeper(rules.agent)
        self._queue = TargetQueue(self._admitted(self._unread))
        self._lock = threading.RLock()
        self._left_out: queue.SimpleQueue[Outcome] = queue.SimpleQueue()

    # To the network

    def __iter__(self) -> Iterator[Target]:
        self._queue.start()
        for target in self._queue:
            if self._in_time(target):
                with self._lock:
                    self._under_way[target.url] = target
                yield self._conditional(target)
            else:
                self._leave_out(target, "out-of-time", f"the time of {target.seed} was over")
                self.done()

    def close(self) -> None:
        """End the iteration, wherever it waits."""
        self._queue.close()

    def _admitted(self, named: Iterable[Target]) -> Iterator[Target]:
        """Each named URL once, as it was written; those that robots.txt is asked for wait for it."""
        for target in named:
            with self._lock:
                mark = hash(target.url)
                if mark in self._named:
                    continue
                self._named.add(mark)
                self._new(target.url)
                self._keys.add(hash(page_key(target.url)))
                seed: Target | None = replace(target, seed=target.seed or target.url)
                self._root(target.url, target.url)
                found_once = target.via is not None and self._rules.robots == RobotsPolicy.DISCOVERED
                if found_once or self._rules.robots == RobotsPolicy.ALL:
                    seed = self._past_the_gate(replace(target, seed=target.seed or target.url))
            if seed is not None:
                yield seed

    def _conditional(self, target: Target) -> Target:
        """The target with the validators of its last capture (RFC 9110 §13.1)."""
        visited = self._rules.browser and target.role == Role.PAGE  # a browser without its cache has no use for a 304
        rules = target.url.endswith("/robots.txt")  # are read at once, so a 304 would tell nothing
        if not self._rules.conditional or visited or target.headers or rules:
            return target
        last = self._last(target.url)
        if last is None:
            return target
        headers: Headers = (("If-None-Match", last.etag),) if last.etag else ()
        if last.last_modified:
            headers += (("If-Modified-Since", last.last_modified),)
        return replace(target, headers=headers)

    def _in_time(self, target: Target) -> bool:
        limit, present = self._rules.seed_time, time.monotonic()
        if limit is None or target.role == Role.ROBOTS:  # others wait for what it says
            return True
        return present - self._begun.setdefault(target.seed or target.url, present) < limit

    def unfinished(self) -> Iterator[Target]:
        """What was named or found and has not come back, once nothing is waited for; to be asked once, at the end."""
        self.close()
        with self._lock:
            yield from self._under_way.values()
            yield from self._queue.left()
            yield from self._gate.left()
        yield from self._unread

    # From the network

    def arrived(self, target: Target) -> None:
        """Know that a target came back, or what came of it."""
        with self._lock:
            self._under_way.pop(target.url, None)

    def reads(self, target: Target) -> bool:
        """Whether what a target leads to is wanted at all."""
        if target.role in {Role.FEED, Role.SITEMAP}:
            return True
        wanted = self._rules.requisites or self._rules.linked_pdfs or self._rules.embeds
        return wanted or (target.role == Role.PAGE and target.depth < self._rules.depth)

    def found(self, target: Target, url: str, findings: Findings) -> None:
        """Queue what a body at `url` leads to, as far as the rules go; the rest is `left_out`."""
        with self._lock:
            if target.role == Role.PAGE and not target.hops and target.seed:
                self._root(target.seed, url)
            if self._rules.requisites:
                for outlink in findings.of(Hop.EMBED):
                    self._requisite(target, url, outlink)
            if self._rules.embeds:
                for embed in findings.embeds:
                    self._requisite(target, url, Outlink(embed.url, Hop.EMBED, "embed"))
            if target.role == Role.FEED:
                self._sources(target, url, findings.feeds[:1])
            self._sources(target, url, findings.sitemaps)
            self._links(target, url, findings)

    def captured(self, url: str) -> None:
        """Know a URL that was captured on the way, by a redirect or a browser."""
        with self._lock:
            self._new(url)
            self._keys.add(hash(page_key(url)))

    def robots(self, target: Target, status: int | None, body: bytes | None, problem: str) -> None:
        """Take an origin's robots.txt, or the lack of it, and let those pass who waited for it."""
        with self._lock:
            for waiting in self._gate.learn(checked_url(target.url), status, body, problem):
                self._enqueue(self._past_the_gate(waiting))

    def left_out(self) -> Iterator[Outcome]:
        """An outcome for each URL that was found, or named, and is not captured: those since the last question."""
        with suppress(queue.Empty):
            while True:
                yield self._left_out.get_nowait()

    def too_deep(self) -> Iterator[Outcome]:
        """An outcome for each URL to which no way was short enough; to be asked once, at the end."""
        return iter(self._too_deep.values())

    def done(self) -> None:
        """A target is dealt with."""
        self._queue.done()

    # The rules

    def _sources(self, target: Target, url: str, addresses: tuple[str, ...]) -> None:
        """Feeds that a page names, sitemaps that an index lists."""
        for address in addresses:
            if not self._new(address):
                continue
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

    def _links(self, target: Target, url: str, findings: Findings) -> None:
        """Links on a page, entries of a feed, lines of a sitemap."""
        if target.role == Role.REQUISITE:
            return
        links = self._sifted(target, url, findings.of(Hop.LINK))
        if target.role == Role.PAGE:
            if self._rules.linked_pdfs:
                for link in filter(_is_pdf, links):
                    self._requisite(target, url, link)
            if not self._rules.depth:
                return
            if findings.canonical and page_key(findings.canonical) != page_key(url):
                if self._known(findings.canonical):
                    return  # the same page under another address: its links were followed there
                links.insert(0, Outlink(findings.canonical, Hop.LINK, "link/@canonical"))
        for link in links:
            mark, key = hash(link.url), hash(page_key(link.url))
            if mark not in self._refused and mark not in self._seen and key not in self._keys:
                self._follow(_followed(target, url, link), target.role, mark, key)

    def _sifted(self, target: Target, url: str, links: list[Outlink]) -> list[Outlink]:
        if self._sieve is None or target.role not in {Role.FEED, Role.SITEMAP}:
            return links
        return [link for link in links if self._sieve(_followed(target, url, link))]

    def _follow(self, link: Target, found_in: Role, mark: int, key: int) -> None:
        """Queue a link, or let it wait; what is left out may still be captured as what a page needs to be shown."""
        admitted = self._judged(link, found_in)
        if admitted is not None:
            self._seen.add(mark)
            self._keys.add(key)
            self._too_deep.pop(link.url, None)
            self._enqueue(self._admit(admitted))

    def _admit(self, link: Target) -> Target | None:
        return link if self._rules.robots == RobotsPolicy.IGNORE else self._past_the_gate(link)

    def _judged(self, link: Target, found_in: Role) -> Target | None:
        """A link that the rules let pass, robots.txt aside; None when it is left out."""
        try:
            url = checked_url(link.url)
        except Failure as failure:
            return self._leave_out(link, failure.verdict.name, failure.verdict.error or "")
        if why := self._out_of_scope(url, link, found_in):
            return self._leave_out(link, "out-of-scope", why)
        if why := self._rules.excluded(link.url):
            return self._leave_out(link, "excluded", why)
        if link.depth > self._rules.depth:
            self._too_deep[link.url] = _outcome(link, "too-deep", "more links away than --depth")
            return None
        if why := self._traps.reason(url):
            return self._leave_out(link, "query-trap", f"{why}; name it to capture it")
        if self._found_pages >= self._rules.limit:
            return self._leave_out(link, "over-limit", f"--limit {self._rules.limit} pages were found already")
        self._found_pages += 1
        return link

    def _out_of_scope(self, url: WebUrl, link: Target, found_in: Role) -> str | None:
        roots = self._roots.get(link.seed or "", [])
        if found_in == Role.FEED:
            return None
        if found_in == Role.SITEMAP:
            same = any(registrable(url.host) == registrable(root.host) for root in roots)
            return None if same else "another site than the sitemap's"
        if any(within(url, root, self._rules.scope) for root in roots):
            return None
        return f"not within the {self._rules.scope} of {link.seed}"

    def _past_the_gate(self, target: Target) -> Target | None:
        """A target that robots.txt lets pass; or the target that fetches robots.txt; or None."""
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

    def _root(self, seed: str, url: str) -> None:
        """Know an address that a seed has: its own, and where it redirects to."""
        with suppress(Failure):
            root = checked_url(url)
            roots = self._roots.setdefault(seed, [])
            if root not in roots:
                roots.append(root)

    # What is known

    def _new(self, url: str) -> bool:
        mark = hash(url)
        if mark in self._seen:
            return False
        self._seen.add(mark)
        return True

    def _known(self, url: str) -> bool:
        return hash(url) in self._seen or hash(page_key(url)) in self._keys


def _outcome(target: Target, name: str, why: str) -> Outcome:
    hops, seed = target.hops or None, seed_of(target)
    return Outcome(target.url, name, iso(now()), error=why, via=target.via, hops=hops, seed=seed)


def seed_of(target: Target) -> str | None:
    """What an outcome names as the seed of a page or a source: what was named and led to it, when that is another."""
    sought = target.role in {Role.PAGE, Role.FEED, Role.SITEMAP}
    return target.seed if sought and target.seed != target.url else None


def _followed(target: Target, url: str, link: Outlink) -> Target:
    depth = target.depth + (target.role == Role.PAGE and link.context != "link/@canonical")
    return Target(link.url, url, role=Role.PAGE, hops=target.hops + Hop.LINK, depth=depth, seed=target.seed)


def _is_pdf(link: Outlink) -> bool:
    return link.url.partition("?")[0].lower().endswith(".pdf")
