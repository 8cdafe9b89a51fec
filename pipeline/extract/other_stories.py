"""What a page shows beside its article in boxes of their own: teasers of other stories, and forms for a newsletter."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from pipeline.extract.link_lists import announces_other_stories
from pipeline.extract.main_content import has_at_most, prose_of, text_in

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_HEADINGS = ("h2", "h3", "h4", "h5", "h6")
_LETTER = re.compile(
    r"newsletter|subscri|sign(?:ing)? up|inbox|mailing list|e-?mail (?:list|alerts?|updates)|abonnieren|abonnez|inscri"
    r"|suscr[i\u00ed]b|bolet[i\u00ed]n|infolettre|iscriviti|nieuwsbrief|assine",
    re.IGNORECASE,
)
_LONGEST_BOX, _LONGEST_TEASER, _LONGEST_LIST = 700, 500, 8_000  # characters
_LEAST_PROSE, _LONG_PROSE = 300, 800
_MOST_BOXES, _MOST_PARAGRAPHS, _HIGHEST = 200, 2_000, 12
_NEVER = {"html", "body", "main", "article", "td"}


def drop_other_stories(tree: HtmlElement) -> None:
    """Take teasers of other stories and newsletter forms out of a page that has an article of its own."""
    for box in _newsletters(tree):
        if box.getparent() is not None:
            box.drop_tree()
    for box in (*_announced(tree), *_teasers(tree)):
        if box.getparent() is not None:
            box.drop_tree()


def _newsletters(tree: HtmlElement) -> list[HtmlElement]:
    found = []
    for field in islice(tree.iter("input"), _MOST_BOXES):
        asks = (field.get("type") or "").lower() == "email" or "email" in (field.get("name") or "").lower()
        if not asks:
            continue
        box = None
        for above in islice(field.iterancestors(), _HIGHEST):
            if above.tag in _NEVER or not has_at_most(above, _LONGEST_BOX) or next(above.iter("h1"), None) is not None:
                break
            if _has_own_prose(above, field):
                break
            box = above
        if box is not None and _LETTER.search(text_in(box)):
            found.append(box)
    return found


def _has_own_prose(box: HtmlElement, field: HtmlElement) -> bool:
    """Return whether a box has paragraphs before its form that say nothing of letters: then it is the article's."""
    form = next(field.iterancestors("form"), field)
    inside = set(form.iter())
    paragraphs = [each for each in box.iter("p", "h2", "h3", "h4") if each not in inside and text_in(each).strip()]
    if not paragraphs:
        return False
    letter = any(_LETTER.search(text_in(each)) for each in paragraphs)
    return not letter or sum(prose_of(each) > 0 for each in paragraphs if each.tag == "p") > 2  # a lead and terms


def _announced(tree: HtmlElement) -> list[HtmlElement]:
    """Return the boxes that a heading such as "More from Town" begins, and that hold nothing but links to stories."""
    found = []
    for heading in islice(tree.iter(*_HEADINGS), _MOST_BOXES):
        if not announces_other_stories(heading):
            continue
        box = heading.getparent()
        for _ in range(2):
            if box is not None and box.tag in {"div", "header"} and sum(1 for _ in box) == 1:
                box = box.getparent()
        if box is None or box.tag not in {"section", "div", "aside"} or not has_at_most(box, _LONGEST_LIST):
            continue
        first = next((each for each in box.iter(*_HEADINGS)), None)
        if first is heading and next(box.iter("h1"), None) is None and _holds_teasers(box, heading):
            found.append(box)
    return found


def _holds_teasers(box: HtmlElement, heading: HtmlElement) -> bool:
    """Return whether most of the words in a box are links, or stand below headings that are."""
    words = len(text_in(box)) - len(text_in(heading))
    counted: set[HtmlElement] = set()
    led = 0
    for element in box.iter("a", "article", "li", "div"):
        if element in counted or element is box:
            continue
        if element.tag == "a" or (_leads_away(element) and not _has_several(element)):
            led += len(text_in(element))
            counted.update(element.iter())
    return sum(1 for _ in box.iter("a")) > 1 and led >= 0.8 * words  # a little may be a "see all"


def _leads_away(element: HtmlElement) -> bool:
    """Return whether an element is a teaser: its heading is a link, or lies in one."""
    if not has_at_most(element, _LONGEST_TEASER):
        return False
    heading = next(element.iter(*_HEADINGS), None)
    if heading is None:
        return False
    return heading.find(".//a") is not None or any(above.tag == "a" for above in islice(heading.iterancestors(), 6))


def _has_several(element: HtmlElement) -> bool:
    return sum(1 for _ in islice(element.iter(*_HEADINGS), 3)) > 1


def _teasers(tree: HtmlElement) -> list[HtmlElement]:
    """Return the <article> elements that lead to other stories, where a longer one is the page's own."""
    articles = list(islice(tree.iter("article"), _MOST_BOXES))
    teasers = [each for each in articles if _leads_away(each) and each.find(".//article") is None]
    if len(teasers) < 2:  # one may be the page's own
        return []
    inside = {element for teaser in teasers for element in teaser.iter()}
    paragraphs = [each for each in islice(tree.iter("p"), _MOST_PARAGRAPHS) if each not in inside]
    prose = sum(map(prose_of, paragraphs))
    own = next((each for each in articles if each not in inside and each.find(".//article") is None), None)
    if own is not None and sum(prose_of(each) for each in own.iter("p")) >= _LONG_PROSE:
        return teasers
    return teasers if prose >= max(_LEAST_PROSE, sum(len(text_in(each)) for each in teasers) // 2) else []
