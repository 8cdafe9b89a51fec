"""Posts of a few sentences, for which trafilatura takes the whole page, or one line without paragraphs."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from lxml import etree

from pipeline.extract.main_content import letters, share_kept, text_in
from pipeline.extract.plain_text import lines_of

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_SHORT = 1_000  # characters of a text that is looked at twice
_OUTSIDE = 0.97  # of a text, that the post's own box has at least, if it is the post's
_MOST = 200  # elements that are looked at
_NEARLY = 0.8  # of the words of one text, in another
_LETTER, _WORD = re.compile(r"\w"), re.compile(r"\w+")
_CONTENT = etree.XPath(
    ".//*[self::div or self::section or self::article][@itemprop='articleBody' or contains(@class, 'entry-content')"
    " or contains(@class, 'post-content') or contains(@class, 'post-body') or contains(@class, 'article-body')"
    " or contains(@class, 'e-content') or contains(@class, 'article__body') or contains(@class, 'post__content')]"
)


def main_of(tree: HtmlElement) -> HtmlElement | None:
    """Return the one element that the markup names as the page's post; None where it names none or several."""
    articles = [found for found in tree.iter("article") if next(found.iterancestors("article"), None) is None]
    mains = [*tree.iter("main"), *tree.xpath("//*[@role='main']")]
    if len(articles) == 1:
        return articles[0]
    if articles:
        return None
    contents = _CONTENT(tree)[:_MOST]
    known = set(contents)
    outer = [found for found in contents if not any(above in known for above in islice(found.iterancestors(), _MOST))]
    if len(outer) == 1:
        return _with_heading(outer[0])
    return mains[0] if mains and not outer else None


def _with_heading(content: HtmlElement) -> HtmlElement:
    """Return the parent of a post's content, where its heading stands in it."""
    above = content.getparent()
    if above is not None and above.tag in {"div", "section", "main"} and above.find("h1") is not None:
        found: HtmlElement = above
        return found
    return content


def post_instead(text: str, tree: HtmlElement) -> str | None:
    """Return the post of a prepared page, where a text has more than it, or has its paragraphs in one line."""
    single = "\n" not in text.strip()
    if len(text) > _SHORT and not single:
        return None
    main = main_of(tree)
    if main is None:
        return None
    lines = lines_of(main)
    post = "\n".join(lines)
    if not _LETTER.search(post):
        return None
    if single:
        whole = letters(text)
        if any(whole in letters(line) for line in lines):
            return None  # one paragraph, as it should be
        return post if _covers(text, post) and (len(text) <= _SHORT or _covers(post, text)) else None
    around = "\n".join(text_in(element) for element in (main, *tree.iter("h1")))
    if len(post) > 2 * _SHORT or share_kept(text, around) >= _OUTSIDE:
        return None
    return post if _covers(text, post) else None


def _covers(whole: str, part: str) -> bool:
    """Return whether one text has nearly all words of another."""
    words = set(_WORD.findall(whole.lower()))
    wanted = _WORD.findall(part.lower())
    return sum(word in words for word in wanted) >= _NEARLY * len(wanted)
