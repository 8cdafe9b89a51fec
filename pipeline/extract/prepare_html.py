"""A page's tree made ready for trafilatura: what it would take for ornament is put in plainer markup.

What changes is markup whose words a reader sees as part of the text: inline elements with meaningful class names, links
in paragraphs that hold little else, the numbers of lists and notes, captions, quotations with their sources, footnotes,
and parts of a page that a script would put in their places.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from lxml import etree

from pipeline.discover.resolve_url import web_url
from pipeline.extract.block_spans import open_block_spans
from pipeline.extract.documentation import free_of_its_name, note_in_box, open_cards
from pipeline.extract.footnotes import bracket_mark, drop_way_back, note_containers, write_note_links
from pipeline.extract.inline_markup import DROPPED, NO_TAG, enclose, hidden, make_plain, quote, uncover
from pipeline.extract.layout_tables import unfold_tables
from pipeline.extract.link_lists import leads_to
from pipeline.extract.list_numbers import numbered, place_for_number
from pipeline.extract.main_content import is_link, prose_of, text_in
from pipeline.extract.mathml import write_formulas
from pipeline.extract.other_stories import drop_other_stories
from pipeline.extract.streamed_parts import put_in_place
from pipeline.extract.templates import empty_templates

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# Signs that stand for markup until trafilatura is done, which drops private-use characters.
LINK, TARGET, END, NUMBER, QUOTED = "\u2bf0", "\u2bf1", "\u2bf2", "\u2bf3", "\u2bf4"

_LEAST_WORDS = 2  # of a caption or a credit
_WORD = re.compile(r"[^\W\d_]{2,}")
_NAMED = {"span", "a", "font", "em", "strong", "b", "i", "u", "mark", "abbr", "cite", "small", "data"}
_POSTS = {"twitter-tweet", "twitter-video", "instagram-media", "tiktok-embed", "bluesky-embed", "mastodon-embed"}
_BESIDE = {"h2", "h3", "h4", "ul", "ol", "blockquote"}  # what runs along with paragraphs
_ABOVE_FIGURES = {*_BESIDE, "h1", "header"}
_CAPTIONED = etree.XPath("//div[contains(@class, 'wp-caption')]")
_CAPTION = etree.XPath(".//p[contains(@class, 'caption')]|.//div[contains(@class, 'caption-text')]")
_BLOCKS = (
    "p",
    "div",
    "ul",
    "ol",
    "dl",
    "table",
    "blockquote",
    "pre",
    "figure",
    "section",
    "article",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
)
# Of a paragraph: joining the texts of so many one by one, as trafilatura does too, takes a minute for 100,000.
_MOST_LINKS, _MOST_CHILDREN = 1_000, 20_000
_MOST_SPANS, _WIDEST_SPAN = 500, 30  # cells that reach over others; trafilatura makes a cell for each that is covered
_SPANNING = etree.XPath("//td[@colspan or @rowspan]|//th[@colspan or @rowspan]")
_SPAN = re.compile(r"\d{1,4}\Z")


@dataclass(slots=True)
class Prepared:
    """A tree that may be taken apart, and where the links lead that stand in it as marks."""

    tree: HtmlElement
    targets: list[str] = field(default_factory=list)


class _Preparation:
    def __init__(self, tree: HtmlElement, url: str, *, links: bool) -> None:
        self.result = Prepared(tree)
        self._url = url
        self._links = links

    def run(self) -> None:
        tree = self.result.tree
        put_in_place(tree)
        empty_templates(tree)
        uncover(tree)
        open_block_spans(tree)
        drop_other_stories(tree)
        open_cards(tree)
        _narrow_cells(tree)
        unfold_tables(tree)
        write_formulas(tree, markdown=self._links)
        notes = note_containers(tree)
        self._each({"q": quote, "sup": bracket_mark, "a": _note_link})
        for element in _CAPTIONED(tree):
            self._figure(element)
        self._each(
            {
                "div": _division,
                "section": free_of_its_name,
                "aside": note_in_box,
                "p": self._paragraph,
                "figure": self._figure,
                "blockquote": self._quotation,
                "ul": self._announced,
                "ol": self._list,
            }
        )
        for element in notes:
            self._notes(element)
        etree.strip_tags(tree, NO_TAG)

    def _each(self, steps: dict[str, Callable[[HtmlElement], None]]) -> None:
        for element in list(self.result.tree.iter(*steps)):
            if element.getparent() is not None:
                steps[element.tag](element)

    def _paragraph(self, element: HtmlElement) -> None:
        if not len(element):
            return
        if len(element) > _MOST_CHILDREN:
            words, tail = text_in(element), element.tail
            element.clear()
            element.text, element.tail = words, tail
            return
        prose = prose_of(element)
        own = _own_words(element)
        if prose or own >= 2:
            for inner in list(element.iterdescendants(*_NAMED, *DROPPED)):
                make_plain(inner)
        if element.find(".//a") is not None and (prose or ((own or _is_sentence(element)) and _runs_along(element))):
            self._keep_links(element)

    def _keep_links(self, element: HtmlElement) -> None:
        """Links become words of their paragraph, so that no count of links can take them away."""
        links = list(element.iter("a"))
        if len(links) > _MOST_LINKS:
            return
        for link in links:
            if hidden(link):
                continue
            target = web_url(self._url, link.get("href") or "") if self._links else None
            if target and text_in(link).strip() and link.find(".//img") is None:
                enclose(link, LINK, f"{TARGET}{len(self.result.targets)}{END}")
                self.result.targets.append(target)
            link.tag = NO_TAG

    def _figure(self, element: HtmlElement) -> None:
        """Keep the text in a figure, which trafilatura would drop with the figure."""
        if element.find(".//blockquote") is not None or element.find(".//pre") is not None:
            for caption in element.iter("figcaption"):
                caption.tag = "p"
            element.tag = "div"
            element.attrib.clear()
            return
        caption = element.find(".//figcaption")
        if caption is None:
            caption = next(iter(_CAPTION(element)), None)
        if caption is None or element.find(".//table") is not None or not _stands_by_prose(element):
            return
        words = " ".join(text_in(caption).split())
        if len(_WORD.findall(words)) >= _LEAST_WORDS and element.getparent() is not None:
            paragraph = element.makeelement("p")
            paragraph.text = words
            element.addprevious(paragraph)

    def _quotation(self, element: HtmlElement) -> None:
        if self._links:
            _mark_quotation(element)
        for source in list(element.iter("footer", "cite", "figcaption")):
            if source.tag != "cite" or source.getparent() is element:
                source.tag = "p"
                source.attrib.clear()
                self._keep_links(source)
        if _POSTS & set((element.get("class") or "").split()):
            element.attrib.clear()
            self._keep_links(element)
            above = element.getparent()
            while above is not None and above.tag in {"div", "figure", "section"} and _is_wrapper(above):
                above.attrib.clear()
                above.tag = "div"
                above = above.getparent()

    def _announced(self, element: HtmlElement) -> None:
        """Keep the links of a list that a paragraph announces; other lists of links are menus."""
        if leads_to(element):
            self._keep_links(element)

    def _list(self, element: HtmlElement) -> None:
        """Write the numbers into a list: readers see them, commentary refers to them, and the text form has none."""
        self._announced(element)
        if self._links:
            return  # Markdown numbers its lists itself
        for item, number in numbered(element):
            if is_link(item):
                return  # a menu
            if (place := place_for_number(item)) is not None:
                place.text = f"{NUMBER}{number} {(place.text or '').lstrip()}"

    def _notes(self, element: HtmlElement) -> None:
        """Footnotes lie in a plain container, each with its words."""
        if element.tag in {"aside", "section"}:
            element.tag = "div"
        if element.tag in {"div", "ol"}:
            element.attrib.clear()
            self._keep_links(element)


def prepared(tree: HtmlElement, url: str, *, links: bool = False) -> Prepared:
    """Return a copy of a page's tree that trafilatura reads as its readers do.

    With `links`, links are kept as marks.
    """
    preparation = _Preparation(deepcopy(tree), url, links=links)
    preparation.run()
    return preparation.result


def _mark_quotation(element: HtmlElement) -> None:
    """Put a sign before each line of a quotation, of which Markdown makes its mark."""
    if element.find(".//pre") is not None:
        return
    blocks = [
        each
        for each in element.iter("p", "li", "div")
        if not any(True for _ in each.iterchildren("p", "div", "ul", "ol"))
    ]
    for block in blocks or [element]:
        if not text_in(block).strip():
            continue
        block.text = QUOTED + (block.text or "").lstrip()
        for line in block.iter("br"):
            line.tail = QUOTED + (line.tail or "").lstrip()


def _note_link(element: HtmlElement) -> None:
    drop_way_back(element)
    write_note_links(element)


def _narrow_cells(tree: HtmlElement) -> None:
    """Hostile tables have cells that reach over millions of others."""
    for count, cell in enumerate(_SPANNING(tree)):
        for name in ("colspan", "rowspan"):
            value = cell.get(name)
            if value is not None and (count >= _MOST_SPANS or not _SPAN.match(value) or int(value) > _WIDEST_SPAN):
                del cell.attrib[name]


def _division(element: HtmlElement) -> None:
    free_of_its_name(element)
    note_in_box(element)
    if element.tag == "div":
        _loose_paragraph(element)


def _loose_paragraph(element: HtmlElement) -> None:
    """Turn a <div> that is used as a paragraph, between paragraphs, into one."""
    if element.getprevious() is None or element.getnext() is None:
        return
    if any(True for _ in element.iterdescendants(*_BLOCKS)):  # asked first: its words may be the whole page's
        return
    if prose_of(element) and _runs_along(element):
        element.tag = "p"
        element.attrib.clear()


def _is_sentence(element: HtmlElement) -> bool:
    """Whether a paragraph ends as sentences do; headlines, which links to other articles are, do not."""
    return text_in(element).rstrip("\"'\u201d\u2019\u00bb) \n\t\u00a0").endswith((".", "!", "?", "\u2026", "\u3002"))


def _own_words(element: HtmlElement) -> int:
    """How many words of a paragraph stand outside its links."""
    words = len(_WORD.findall(text_in(element)))
    return words - sum(len(_WORD.findall(text_in(link))) for link in element.iter("a"))


def _runs_along(element: HtmlElement) -> bool:
    """Whether prose stands on both sides of an element."""
    for near in (element.getprevious(), element.getnext()):
        if near is None or not (near.tag in _BESIDE or (near.tag == "p" and prose_of(near))):
            return False
    return True


def _beyond_figures(siblings: Iterator[HtmlElement]) -> HtmlElement | None:
    return next((each for each in islice(siblings, 20) if each.tag not in {"figure", "script", "style"}), None)


def _stands_by_prose(element: HtmlElement) -> bool:
    """Return whether a figure belongs to an article: prose or its heading stands beside it, or beside its wrapper."""
    for _ in range(3):
        beside = (_beyond_figures(element.itersiblings(preceding=True)), _beyond_figures(element.itersiblings()))
        for near in beside:
            if near is not None and (near.tag in _ABOVE_FIGURES or (near.tag == "p" and prose_of(near))):
                return True
        above = element.getparent()
        if above is None or above.tag not in {"div", "span", "a"} or not _is_wrapper(above):
            return False
        element = above
    return False


def _is_wrapper(element: HtmlElement) -> bool:
    """Whether an element is there for one other alone."""
    return sum(1 for child in element if isinstance(child.tag, str) and child.tag not in {"script", "style"}) == 1
