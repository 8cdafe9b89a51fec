"""A page of which only the text or only the metadata could be extracted: its outcome says so, what was had is kept."""

from __future__ import annotations

import itertools
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from archive.archive import Archive
from archive.model import Article, Fetched, Outcome, Target, Verdict
from archive.runs.warc_files import RunSettings
from pipeline.crawl.frontier import Frontier
from pipeline.crawl.scope import Rules
from pipeline.discover.outlinks import Findings
from pipeline.extract.tasks import Page, Reading
from pipeline.extract.worker_pool import Allowance
from pipeline.ingest.recording import Writing
from pipeline.ingest.reextract import AgainOptions, extract_again
from pipeline.watch.observation import observed
from storage.local import LocalStore
from tests.exchanges import a_document, an_exchange

URL = "http://example.org/a"
PROBLEM = "most metadata could not be extracted: ValueError: x"
RUN = RunSettings("onrecord/test")


@dataclass
class Reader:
    """Readers that read the same in every page."""

    reading: Reading
    has_room: bool = True

    def submit(self, _: Page, __: Allowance | None = None) -> Future[Reading]:
        done: Future[Reading] = Future()
        done.set_result(self.reading)
        return done

    def close(self) -> None: ...


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    found = Archive(LocalStore(tmp_path / "store"), spool=tmp_path / "spool")
    found.prepare()
    return found


def partial(text: str | None, *notes: str) -> Reader:
    return Reader(Reading(Findings(), Article(title="New", text=text, extractor="test 2"), PROBLEM, notes))


def text_in(archive: Archive) -> str | None:
    document = archive.document(archive.closest(URL))
    return document.article.text if document else None


def test_a_capture(archive: Archive) -> None:
    outcomes: list[Outcome] = []
    with closing(archive.session(RUN)) as session:
        take = lambda outcome, _: outcomes.append(outcome)  # noqa: E731
        frontier = Frontier([Target(URL)], Rules(), session.earlier.last)
        (target,) = itertools.islice(frontier, 1)
        writing = Writing(session, partial("a new text", "a note"), frontier, take, Rules(), 1 << 20)
        writing.take(Fetched(target, (an_exchange(URL),), Verdict("ok")))
        writing.finish()
        session.commit()
    (outcome,) = outcomes
    assert (outcome.outcome, outcome.title, outcome.words) == ("extraction-failed", "New", 3)
    assert outcome.error == f"{PROBLEM}; the page is archived"
    assert outcome.notes == ("a note",)
    assert text_in(archive) == "a new text"


@pytest.mark.parametrize(
    ("before", "after", "right"),
    [("old", "new", "old"), (None, "new", "new"), ("old", None, "old"), (None, None, None)],
)
def test_texts_made_again(archive: Archive, before: str | None, after: str | None, right: str | None) -> None:
    with closing(archive.session(RUN)) as session:
        snapshot = session.add(an_exchange(URL), page=True)
        session.add_document(a_document(snapshot, before))  # type: ignore[arg-type]
        session.commit()
    archive.refresh()
    outcomes: list[Outcome] = []
    options = AgainOptions(RUN, "test 2")
    extract_again(archive, partial(after), options, lambda outcome, _: outcomes.append(outcome))
    assert [outcome.outcome for outcome in outcomes] == ["extraction-failed"]
    archive.refresh()
    assert text_in(archive) == right


def test_a_text_without_metadata_is_compared_with_others() -> None:
    line = Outcome(URL, "extraction-failed", "2026-11-23T12:00:00Z", status=200, words=3)
    seen, unseen = observed(replace(line, text="sha256:a")), observed(line)
    assert seen is not None
    assert unseen is not None
    assert (seen.text, unseen.text) == ("sha256:a", None)
