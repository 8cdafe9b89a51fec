"""The text of a page: what its author meant to be read.

trafilatura finds it in a tree that was prepared for it. Then the text is checked twice: against the paragraphs of the
element that holds most of the page's prose, and against the text that the page's own JSON-LD holds. Where much is
missing, that element, or that text, is read instead, if it has what was found before, or far more.
"""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipeline.extract.forum_posts import page_of_posts, posts_of, remarks_of
from pipeline.extract.forum_quotes import shorten_quotes
from pipeline.extract.html_tree import parsed
from pipeline.extract.json_ld import Structured, structured_of
from pipeline.extract.main_content import container_of, letters, share_in, share_kept, words_of
from pipeline.extract.normalize_text import clean
from pipeline.extract.plain_text import plain_text_of
from pipeline.extract.prepare_html import END, LINK, NUMBER, QUOTED, TARGET, Prepared, prepared
from pipeline.extract.reader_comments import comment_areas, comments_in, without
from pipeline.extract.seen_parts import shown
from pipeline.extract.short_posts import post_instead

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_ENOUGH = 0.9  # of a page's prose, in the text that was found: then nothing else is tried
_KEPT = 0.8  # of the text found first, that another reading must have
_STRAY = 0.2  # of the text found first, when it lies in what the page names comments and the like,
_FAR_MORE = 3  # and another reading is so many times as long: then that need not have it
_MUCH_SHORTER = 0.6  # of the length of JSON-LD's text
_LEAST_STRUCTURED = 200  # characters of JSON-LD's text; a shorter one is a teaser
_BEGINNING, _ALIKE = 200, 60  # characters and letters by which two texts are recognised as one
_ELLIPSIS = re.compile(r"(?:\u2026|\.\.\.|\[[^\]]{0,20}\])\s*\Z")
_MARKUP = re.compile(r"<(?:p|br|div|a|h[1-6]|ul|ol|li|blockquote|em|strong|span|figure|table)\b", re.IGNORECASE)
_ENTITIES = re.compile(r"&(?:lt|gt|amp|quot|nbsp|#\d+|#x[0-9a-f]+);", re.IGNORECASE)
_LINK = re.compile(f"{LINK}([^{LINK}{TARGET}{END}\n]*){TARGET}(\\d{{1,7}}){END}")
_MARKS = re.compile(f"{TARGET}\\d{{0,7}}{END}|[{LINK}{TARGET}{END}]")
_NUMBERED = re.compile(f"(?:^- )?{NUMBER}(?=-?\\w{{1,9}}\\. )", re.MULTILINE)
# A number whose words were left out: it stands on a line alone, or before another one.
_LONE_NUMBER = re.compile(
    f"^(?:- )?{NUMBER}-?\\w{{0,9}}\\.?[ ]*(?:\n|\\Z)|{NUMBER}-?\\w{{1,9}}\\.[ ]*(?={NUMBER}|\n|\\Z)", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Body:
    """A page's text and, apart from it, what readers wrote below."""

    text: str | None = None
    comments: str | None = None
    is_thread: bool = False  # the posts of a forum


@dataclass(frozen=True, slots=True)
class _Choice:
    """What was read, and the tree that it was found in."""

    body: Body
    tree: HtmlElement


def body_of(tree: HtmlElement, url: str, structured: Structured | None = None, *, seen: bool = False) -> Body:
    """Return the text of a parsed page; the tree is not changed.

    `structured` is what its JSON-LD says, where it is known; `seen` says that the tree comes from `seen_parts.shown`.
    """
    return _chosen(tree if seen else shown(tree), url, structured).body


def markdown_of(html: str, url: str) -> str:
    """Return the same text as Markdown, headings, emphasis and links kept; empty without a text."""
    tree = parsed(html)
    if tree is None:
        return ""
    choice = _chosen(shown(tree), url, None)
    text = choice.body.text
    if text is None:
        return ""
    ready = prepared(choice.tree, url, links=True)
    found = _read(ready.tree, url, include_comments=False, include_links=True, include_formatting=True)
    marked = clean(_with_links(found.text, ready) if found else None) or ""
    return marked if share_kept(text, _LINK_SYNTAX.sub("", marked)) >= _KEPT / 2 else text


_LINK_SYNTAX = re.compile(r"\]\([^)\s]*\)|[*_`\\]")


def _chosen(tree: HtmlElement, url: str, structured: Structured | None) -> _Choice:
    ready = prepared(tree, url).tree
    posts = posts_of(ready)
    shorten_quotes(posts)
    if posts and (text := _plain(plain_text_of(posts))):
        return _Choice(Body(text, _plain(plain_text_of(remarks_of(ready))), is_thread=True), page_of_posts(tree))
    first, ready = _apart_from_comments(_Choice(_body(_read(ready, url)), tree), ready, url)
    container = container_of(ready)
    if container is not None and share_in(first.body.text or "", container) < _ENOUGH:
        first = _better(first, _standing_alone(container), container, url)
    first = _short_post(first, ready)
    return _checked(first, structured if structured is not None else structured_of(tree), url)


def _apart_from_comments(choice: _Choice, ready: HtmlElement, url: str) -> tuple[_Choice, HtmlElement]:
    """Return the text without readers' comments, and the tree without them, where they were taken for the text."""
    areas = comment_areas(ready)
    own = _plain(comments_in(areas)) if areas else None
    if own is None:
        return choice, ready
    found = choice.body.comments
    comments = found if found and share_kept(own, found) > 1 - _KEPT else own
    if share_kept(own, choice.body.text or "") <= _STRAY:
        return replace(choice, body=replace(choice.body, comments=comments)), ready
    bare = without(ready, areas)
    body = Body(_body(_read(bare, url, include_comments=False)).text, comments)
    return _Choice(body, without(choice.tree, comment_areas(choice.tree))), bare


def _short_post(choice: _Choice, ready: HtmlElement) -> _Choice:
    """Return the post alone, where a menu was taken for its text or its paragraphs run together."""
    post = post_instead(choice.body.text, ready) if choice.body.text else None
    return choice if post is None else _Choice(replace(choice.body, text=_plain(post)), choice.tree)


def _read(tree: HtmlElement, url: str, **options: Any) -> Any:
    from trafilatura import bare_extraction

    return bare_extraction(tree, url=url, output_format="python", with_metadata=False, **options)


def _body(found: Any) -> Body:
    return Body(_plain(found.text), _plain(found.comments)) if found else Body()


def _plain(text: str | None) -> str | None:
    """Return a text without marks: the numbers of lists in the place of dashes."""
    if text and NUMBER in text:
        text = _NUMBERED.sub("", _LONE_NUMBER.sub("", text)).replace(NUMBER, "")
    return clean(text)


def _with_links(text: str | None, ready: Prepared) -> str:
    """Markdown's links in the place of their marks."""

    def link(match: re.Match[str]) -> str:
        words, number = match[1].strip(), int(match[2])
        if not words or number >= len(ready.targets):
            return match[1]
        target = ready.targets[number].replace("(", "%28").replace(")", "%29").replace(" ", "%20")
        before, after = (" " if match[1][:1] == " " else ""), (" " if match[1][-1:] == " " else "")
        return f"{before}[{words}]({target}){after}"

    return _quoted(_MARKS.sub("", _LINK.sub(link, text or "")))


def _quoted(text: str) -> str:
    """Put Markdown's mark before each line of a quotation; its paragraphs are one quotation."""
    if QUOTED not in text:
        return text
    lines = [re.sub(f"^(- )?{QUOTED}+", r"> \1", line).replace(QUOTED, "") for line in text.split("\n")]
    kept: list[str] = []
    for place, line in enumerate(lines):
        after = next((later for later in lines[place + 1 :] if later.strip()), "")
        between = not line.strip() and bool(kept) and kept[-1].startswith(">") and after.startswith("> ")
        kept.append(">" if between else line)
    return "\n".join(kept)


def _standing_alone(container: HtmlElement) -> HtmlElement:
    """Return a page that has nothing but an element, named as one that holds an article."""
    from lxml import html

    page: HtmlElement = html.document_fromstring('<html><body><div class="post-content"></div></body></html>')
    copied = deepcopy(container)
    copied.tag, copied.tail = "div", None
    copied.attrib.clear()
    page.find("body")[0].append(copied)
    return page


def _better(first: _Choice, page: HtmlElement, container: HtmlElement, url: str) -> _Choice:
    """Return the reading of the container where that has more of its prose, and nearly all that was found before."""
    found = _read(page, url, include_comments=False)
    text = _plain(found.text) if found else None
    before, comments = first.body.text or "", first.body.comments
    if text is None or share_in(text, container) <= share_in(before, container):
        return first
    stray = len(text) >= _FAR_MORE * len(before) and share_kept(before, words_of(first.tree)) <= _STRAY
    if not stray and share_kept(before, text) < _KEPT:
        return first
    if comments and share_kept(comments, text) > 1 - _KEPT:
        comments = None  # they were the text itself
    return _Choice(Body(text, comments), page)


def _checked(choice: _Choice, structured: Structured, url: str) -> _Choice:
    """Return the text of JSON-LD, where it has much that the page's own markup does not."""
    before = choice.body.text or ""
    if structured.text is None or len(structured.text) < max(_LEAST_STRUCTURED, len(before)):
        return choice
    page = _page_of(structured.text)
    text = _plain(_text_of(page, url))
    if text is None or len(text) < _LEAST_STRUCTURED:
        return choice
    if _runs_together(before, text):
        return _Choice(Body(text, choice.body.comments), page)
    if len(before) > _MUCH_SHORTER * len(text):
        return choice
    if share_kept(text, before) > _KEPT or _ELLIPSIS.search(text):
        return choice
    return _Choice(Body(text, choice.body.comments), page)


def text_of_data(text: str, url: str) -> str | None:
    """Return the text of an article that a page's data holds, which may be HTML."""
    page = _page_of(text)
    found = _plain(_text_of(page, url))
    return found or clean("\n".join(" ".join(each.split()) for each in page.itertext() if each.strip()))


def _runs_together(before: str, text: str) -> bool:
    """Whether what was found is that same text as trafilatura takes it from JSON-LD: all in one line."""
    same = letters(before[:_BEGINNING])[:_ALIKE] == letters(text[:_BEGINNING])[:_ALIKE]
    return same and before.count("\n") <= 1 < text.count("\n") and len(before) < 2 * len(text)


def _page_of(text: str) -> HtmlElement:
    """Return a page that has nothing but a text, which may be HTML, and escaped HTML at that."""
    from html import unescape

    from lxml import html

    if not _MARKUP.search(text) and _ENTITIES.search(text):
        text = unescape(text)
    if not _MARKUP.search(text):
        page: HtmlElement = html.document_fromstring('<html><body><div class="post-content"></div></body></html>')
        for line in text.splitlines():
            if line.strip():
                paragraph = page.makeelement("p")
                paragraph.text = clean(line)
                page.find("body")[0].append(paragraph)
        return page
    whole = parsed(f'<html><body><div class="post-content">{text}</div></body></html>')
    return whole if whole is not None else html.document_fromstring("<html><body></body></html>")


def _text_of(page: HtmlElement, url: str) -> str | None:
    found = _read(prepared(page, url).tree, url, include_comments=False)
    return found.text if found else None
