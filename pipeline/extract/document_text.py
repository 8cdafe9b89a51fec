"""A document's paragraphs as one text with their places in it, and that text as Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from archive.model import Article, Passage
from pipeline.extract.normalize_text import clean

Part = tuple[str, str, tuple[tuple[float, ...], ...]]  # kind, text and boxes of a paragraph, as `Passage` has them


def assembled(parts: Iterable[Part]) -> tuple[str, tuple[Passage, ...]]:
    """Return paragraphs as one text, a line each, and where each stands in it; empty ones are left out."""
    lines: list[str] = []
    passages: list[Passage] = []
    at = 0
    for kind, text, boxes in parts:
        line = " ".join((clean(text) or "").split())
        if line:
            lines.append(line)
            passages.append(Passage(kind, at, at + len(line), boxes))
            at += len(line) + 1
    return "\n".join(lines), tuple(passages)


def markdown_of_document(article: Article) -> str:
    """Return a document as Markdown: its title, headings, paragraphs, and its notes behind a rule."""
    text, structure = article.text or "", article.structure
    blocks = [f"# {article.title}"] if article.title else []
    kind = ""
    for passage in structure.paragraphs if structure else ():
        line = text[passage.start : passage.end]
        if passage.kind == "note" and kind != "note":
            blocks.append("---")
        kind = passage.kind
        if kind == "heading" and line == article.title and len(blocks) == 1:
            continue
        blocks.append(f"## {line}" if kind == "heading" else line)
    return "\n\n".join(blocks) if text else ""
