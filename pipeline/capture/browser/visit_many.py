"""Pages that scripts draw: visited in Chromium, with every exchange recorded by our own recorder.

The browser speaks with nothing but a proxy of ours (`browser_proxy`), which fetches what it asks for through the same
checks as any capture (`browser_record`); a visit ends in bounded time with a named outcome, whatever the page does
(`browser_page`), and so does the browser (`browser_process`).
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from archive.model import Fetched, Made, Target
from pipeline.capture.browser.chromium import BrowserUnavailable, Process
from pipeline.capture.browser.page_record import BrowserSettings, PageRecord
from pipeline.capture.browser.page_visit import Visit, visit
from pipeline.capture.browser.recording_proxy import PageProxy
from pipeline.capture.http.failures import Failure
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
            for exchange in fetched.exchanges:
                exchange.response.discard()
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
    """What sites are told: the browser's usual words, for pages that look at them, and ours behind."""
    if ours.startswith("Mozilla/"):
        return ours
    major = version.partition(".")[0]
    engine = "AppleWebKit/537.36 (KHTML, like Gecko)"
    return f"Mozilla/5.0 (X11; Linux x86_64) {engine} Chrome/{major}.0.0.0 Safari/537.36 {ours}"


@dataclass(frozen=True, slots=True)
class _Ended:
    error: BaseException | None


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
    browsers = _Browsers(targets, settings, workdir, limits, tabs)
    browsers.start()
    try:
        while True:
            try:
                item = browsers.results.get(timeout=tick)
            except queue.Empty:
                yield None
                continue
            if isinstance(item, _Ended):
                if item.error is not None:
                    raise item.error
                return
            browsers.room.release()
            yield item
    finally:
        browsers.stop()


class _Browsers:
    """An event loop in a thread, with as many browsers as there are tabs; targets are read in a thread of their own."""

    def __init__(
        self, targets: Iterable[Target], settings: FetchSettings, workdir: Path, limits: BrowserSettings, tabs: int
    ) -> None:
        self.results: queue.SimpleQueue[Browsed | _Ended] = queue.SimpleQueue()
        self.room = threading.Semaphore(2 * tabs)  # targets that are read before results are taken
        self._targets = targets
        self._settings = settings
        self._workdir = workdir
        self._limits = limits
        self._tabs = tabs
        self._stopped = False
        self._loop = asyncio.new_event_loop()
        self._inbox: asyncio.Queue[Target | _Ended] = asyncio.Queue()
        self._main: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="browse", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped = True
        self.room.release()  # the reading thread is not waited for: its source may never give another line
        with suppress(RuntimeError):  # the loop is closed already
            self._loop.call_soon_threadsafe(self._cancel)
        self._thread.join()
        while not self.results.empty():
            item = self.results.get()
            if isinstance(item, Browsed):
                item.discard()

    def _cancel(self) -> None:
        if self._main is not None:
            self._main.cancel()

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            self._loop.run_until_complete(self._supervise())
        except asyncio.CancelledError:
            pass
        except BaseException as raised:  # noqa: BLE001 - raised again in the consumer's thread
            error = raised
        finally:
            self._loop.close()
            self.results.put(_Ended(error))

    async def _supervise(self) -> None:
        self._main = asyncio.ensure_future(self._browse())
        if self._stopped:
            self._main.cancel()
        threading.Thread(target=self._read, name="targets", daemon=True).start()
        await self._main

    async def _browse(self) -> None:
        hosts = Hosts(self._settings)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._tabs):
                    group.create_task(self._work(hosts))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            await hosts.close()

    async def _work(self, hosts: Hosts) -> None:
        async with Browser(hosts, self._settings, self._workdir, self._limits) as browser:
            while True:
                item = await self._inbox.get()
                if isinstance(item, _Ended):
                    self._inbox.put_nowait(item)  # for the others
                    if item.error is not None:
                        raise item.error
                    return
                self.results.put(await browser.fetch(item))

    def _read(self) -> None:
        error: BaseException | None = None
        try:
            for target in self._targets:
                self.room.acquire()
                if self._stopped:
                    return
                self._hand(target)
        except BaseException as raised:  # noqa: BLE001 - raised again in the consumer's thread
            error = raised
        self._hand(_Ended(error))

    def _hand(self, item: Target | _Ended) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(self._inbox.put_nowait, item)
