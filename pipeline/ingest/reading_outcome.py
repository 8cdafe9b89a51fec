"""What the reading of a body adds to the outcome of its capture."""

from __future__ import annotations

from dataclasses import replace

from archive.digests import text_digest
from archive.model import Article, Outcome, Verdict
from pipeline.capture.http.failures import LACKS, STANDS
from pipeline.discover.outlinks import MORE
from pipeline.extract.tasks import Reading, Task
from pipeline.ingest.extraction_queue import Job

_UNREADABLE = {Task.FEED: "no-feed", Task.SITEMAP: "no-sitemap"}


def with_reading(job: Job, outcome: Outcome, verdict: Verdict, reading: Reading | None) -> Outcome:
    """Return an outcome with what reading the body showed: a title, or why there is no text, or that it is no feed."""
    if outcome.ok and not verdict.ok:
        outcome = replace(outcome, outcome=verdict.name, error=verdict.error)
    outcome = replace(outcome, notes=(*outcome.notes, *job.notes))
    if reading is None:
        return outcome
    if reading.findings.left_out:
        many = f"{reading.findings.left_out:,} links beyond {len(reading.findings.outlinks):,} are left out"
        outcome = replace(outcome, notes=(*outcome.notes, f"{many}; {MORE}"))
    if reading.wall and outcome.ok:
        name, whose = reading.wall
        outcome = replace(outcome, outcome=name, error=f"{STANDS[name]} ({whose})")
    if job.task in _UNREADABLE:
        problem = reading.findings.problem
        if problem and outcome.ok and not reading.findings.outlinks:
            return replace(outcome, outcome=_UNREADABLE[job.task], error=problem)
        return outcome
    article = reading.article or Article()
    outcome = replace(outcome, notes=(*outcome.notes, *reading.notes))
    if article.availability and outcome.ok:
        error = reading.lacks or (STANDS | LACKS)[article.availability]
        outcome = replace(outcome, outcome=article.availability, error=error)
    if article.text and not (reading.problem and reading.lacks):  # a plain reading is compared with no other text
        words = article.text.split()
        outcome = replace(outcome, text=text_digest(words), words=len(words))
    return replace(outcome, title=article.title)
