"""The texts of an imported file's pages: made within the file's room, and named where they are incomplete."""

from __future__ import annotations

from collections.abc import Iterable

from archive.model import Outcome
from archive.runs import Session
from pipeline.crawl.scope import Rules
from pipeline.extract.extractor_pool import ExtractorPool
from pipeline.ingest.import_flaws import Flaws
from pipeline.ingest.import_pages import Renditions
from pipeline.ingest.import_result import Imported
from pipeline.ingest.import_room import LITTLE, Room, Texts
from pipeline.ingest.recording import Report, Writing

_DECODED = 100_000_000  # bytes of a page after its content codings are undone


class ImportedTexts:
    """Makes the texts of the pages of one file, and counts those that are incomplete or failed."""

    def __init__(self, session: Session, room: Room, flaws: Flaws, done: Imported, report: Report) -> None:
        """`report` is given the outcome of each page whose text is incomplete or could not be made."""
        self._session = session
        self._flaws = flaws
        self._done = done
        self._report = report
        self._texts = Texts(session, room, flaws.written, lambda why: flaws.add("", None, why))

    def make(self, pages: Iterable[str], renditions: Renditions, pool: ExtractorPool) -> None:
        """Make the texts of pages, which are given by the places of their captures."""
        rules = Rules(requisites=False)
        writing = Writing(self._session, pool, None, self._say, rules, _DECODED, texts=self._texts)
        for place in pages:
            snapshot = self._session.snapshot(place)
            writing.read_page(snapshot, renditions.of(snapshot))
            writing.advance()
        writing.finish()
        self._done.pages -= self._texts.end()
        self._done.left = self._flaws.left
        self._done.incomplete += self._texts.unsaid

    def _say(self, outcome: Outcome, line: bytes) -> None:
        little = outcome.outcome in LITTLE
        self._done.incomplete += little
        self._done.failed += not little
        self._report(outcome, line)
