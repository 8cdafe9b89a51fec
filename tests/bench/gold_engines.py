"""The extractors that the gold pages are read with: onrecord, and others beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

Metadata = dict[str, str | None]  # "title", "author" and "date" (YYYY-MM-DD)


class Extract(Protocol):
    """A page's text; with what readers wrote below, where the extractor tells it from the text."""

    def __call__(self, html: str, url: str, *, comments: bool) -> str: ...


def onrecord() -> Extract:
    from pipeline.extract.tasks import Page
    from pipeline.extract.worker import warm, work

    warm()

    def extract(html: str, url: str, *, comments: bool) -> str:
        article = work(Page(url, html.encode("utf-8", "replace"), "text/html; charset=utf-8")).article
        assert article is not None
        return "\n".join(part for part in (article.text, article.comments if comments else None) if part)

    return extract


def onrecord_text() -> Extract:
    """The text alone: no metadata, no links."""
    from pipeline.extract.body import body_of
    from pipeline.extract.html_tree import parsed
    from pipeline.extract.worker import warm

    warm()

    def extract(html: str, url: str, *, comments: bool) -> str:
        tree = parsed(html)
        return (body_of(tree, url).text or "") if tree is not None else ""

    return extract


def trafilatura() -> Extract:
    import trafilatura

    def extract(html: str, url: str, *, comments: bool) -> str:
        return trafilatura.extract(html) or ""

    return extract


def trafilatura_without_comments() -> Extract:
    """trafilatura with comments off, except in forums."""
    import trafilatura

    def extract(html: str, url: str, *, comments: bool) -> str:
        return trafilatura.extract(html, include_comments=comments) or ""

    return extract


def trafilatura_faster() -> Extract:
    """The same with what makes it faster here, as a measure of what the text costs beyond it."""
    from trafilatura import bare_extraction

    from pipeline.extract.html_tree import parsed
    from pipeline.extract.worker import warm

    warm()

    def extract(html: str, url: str, *, comments: bool) -> str:
        tree = parsed(html)
        found = bare_extraction(tree) if tree is not None else None
        return (found.text or "") if found else ""  # type: ignore[union-attr]

    return extract


def readability() -> Extract:
    from lxml import html as parser
    from readability import Document

    def extract(html: str, url: str, *, comments: bool) -> str:
        summary = Document(html).summary(html_partial=True)
        return " ".join(parser.fromstring(summary).itertext())

    return extract


def resiliparse() -> Extract:
    from resiliparse.extract.html2text import extract_plain_text

    def extract(html: str, url: str, *, comments: bool) -> str:
        return extract_plain_text(html, main_content=True)

    return extract


_TRAFIPY = """
import json, sys, trafipy
for line in sys.stdin:
    html, url, comments = json.loads(line)
    try:
        text = trafipy.extract(html, url=url, include_comments=comments, favor_recall=False).text
    except Exception:
        text = ""
    print(json.dumps(text), flush=True)
"""


def trafipy() -> Extract:
    """trafipy in a Python of its own: it needs 3.12, and measures no CPU here."""
    command = [*TRAFIPY, "-c", _TRAFIPY]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    asked, answers = process.stdin, process.stdout

    def extract(html: str, url: str, *, comments: bool) -> str:
        asked.write(json.dumps([html, url, comments]) + "\n")
        asked.flush()
        return str(json.loads(answers.readline()))

    return extract


TRAFIPY: list[str] = []  # the Python that has it; set in each process


def has_trafipy(python: Path | None) -> str | None:
    """Return the Python that can import trafipy: the one named, or this one; None where it cannot."""
    found = str(python or sys.executable)
    done = subprocess.run([found, "-c", "import trafipy"], capture_output=True, check=False)
    return found if done.returncode == 0 else None


EXTRACTORS: dict[str, Callable[[], Extract]] = {
    "onrecord": onrecord,
    "trafilatura": trafilatura,
    "trafilatura, no comments": trafilatura_without_comments,
    "trafipy": trafipy,
    "readability-lxml": readability,
    "resiliparse": resiliparse,
}
COSTS = {"text alone": onrecord_text, "trafilatura, made faster": trafilatura_faster}


def our_metadata() -> Callable[[str, str], Metadata]:
    from pipeline.extract.html_tree import parsed
    from pipeline.extract.metadata import metadata_of
    from pipeline.extract.worker import warm

    warm()

    def extract(html: str, url: str) -> Metadata:
        tree = parsed(html)
        found: dict[str, Any] = metadata_of(tree, url) if tree is not None else {}
        return {"title": found.get("title"), "author": found.get("author"), "date": (found.get("date") or "")[:10]}

    return extract


def bare_metadata() -> Callable[[str, str], Metadata]:
    from trafilatura.metadata import extract_metadata

    def extract(html: str, url: str) -> Metadata:
        found = extract_metadata(html, default_url=url)
        if found is None:
            return {}
        return {"title": found.title, "author": found.author, "date": found.date}

    return extract


METADATA = {"onrecord": our_metadata, "trafilatura": bare_metadata}
