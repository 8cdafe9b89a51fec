"""What is made of a page in the browser rather than received: its DOM as text, and its picture."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archive.model import Made
from pipeline.capture.browser.page_markup import page_markup
from pipeline.capture.browser.page_record import BrowserSettings, PageRecord
from pipeline.capture.http.recorder import BlockSink
from storage.errors import OnrecordError

if TYPE_CHECKING:
    from playwright.async_api import CDPSession

_MOST_FRAMES = 8
_DRAWING = 0.5  # seconds that frames get to be drawn
_ASKING = 5.0  # seconds for what a page that still works does at once
_HELD = 1 << 20  # bytes of a thing made that are held in memory


def line(error: BaseException) -> str:
    """Return the first line of what the driver says, fit for a note."""
    lines = str(error).strip().splitlines()
    text = lines[0][:200] if lines else type(error).__name__
    return "".join(character if character.isprintable() else "?" for character in text)  # it may reach a terminal


class Inspector:
    """A page seen from outside: by the browser's debugger, not by the page's own scripts."""

    def __init__(self, session: CDPSession, record: PageRecord, limits: BrowserSettings, folder: Path) -> None:
        self._session = session
        self._record = record
        self._limits = limits
        self._folder = folder

    async def frames(self, words: tuple[str, ...]) -> list[str]:
        """Return the ids of the page itself and of its frames with one of the words in their URL, a few at most."""
        tree = (await self._session.send("Page.getFrameTree"))["frameTree"]
        inner = [child["frame"] for child in tree.get("childFrames", ())]
        named = [frame["id"] for frame in inner if any(word in frame["url"].lower() for word in words)]
        return [tree["frame"]["id"], *named[:_MOST_FRAMES]]

    async def evaluate(self, expression: str, frame: str | None = None) -> Any:
        """Return a value from the page or a frame, in a world where the page's own scripts have changed nothing."""
        if frame is None:
            frame = (await self._session.send("Page.getFrameTree"))["frameTree"]["frame"]["id"]
        world = await self._session.send("Page.createIsolatedWorld", {"frameId": frame, "worldName": "onrecord"})
        result = await self._session.send(
            "Runtime.evaluate",
            {"expression": expression, "contextId": world["executionContextId"], "returnByValue": True},
        )
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"].get("text", "a script failed"))
        return result["result"].get("value")

    async def take_home(self, *, stop: bool) -> list[Made]:
        """Return the DOM and the screenshot, as far as they can be had; with `stop`, scripts are ended first."""
        made: list[Made] = []
        try:
            async with asyncio.timeout(self._limits.closing):
                if stop or not await self._answers():
                    await self._stop_scripts()
                if not await self._shows_the_page():
                    return made
                makers = [("DOM", self._dom), ("screenshot", self._screenshot)]
                for name, make in makers + ([("PDF print", self._print)] if self._limits.pdf else []):
                    thing = await self._tried(name, make)
                    if thing is not None:
                        made.append(thing)
        except OnrecordError:
            raise
        except Exception as error:  # noqa: BLE001 - what is had already is kept
            self._record.notes[f"not all of screenshot and DOM: {line(error)}"] += 1
        return made

    async def _tried(self, name: str, make: Callable[[], Awaitable[Made]]) -> Made | None:
        """Return a thing made, at the second try without the page's scripts, which may have begun to run just now."""
        seconds = self._limits.closing / 4
        for last in (False, True):
            try:
                return await asyncio.wait_for(make(), seconds)
            except OnrecordError:
                raise
            except Exception as error:  # noqa: BLE001 - the other thing may still be had
                if last:
                    self._record.notes[f"no {name}: {line(error)}"] += 1
                else:
                    await self._stop_scripts()
        return None

    async def _answers(self) -> bool:
        try:
            return bool(await asyncio.wait_for(self.evaluate("true"), _ASKING))
        except Exception:  # noqa: BLE001 - it hangs, or is just going elsewhere
            return False

    async def _stop_scripts(self) -> None:
        """End what runs, an endless loop too: the browser takes these commands in the middle of a script."""
        for command, arguments in (
            ("Runtime.terminateExecution", {}),
            ("Emulation.setScriptExecutionDisabled", {"value": True}),
            ("Page.stopLoading", {}),
        ):
            await asyncio.wait_for(self._session.send(command, arguments), _ASKING)

    async def _shows_the_page(self) -> bool:
        frame = (await self._session.send("Page.getFrameTree"))["frameTree"]["frame"]
        if "unreachableUrl" in frame:
            self._record.notes["in the end the browser shows an error of its own"] += 1
            return False
        if frame["url"] != self._record.final_url:
            self._record.notes[f"in the end the page calls itself {frame['url'][:1000]}"] += 1
        return True

    async def _dom(self) -> Made:
        text, missed = await page_markup(self._session, self._limits.max_dom)
        self._record.notes.update(f"not in the page's markup: {what}" for what in missed)
        if len(text) > self._limits.max_dom:
            text = text[: self._limits.max_dom]
            self._record.notes[f"only the first {self._limits.max_dom:,} characters of the DOM are kept"] += 1
        data = text.encode("utf-8", "replace")  # scripts can write half characters
        return self._made("urn:dom:", "text/html; charset=utf-8", data)

    async def _screenshot(self) -> Made:
        size = (await self._session.send("Page.getLayoutMetrics"))["cssContentSize"]
        height = max(min(int(size["height"]), self._limits.max_height), 1)
        if size["height"] > self._limits.max_height:
            self._record.notes[f"the screenshot ends after {self._limits.max_height:,} pixels"] += 1
        tall = await self._made_tall(height)
        clip = {"x": 0, "y": 0, "width": self._limits.width, "height": height, "scale": 1}
        shot = await self._session.send(
            "Page.captureScreenshot", {"format": "png", "clip": clip, "captureBeyondViewport": not tall}
        )
        return self._made("urn:fullPageFinal:", "image/png", base64.b64decode(shot["data"]))

    async def _made_tall(self, height: int) -> bool:
        """Make the screen as tall as a page with frames: those that were never on it are not drawn; whether it is."""
        tree = (await self._session.send("Page.getFrameTree"))["frameTree"]
        if not tree.get("childFrames") or height <= self._limits.height:
            return False
        screen = {"width": self._limits.width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self._session.send("Emulation.setDeviceMetricsOverride", screen)
        await asyncio.sleep(_DRAWING)
        return True

    async def _print(self) -> Made:
        """Print the page as PDF, with its backgrounds, on the paper that its style sheets name, else on A4."""
        paper = {"paperWidth": 8.27, "paperHeight": 11.69, "preferCSSPageSize": True, "printBackground": True}
        printed = await self._session.send("Page.printToPDF", paper)
        return self._made("urn:pdf:", "application/pdf", base64.b64decode(printed["data"]))

    def _made(self, scheme: str, mime: str, data: bytes) -> Made:
        sink = BlockSink(self._folder, _HELD)
        sink.write(data)
        now = datetime.now(UTC).replace(microsecond=0)
        return Made(f"{scheme}{self._record.final_url}", mime, sink.finish(), now)
