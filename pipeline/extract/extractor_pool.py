"""The extractors: worker processes that turn pages into articles, each page within limits of time and memory."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from archive.model import Article, Verdict
from pipeline.extract.tasks import Page, Reading
from pipeline.extract.worker_pool import Allowance, TaskFailure, WorkerPool


@dataclass(frozen=True, slots=True)
class Extracted:
    """What was read in a page; where the verdict is not ok, it says why nothing was, or which part is missing."""

    reading: Reading | None
    verdict: Verdict

    @property
    def article(self) -> Article | None:
        """The page's article, where one was asked for and made."""
        return self.reading.article if self.reading else None


class Extractors(Protocol):
    """Something that reads pages, elsewhere."""

    @property
    def has_room(self) -> bool:
        """Whether `submit` would return at once."""

    def submit(self, page: Page, allowance: Allowance | None = None, /) -> Future[Reading]:
        """Read a page, within so much of the processor's time; hand the future to `extracted` for its outcome."""

    def close(self) -> None:
        """End the readers."""


class ExtractorPool(WorkerPool[Reading]):
    """Extracts pages in worker processes, each page within a time and a memory limit."""

    def __init__(self, workers: int, *, time_limit: float = 60.0, memory_limit: int = 2_000_000_000) -> None:
        super().__init__("pipeline.extract.worker:work", workers, time_limit=time_limit, memory_limit=memory_limit)


_VERDICTS = {
    "timeout": "extraction-timeout",
    "work": "too-much-work",
    "memory": "extraction-memory",
    "killed": "extractor-killed",
    "failed": "extraction-failed",
}


def extracted(future: Future[Reading]) -> Extracted:
    """Wait for a page's outcome; never raises for a bad page."""
    try:
        reading = future.result()
    except TaskFailure as failure:
        return Extracted(
            None, Verdict(_VERDICTS[failure.kind], f"no text was extracted: {failure}; the page is archived")
        )
    if reading.problem:
        return Extracted(reading, Verdict(reading.outcome, f"{reading.problem}; the page is archived"))
    return Extracted(reading, Verdict("ok"))
