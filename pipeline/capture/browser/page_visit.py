"""A visit to one page: it is loaded, scrolled through, left to come to rest, and then drawn and written down."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from archive.model import Made, Verdict
from pipeline.capture.browser.behaviours import Behaviours
from pipeline.capture.browser.chromium import LOOPBACK_TOO
from pipeline.capture.browser.consent import Consent
from pipeline.capture.browser.credential import authorize
from pipeline.capture.browser.page_record import BrowserSettings, PageRecord
from pipeline.capture.browser.recording_proxy import PageProxy
from pipeline.capture.browser.renditions import Inspector, line
from pipeline.capture.browser.session_cookies import give_cookies
from pipeline.capture.http.failures import OK
from storage.errors import OnrecordError

if TYPE_CHECKING:
    from playwright.async_api import Browser as Chromium
    from playwright.async_api import BrowserContext, Dialog, Frame, Page

_STEP = 0.2  # seconds between two screens that are scrolled
_OPENING = 30.0  # seconds for an empty page, which takes a moment on a machine that is busy
_CLOSING = 5.0
_PATIENCE = 0.25  # of the page's time that is waited for rest, once it has been scrolled through
_IDLE = 5  # times as long without a request as a page at rest: it reloads itself, or is busy
_PAUSE = 0.1  # likewise, where it seems to end while it is scrolled
_AFTER = 5.0  # seconds behind the time of a refresh, within which it begins

_SCROLL = """(() => {
  const page = document.scrollingElement || document.documentElement;
  window.scrollBy({top: window.innerHeight, behavior: "instant"});
  return [Math.round(window.scrollY + window.innerHeight), page.scrollHeight];
})()"""
_TO_THE_TOP = 'window.scrollTo({top: 0, behavior: "instant"})'


@dataclass(frozen=True, slots=True)
class Visit:
    """What came of a visit; `clean` when the browser can be used for the next."""

    verdict: Verdict
    made: tuple[Made, ...] = ()
    clean: bool = False


async def visit(
    chromium: Chromium, proxy: PageProxy, record: PageRecord, limits: BrowserSettings, user_agent: str, folder: Path
) -> Visit:
    """Visit a page in a context of its own: `limits.limit` seconds, `limits.closing` and a few to clear away at most.

    Raises StoreUnavailable when the folder's disk fails.
    """
    context: BrowserContext | None = None
    clean = False
    verdict = Verdict("browser-crashed", "the browser ended before it showed anything")
    made: list[Made] = []
    try:
        async with asyncio.timeout(_OPENING):
            context = await _new_context(chromium, proxy.address, limits, user_agent)
            await give_cookies(context, record)
            page = await context.new_page()
            session = await context.new_cdp_session(page)  # now: a page that hangs gives none any more
            await authorize(session, proxy.credential)
        inspector = Inspector(session, record, limits, folder)
        record.begin()
        guest = _Guest(record, limits, page, inspector)
        verdict = await guest.stay(chromium)
        await record.freeze()
        if guest.shown and verdict.name != "browser-crashed":
            made = await inspector.take_home(stop=not verdict.ok)
        clean = verdict.ok
    except OnrecordError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever the driver raises, the page ends with a name
        if verdict.ok:
            verdict = Verdict("browser-crashed", line(error))
    finally:
        if context is not None:
            clean = await _closed(context) and clean
    return Visit(verdict, tuple(made), clean)


async def _new_context(chromium: Chromium, proxy: str, limits: BrowserSettings, user_agent: str) -> BrowserContext:
    return await chromium.new_context(
        proxy={"server": proxy, "bypass": LOOPBACK_TOO},
        viewport={"width": limits.width, "height": limits.height},
        user_agent=user_agent,
        service_workers="block",  # a worker would answer from a store of its own
        accept_downloads=False,
    )


async def _closed(context: BrowserContext) -> bool:
    try:
        await asyncio.wait_for(context.close(), _CLOSING)
    except Exception:  # noqa: BLE001 - then the browser is ended, whatever was the matter
        return False
    return True


class _Guest:
    """One visit under way."""

    def __init__(self, record: PageRecord, limits: BrowserSettings, page: Page, inspector: Inspector) -> None:
        self.shown = False
        self._record = record
        self._limits = limits
        self._page = page
        self._inspector = inspector
        self._ended = asyncio.Event()
        self._loaded = False

    async def stay(self, chromium: Chromium) -> Verdict:
        """Load the page and let it come to rest, or as far as it comes in its time."""
        page = self._page
        page.on("crash", self._end)
        page.on("dialog", self._dismiss)
        page.context.on("page", self._close_popup)
        chromium.on("disconnected", self._end)
        work = asyncio.create_task(self._work())
        ended = asyncio.create_task(self._ended.wait())
        try:
            await asyncio.wait({work, ended}, timeout=self._limits.limit, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (work, ended):
                task.cancel()
            results = await asyncio.gather(work, ended, return_exceptions=True)
            chromium.remove_listener("disconnected", self._end)
        if self._ended.is_set():
            return Verdict("browser-crashed", "the page ended the browser, or ran out of memory")
        if isinstance(results[0], asyncio.CancelledError):
            what = "had not come to rest" if self._loaded else "had not loaded"
            return Verdict("browser-timeout", f"the page {what} within {self._limits.limit:g} s")
        return OK

    def _end(self, _: object) -> None:
        self._ended.set()

    async def _dismiss(self, dialog: Dialog) -> None:
        self._record.notes[f"a dialog was dismissed ({dialog.type})"] += 1
        with suppress(Exception):  # the page may be gone with it
            await dialog.dismiss()

    async def _close_popup(self, popup: Page) -> None:
        if popup is not self._page:
            self._record.notes["a popup was closed"] += 1
            with suppress(Exception):
                await popup.close()

    async def _work(self) -> None:
        notes = self._record.notes
        try:
            await self._page.goto(str(self._record.url), wait_until="commit", timeout=0)
        except Exception as error:  # noqa: BLE001 - what became of the request stands in its record
            notes[f"the browser shows nothing: {line(error)}"] += 1
            return
        self.shown = True
        await self._load()
        if (wait := self._record.wait) and self._page.url == self._record.final_url:
            with suppress(Exception):  # a script may have called it off
                await self._page.wait_for_event("framenavigated", self._is_whole, timeout=1000 * (wait + _AFTER))
            await self._load()
        await self._behave()
        if not await self._rest(self._limits.settle, self._limits.limit * _PATIENCE):
            notes["the page kept asking for more when its time was over"] += 1

    async def _behave(self) -> None:
        """Do what a reader does to see the whole page."""
        limits, notes = self._limits, self._record.notes
        consent = Consent(self._inspector, self._record, limits.consent)
        more = Behaviours(self._inspector, self._record, self._short_rest)
        try:
            await consent.answer()
        except Exception as error:  # noqa: BLE001 - the page went elsewhere meanwhile, or is too busy
            notes[f"consent: not looked for: {line(error)}"] += 1
        try:
            await self._scroll()
        except Exception as error:  # noqa: BLE001 - likewise
            notes[f"not scrolled to the end: {line(error)}"] += 1
        before = self._page.url
        self._record.stays = True
        try:
            await consent.answer()  # many come late
            for selector in limits.clicks:
                await more.click(selector)
            if limits.expand:
                await more.show_more()
        except Exception as error:  # noqa: BLE001 - likewise
            notes[f"not all of the page was opened: {line(error)}"] += 1
        if limits.expand and not limits.clicks and self._page.url.partition("#")[0] != before.partition("#")[0]:
            notes["a button led elsewhere; the page was loaded again, and nothing was pressed"] += 1
            self._record.stays = False
            await self._page.goto(before, wait_until="commit", timeout=0)
            await self._load()

    async def _short_rest(self) -> None:
        await self._rest(min(self._limits.settle, 0.5), self._limits.limit * _PAUSE)

    def _is_whole(self, frame: Frame) -> bool:
        return frame == self._page.main_frame

    async def _load(self) -> None:
        """Wait until all is there that the document names, or nothing comes any more."""
        load = asyncio.create_task(self._page.wait_for_load_state("load", timeout=0))
        idle = asyncio.create_task(self._rest(self._limits.settle * _IDLE, self._limits.limit))
        try:
            await asyncio.wait({load, idle}, return_when=asyncio.FIRST_COMPLETED)
            self._loaded = load.done()
            if not self._loaded:
                self._record.notes["the page never came to say that it has loaded"] += 1
        finally:
            for task in (load, idle):
                task.cancel()
            await asyncio.gather(load, idle, return_exceptions=True)

    async def _scroll(self) -> None:
        reached = -1
        for _ in range(self._limits.max_screens):
            bottom, height = await self._inspector.evaluate(_SCROLL)
            await asyncio.sleep(_STEP)
            if bottom >= height or bottom == reached:
                await self._rest(min(self._limits.settle, 1.0), self._limits.limit * _PAUSE)
                if bottom >= await self._inspector.evaluate(
                    "(document.scrollingElement || document.documentElement).scrollHeight"
                ):
                    break
            reached = bottom
        else:
            self._record.notes[f"scrolled through {self._limits.max_screens} screens, and there were more"] += 1
        await self._inspector.evaluate(_TO_THE_TOP)

    async def _rest(self, settle: float, patience: float) -> bool:
        """Wait until nothing has been asked for so long; False when patience ended first."""
        end = asyncio.get_running_loop().time() + patience
        while self._record.quiet < settle:
            if asyncio.get_running_loop().time() > end:
                return False
            await asyncio.sleep(0.05)
        return True
