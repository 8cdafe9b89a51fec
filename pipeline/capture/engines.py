"""Where results come from: the recorder alone, or the recorder and a browser side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue

from archive.model import Fetched, Role, Target
from pipeline.capture.browser.visit_many import Browsed, BrowserSettings
from pipeline.capture.http.fetch_process import fetch_apart
from pipeline.capture.http.settings import FetchSettings

_GLANCE = 0.001  # seconds

Results = Generator[Fetched | Browsed | None, None, None]


def fetch_and_browse(
    targets: Iterable[Target], settings: FetchSettings, limits: BrowserSettings, workdir: Path, *, tick: float
) -> Results:
    """Visit pages in the browser and fetch everything else; yields as `fetch_apart` and `browse_all` do.

    Raises what they raise; BrowserUnavailable (exit code 2) when there is no browser.
    """
    from pipeline.capture.browser.visit_many import browse_all

    lanes = _Lanes(targets)
    with (
        closing(fetch_apart(lanes.others(), settings, workdir, tick=tick)) as fetched,
        closing(browse_all(lanes.pages(), settings, workdir, limits=limits, tick=_GLANCE)) as browsed,
    ):
        lanes.start()
        yield from _both(fetched, browsed)


def _both(fetched: Iterator[Fetched | None], browsed: Iterator[Browsed | None]) -> Results:
    sources: list[Iterator[Fetched | Browsed | None]] = [browsed, fetched]
    while sources:
        for source in list(sources):
            try:
                yield next(source)
            except StopIteration:
                sources.remove(source)


class _Lanes:
    """Targets in two lanes, told apart in a thread of its own."""

    def __init__(self, targets: Iterable[Target]) -> None:
        self._targets = targets
        self._pages: SimpleQueue[Target | None] = SimpleQueue()
        self._others: SimpleQueue[Target | None] = SimpleQueue()
        self._error: BaseException | None = None

    def start(self) -> None:
        threading.Thread(target=self._read, name="lanes", daemon=True).start()

    def pages(self) -> Iterator[Target]:
        return self._lane(self._pages.get)

    def others(self) -> Iterator[Target]:
        return self._lane(self._others.get)

    def _lane(self, get: Callable[[], Target | None]) -> Iterator[Target]:
        while (target := get()) is not None:
            yield target
        if self._error is not None:
            raise self._error

    def _read(self) -> None:
        try:
            for target in self._targets:
                (self._pages if target.role == Role.PAGE else self._others).put(target)
        except BaseException as error:  # noqa: BLE001 - raised again in the consumers' threads
            self._error = error
        self._pages.put(None)
        self._others.put(None)
