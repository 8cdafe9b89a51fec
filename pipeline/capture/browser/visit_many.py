"""Pages that scripts draw: visited in Chromium, with every exchange recorded by our own recorder.

The browser speaks with nothing but a proxy of ours (`browser_proxy`), which fetches what it asks for through the same
checks as any capture (`browser_record`); a visit ends in bounded time with a named outcome, whatever the page does
(`browser_page`), and so does the browser (`browser_process`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from archive.model import Fetched, Made, Target
from pipeline.capture.bridge import Inbox, Outbox, run_on_loop
from pipeline.capture.browser.chromium import BrowserUnavailable, Process
from pipeline.capture.browser.page_record import BrowserSettings, PageRecord
from pipeline.capture.browser.page_visit import Visit, visit
from pipeline.capture.browser.recording_proxy import PageProxy
from pipeline.capture.http.failures import Failure
from pipeline.capture.http.fetch_target import instead_of_https
from pipeline.capture.http.politeness import Hosts
from pipeline.capture.http.settings import FetchSettings

__all__ = ["Browsed", "Browser", "BrowserSettings", "BrowserUnavailable", "Made", "browse_all"]

_USUAL = BrowserSettings()


@dataclass(frozen=True, slots=True)
class Browsed:
    """What came of a target in the browser.

    `fetched` begins with the target itself; behind it stands one for each further request of the page, in the order in
    which they ended. `notes` say what was done to the page or left out.
    """

    fetched: tuple[Fetched, ...]
    resources: tuple[Made, ...] = ()
    notes: tuple[str, ...] = ()

    def discard(self) -> None:
        """Remove the files behind it."""
        for fetched in self.fetched:
            fetched.discard()
        for made in self.resources:
            made.block.discard()


class Browser:
    """A browser that visits one page after the other; it starts with the first, and again when a page has killed it.

    Pages take turns by `hosts`. Bodies over a limit lie in `folder`, which is the caller's to clear.
    """

    def __init__(self, hosts: Hosts, settings: FetchSettings, folder: Path, limits: BrowserSettings = _USUAL) -> None:
        self._hosts = hosts
        self._settings = settings
        self._folder = folder
        self._limits = limits
        self._process = Process(folder, limits.max_memory)
        self._one = asyncio.Lock()

    async def __aenter__(self) -> Browser:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._process.close()

    async def fetch(self, target: Target) -> Browsed:
        """Visit a target; every fault of it is in the verdict.

        Raises BrowserUnavailable when there is no browser, StoreUnavailable when the folder's disk fails.
        """
        browsed = await self._fetch(target)
        if over_http := instead_of_https(browsed.fetched[0]):
            browsed.discard()
            return await self._fetch(over_http)
        return browsed

    async def _fetch(self, target: Target) -> Browsed:
        async with self._one:  # so that a page which kills the browser kills no other page's
            limits = self._limits
            own = Hosts(replace(self._settings, delay=limits.delay, connections_per_host=limits.connections_per_host))
            try:
                record = PageRecord(target, self._hosts, own, self._settings, limits, self._folder)
                return await self._visit(record)
            except Failure as failure:
                return Browsed((Fetched(target, (), failure.verdict),))
            finally:
                await own.close()

    async def _visit(self, record: PageRecord) -> Browsed:
        result: Visit | None = None
        try:
            chromium = await self._process.start()
            assert self._process.certificate is not None, "a browser that runs was given one"
            async with PageProxy(record.answer, self._process.certificate) as proxy:
                agent = _user_agent(chromium.version, self._settings.user_agent)
                result = await visit(chromium, proxy, record, self._limits, agent, self._folder)
            if record.failure is not None:
                raise record.failure
            if not result.clean:
                await self._process.kill()
        except BaseException:
            for made in result.made if result else ():
                made.block.discard()
            record.discard()
            await self._process.kill()
            raise
        return Browsed(record.fetched(result.verdict), result.made, tuple(record.told()))


def _user_agent(version: str, ours: str) -> str:
    """Return the User-Agent: the usual one of the browser, for pages that look at it, and ours behind."""
    if ours.startswith("Mozilla/"):
        return ours
    major = version.partition(".")[0]
    engine = "AppleWebKit/537.36 (KHTML, like Gecko)"
    return f"Mozilla/5.0 (X11; Linux x86_64) {engine} Chrome/{major}.0.0.0 Safari/537.36 {ours}"


def browse_all(
    targets: Iterable[Target],
    settings: FetchSettings,
    workdir: Path,
    *,
    limits: BrowserSettings = _USUAL,
    tabs: int = 2,
    tick: float | None = None,
) -> Generator[Browsed | None, None, None]:
    """Visit targets, a few at once, each in a browser of its own, and yield each as it ends, in no order.

    With `tick`, None is yielded whenever so many seconds brought no result. Targets are read lazily. Closing the
    iterator ends everything. Raises BrowserUnavailable (exit code 2) when there is no browser, StoreUnavailable when
    the work folder's disk fails.
    """

    async def visit_all(inbox: Inbox[Target], outbox: Outbox[Browsed]) -> None:
        hosts = Hosts(settings)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(tabs):
                    group.create_task(_visit_each(inbox, outbox, Browser(hosts, settings, workdir, limits)))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            await hosts.close()

    return run_on_loop(visit_all, targets, ahead=2 * tabs, room=tabs, discard=Browsed.discard, tick=tick)


async def _visit_each(inbox: Inbox[Target], outbox: Outbox[Browsed], browser: Browser) -> None:
    async with browser:
        async for target in inbox:
            await outbox.put(await browser.fetch(target))
            inbox.finished()
