"""What the workers are given, and what they make of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from archive.model import Article, Headers
from pipeline.discover.outlinks import MOST, Findings

# Media types whose bodies hold a text; a body that names none is looked at.
EXTRACTABLE = frozenset({"text/html", "application/xhtml+xml", "text/plain", "unk"})
MAYBE_PAGES = EXTRACTABLE | {"text/xml", "application/xml"}  # XHTML by its root element, or else no page


class Task(StrEnum):
    """What is to be made of a body."""

    ARTICLE = "article"  # of a page: its text and metadata, and what it names
    FRAME = "frame"  # of a page: what it names
    CSS = "css"
    FEED = "feed"
    SITEMAP = "sitemap"


@dataclass(frozen=True, slots=True)
class Page:
    """A body, its content codings undone, with the Content-Type it came with.

    `status` and `headers` are those of its answer; what a browser `rendered` has none of its own.
    """

    url: str
    body: bytes
    content_type: str | None
    task: Task = Task.ARTICLE
    most: int = MOST  # links of one kind that are taken from it
    status: int = 200
    headers: Headers = ()
    rendered: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What was made of a body: findings, and the article where one was asked for.

    `problem` says which part of the article is missing because its extraction failed; the rest is in the article.
    `notes` say what was passed over, one line each. `wall` names the outcome of a body that is a wall, and whose it is.
    `lacks` says what of the page's words its text lacks, where that is TEXT_INCOMPLETE.
    """

    findings: Findings
    article: Article | None = None
    problem: str | None = None
    notes: tuple[str, ...] = ()
    wall: tuple[str, str] | None = None
    lacks: str | None = None
