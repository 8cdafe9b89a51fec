"""Lists that hold nothing but links: part of the text where the text leads to them, menus elsewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.extract.main_content import prose_of, text_in

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_COLONS = (":", "\uff1a")
_ENDS = (".", "!", "?", "\u2026", "\u3002", *_COLONS)
_QUOTES = "\"'\u201d\u2019\u00bb) \n\t\u00a0"
_HEADINGS = {"h2", "h3", "h4", "h5", "h6"}
_SHORT = 95  # characters of a paragraph that leads to a list and does nothing else
_LONGEST_NAMES = 300  # characters of an attribute that is looked at
_MENU_NAMES = re.compile(
    r"(?:^|[\s_-])(?:menu|nav\w*|breadcrumbs?|related\w*|share\w*|sharing|social\w*|tags?|categor\w*|teasers?"
    r"|recommend\w*"
    r"|pagination|pager|footer|sidebar|toc|widget\w*|latest|popular|more|next|promo\w*|links?-list-nav|archive)(?:$|[\s_-])",
    re.IGNORECASE,
)
_OTHER_STORIES = re.compile(
    r"\s*(?:related|more (?:from|on|stories|news|like)|read (?:next|more|also|this next)|see also|you (?:may"
    r"|might)|also read"
    r"|most (?:read|popular|viewed)|latest|recommended|trending|popular|share|follow|tags?|categor|topics?\b|don.t miss"
    r"|recent (?:posts|articles|stories)|up next|keep reading|mehr zum thema|lesen sie auch|das k\u00f6nnte sie"
    r"|\u00e0 lire"
    r"|lire aussi|sur le m\u00eame|lea tambi\u00e9n|te puede interesar|leggi anche|lees ook|leia tamb\u00e9m"
    r"|on this page"
    r"|in this article|contents?\b|table of contents|inhalt)",
    re.IGNORECASE,
)
_SOURCES = re.compile(
    r"\s*(?:sources?|references|further reading|bibliography|works cited|links|documents?|notes|reading list|resources"
    r"|quellen|literatur|weiterf\u00fchrend|belege|sources et|r\u00e9f\u00e9rences|bibliographie"
    r"|pour aller plus loin|fuentes"
    r"|referencias|fonti|riferimenti|bronnen|refer\u00eancias)",
    re.IGNORECASE,
)


def leads_to(element: HtmlElement) -> bool:
    """Return whether the text leads to a list: by a paragraph or a heading that announces no other stories."""
    before = element.getprevious()
    if before is None or _named_menu(element):
        return False
    words = " ".join(text_in(before).split())
    if not words:
        return False
    if before.tag == "p" and words.endswith(_COLONS):
        return True
    if _OTHER_STORIES.match(words):
        return False
    if before.tag in _HEADINGS:
        return _SOURCES.match(words) is not None or _goes_on(element)
    return before.tag == "p" and is_announcement(before) and (_goes_on(element) or _follows_prose(before))


def announces_other_stories(heading: HtmlElement) -> bool:
    """Return whether a heading says that links to other stories follow."""
    words = " ".join(text_in(heading).split())
    return 0 < len(words) <= _SHORT and _OTHER_STORIES.match(words) is not None


def is_announcement(paragraph: HtmlElement) -> bool:
    """Return whether a paragraph may be there to lead to a list: a short sentence, or a line in bold."""
    words = " ".join(text_in(paragraph).split())
    if len(words) > _SHORT or paragraph.find(".//a") is not None:
        return False
    return (
        words.rstrip(_QUOTES).endswith(_ENDS) or paragraph.find("strong") is not None or paragraph.find("b") is not None
    )


def _goes_on(element: HtmlElement) -> bool:
    """Return whether prose goes on behind a list."""
    after = element.getnext()
    return after is not None and ((after.tag == "p" and prose_of(after) > 0) or after.tag == "blockquote")


def _follows_prose(paragraph: HtmlElement) -> bool:
    before = paragraph.getprevious()
    return before is not None and before.tag == "p" and prose_of(before) > 0


def _named_menu(element: HtmlElement) -> bool:
    if element.get("role") in {"navigation", "menu", "menubar", "tablist"}:
        return True
    return any(
        value is not None and len(value) < _LONGEST_NAMES and _MENU_NAMES.search(value) is not None
        for value in (element.get("class"), element.get("id"))
    )
