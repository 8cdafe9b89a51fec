"""What a page asks for, and what is had of it: each request through the recorder, within the page's limits."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from archive.model import Exchange, Fetched, Headers, Role, Target, Verdict
from pipeline.capture.browser.recording_proxy import Asked, Refused
from pipeline.capture.http.chain_cookies import Cookie
from pipeline.capture.http.failures import Failure
from pipeline.capture.http.fetch_target import fetch_once, is_redirect
from pipeline.capture.http.politeness import Hosts
from pipeline.capture.http.refresh import LONGEST_WAIT, refresh_of
from pipeline.capture.http.request import headers_after_redirect
from pipeline.capture.http.settings import FetchSettings
from pipeline.capture.http.site_session import made_with
from pipeline.capture.http.urls import WebUrl, checked_url, redirected_url
from storage.errors import OnrecordError

_STREAM = 5.0  # seconds that are kept of a stream of events, which never ends
_MOST_HOPS = 20  # that Chromium makes before it says that there are too many
_HELD = 64 * 1024  # bytes of one response held in memory: a page has thousands
_ENDING = 2.0  # seconds that requests under way get when the page's time is over
_UNFINISHED = Verdict("browser-timeout", "the page was done with before this was whole")


@dataclass(frozen=True, slots=True)
class BrowserSettings:
    """Limits of one page in the browser; times in seconds, sizes in bytes, lengths in CSS pixels."""

    settle: float = 2.0  # without a request, after which a page is at rest
    limit: float = 60.0  # for a page to load, be scrolled through and come to rest
    closing: float = 30.0  # for its screenshot and DOM, after that
    delay: float = 0.05  # between the starts of two requests of a page to a host; pages are `FetchSettings.delay` apart
    connections_per_host: int = 6  # of a page, as browsers do
    width: int = 1280
    height: int = 1024
    max_height: int = 16_000  # of the screenshot; Chromium draws nothing below 16,384
    max_screens: int = 50  # scrolled through
    max_requests: int = 2_000
    max_repeats: int = 10  # of one request
    max_dom: int = 32 << 20  # characters
    max_memory: int = 2 << 30  # data of one process of the browser
    pdf: bool = False  # make a print of the page too
    expand: bool = True  # open and press what shows more of the page
    consent: str = "refuse"  # what banners are answered: "refuse", "accept" or "leave"
    clicks: tuple[str, ...] = ()  # CSS selectors of what is clicked


class PageRecord:
    """One page's exchanges: those of the page itself, and those of what it asks for."""

    def __init__(
        self,
        target: Target,
        polite: Hosts,
        own: Hosts,
        settings: FetchSettings,
        limits: BrowserSettings,
        folder: Path,
    ) -> None:
        """Pages take turns by `polite`, and what they ask for by `own`. Raises Failure for what is no URL to fetch."""
        self.target = target
        self.url: WebUrl = checked_url(target.url)
        self.notes: Counter[str] = Counter()
        self.failure: OnrecordError | None = None
        self._polite = polite
        self._own = own
        self._settings = settings
        self._limits = limits
        self._folder = folder
        self._loop = asyncio.get_running_loop()
        self._end = 0.0  # by the loop's clock
        self._chain: list[Exchange] = []
        self._most_hops = min(settings.max_redirects + 1, _MOST_HOPS)
        self._verdict: Verdict | None = None  # of the page, once it is known
        self._fetched: list[Fetched] = []
        self._asked: Counter[bytes] = Counter()
        self._requests = 0
        self._left = settings.max_size  # bytes, for all responses of the page
        self._under_way: set[asyncio.Task[Exchange]] = set()
        self._last = self._loop.time()
        self._frozen = False
        self.stays = False  # whether no other document may take the place of the page's
        self._shown: tuple[str, ...] = ()  # headers that said who asks

    def begin(self) -> None:
        """Begin to count the page's time."""
        self._last = self._loop.time()
        self._end = self._last + self._limits.limit

    @property
    def session_cookies(self) -> tuple[Cookie, ...]:
        """Return the cookies of the reader's session."""
        return self._settings.session.cookies

    @property
    def final_url(self) -> str:
        """The URL of the page's document, where redirects led."""
        return self._chain[-1].url if self._chain else str(self.url)

    @property
    def wait(self) -> int:
        """Seconds after which the document leads elsewhere by a refresh, where that is waited for; else 0."""
        found = refresh_of(self._chain[-1]) if self._chain else None
        if found is None or not found.url or found.wait > LONGEST_WAIT:
            return 0
        try:
            leads_to = str(redirected_url(checked_url(self.final_url), found.url))
        except Failure:
            return 0
        return found.wait if leads_to != self.final_url else 0

    @property
    def quiet(self) -> float:
        """Seconds without a request."""
        return 0.0 if self._under_way else self._loop.time() - self._last

    async def answer(self, asked: Asked) -> Exchange:
        """Return the exchange of a request of the page; raises Refused."""
        self._check(asked)
        task = asyncio.create_task(self._fetch(asked))
        self._under_way.add(task)
        try:
            return await task
        finally:
            self._under_way.discard(task)
            self._last = self._loop.time()

    def _check(self, asked: Asked) -> None:
        if asked.websocket:
            url = asked.url.replace("http", "ws", 1)
            if not self.notes["a WebSocket was refused: only HTTP is recorded"]:
                refused = Verdict("unsupported-scheme", "WebSockets cannot be captured; only http and https can")
                self._fetched.append(Fetched(self._requisite(url, ()), (), refused))
            self._refuse(asked, "a WebSocket was refused: only HTTP is recorded")
        if self._frozen or (self.stays and _replaces_the_page(asked)):
            raise Refused(stay=asked.navigates)
        if self._verdict is None:
            if len(self._chain) >= self._most_hops:
                raise Refused
            return
        self._requests += 1
        if self._requests > self._limits.max_requests:
            self._refuse(asked, f"requests beyond {self._limits.max_requests:,} were refused")
        key = sha256(b"\n".join((asked.method.encode(), asked.url.encode(), asked.body))).digest()
        self._asked[key] += 1
        if self._asked[key] > self._limits.max_repeats:
            self._refuse(asked, f"requests made more than {self._limits.max_repeats} times were refused")
        if self._left <= 0:
            self._refuse(asked, f"requests beyond {self._settings.max_size:,} bytes were refused")

    def _refuse(self, asked: Asked, note: str) -> None:
        self.notes[note] += 1
        raise Refused(stay=asked.navigates)

    def _requisite(self, url: str, headers: Headers) -> Target:
        page = self.target
        return replace(page, url=url, via=page.url, headers=headers, role=Role.REQUISITE, hops=page.hops + "E")

    async def _fetch(self, asked: Asked) -> Exchange:
        is_page = self._verdict is None
        headers, hosts = asked.headers, self._own
        if is_page:  # a page asks for nothing else before its document is there
            headers += self._further(asked)
            hosts = self._polite
        headers, names = self._with_session(asked.url, headers)
        target = self._requisite(asked.url, headers)
        fetched = Fetched(target, (), _UNFINISHED)
        try:
            async with asyncio.timeout_at(self._end + _ENDING):
                settings = self._within_limits(asked, is_page)
                fetched = await fetch_once(target, hosts, settings, self._folder, method=asked.method, body=asked.body)
        except TimeoutError:  # its turn has not come
            pass
        except OnrecordError as error:  # nothing of the page's: the run ends with it
            self.failure = error
        finally:
            fetched = replace(fetched, exchanges=tuple(made_with(one, names) for one in fetched.exchanges))
            self._keep(fetched, is_page)
        if not fetched.exchanges:
            raise Refused
        return fetched.exchanges[0]

    def _with_session(self, url: str, headers: Headers) -> tuple[Headers, tuple[str, ...]]:
        """Return a request's headers with the session's, and the names of the headers that say who asks."""
        try:
            headers, names = self._settings.session.added(
                headers, checked_url(url), self.target.seed or self.target.url
            )
        except Failure:
            return headers, ()
        self._shown = tuple(dict.fromkeys((*self._shown, *names)))
        return headers, names

    def _further(self, asked: Asked) -> Headers:
        """Return the target's own headers, as far as they go to this URL and the browser has none of the name."""
        named = {name.lower() for name, _ in asked.headers}
        try:
            here = checked_url(asked.url)
        except Failure:
            return ()
        return tuple(
            (name, value)
            for name, value in headers_after_redirect(self.target.headers, self.url, here)
            if name.lower() not in named
        )

    def _within_limits(self, asked: Asked, is_page: bool) -> FetchSettings:
        settings = self._settings
        left = (
            max(self._end - self._loop.time(), 0.0) + _ENDING / 2
        )  # first the page's time is over, then its requests'
        deadline = min(settings.deadline, left)
        if any(name.lower() == "accept" and "text/event-stream" in value for name, value in asked.headers):
            deadline = min(deadline, _STREAM)
        return replace(
            settings,
            deadline=deadline,
            connect_timeout=min(settings.connect_timeout, left),
            max_size=self._left,
            memory_limit=min(settings.memory_limit, _HELD),
            retries=settings.retries if is_page else 0,
            max_retry_wait=min(settings.max_retry_wait, left / 2),
        )

    def _keep(self, fetched: Fetched, is_page: bool) -> None:
        self._left -= sum(exchange.response.size for exchange in fetched.exchanges)
        if not is_page:
            self._fetched.append(fetched)
            return
        self._chain += fetched.exchanges
        if not fetched.verdict.ok or not is_redirect(fetched.exchanges[0]):
            self._verdict = fetched.verdict

    async def freeze(self) -> None:
        """Answer nothing any more; what is under way gets a moment to end."""
        self._frozen = True
        under_way = list(self._under_way)
        if under_way:
            await asyncio.wait(under_way, timeout=_ENDING)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    def fetched(self, ended: Verdict) -> tuple[Fetched, ...]:
        """Return the page first, whose visit ended so, then all it asked for, as they came."""
        chain = list(self._chain)
        if chain:  # what scripts asked for is part of what it shows
            chain[-1] = made_with(chain[-1], self._shown)
        page = Fetched(self.target, tuple(chain), self._page_verdict(ended))
        return page, *self._fetched

    def _page_verdict(self, ended: Verdict) -> Verdict:
        if self._verdict is not None:
            return ended if self._verdict.ok else self._verdict
        if not self._chain:
            return Verdict("browser-failed", "the browser never asked for the page") if ended.ok else ended
        lost = self._lost()
        return lost or (Verdict("browser-failed", "the browser did not follow the redirect") if ended.ok else ended)

    def _lost(self) -> Verdict | None:
        """Why a chain of redirects came to no page, where it is the chain's own fault."""
        last = self._chain[-1]
        try:
            leads_to = redirected_url(checked_url(last.url), last.header("Location") or "")
        except Failure as failure:
            return failure.verdict
        if len(self._chain) >= self._most_hops:
            if str(leads_to) in {exchange.url for exchange in self._chain}:
                return Verdict("redirect-loop", f"redirected back to {leads_to}")
            return Verdict("too-many-redirects", f"more than {self._most_hops - 1} redirects")
        return None

    def told(self) -> Iterator[str]:
        """Yield the notes, each with how often it was made when that was more than once."""
        for note, count in self.notes.items():
            if count:
                yield note if count == 1 else f"{note} ({count:,} times)"

    def discard(self) -> None:
        """Forget everything, files included."""
        for exchange in self._chain + [one for fetched in self._fetched for one in fetched.exchanges]:
            exchange.response.discard()


def _replaces_the_page(asked: Asked) -> bool:
    """Whether a document is asked for in the place of the page's; secure origins are sent that (Fetch Metadata)."""
    return any(name.lower() == "sec-fetch-dest" and value == "document" for name, value in asked.headers)
