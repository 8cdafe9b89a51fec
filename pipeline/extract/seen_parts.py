"""What a page shows, or reveals by a button of its own: not what is `hidden`, nor consent dialogs."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_UNSEEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_CONSENT_NAMES = re.compile(
    r"(?:^|[\s_-])(?:onetrust\S*|cookiebot\S*|cybotcookiebot\S*|usercentrics\S*|didomi\S*|qc-cmp\S*|sp_message\S*|truste\S*"
    r"|evidon\S*|cmplz\S*|borlabs\S*|cc-window|cmp|gdpr\S*|eu-?cookie\S*|consent|cookie-?consent\S*"
    r"|cookies?[_-]?(?:banner|bar|notice|law|popup|pop-up|modal|dialog|message|info|hint|overlay|policy-banner|disclaimer|wall)"
    r"|consent[_-]?(?:banner|bar|notice|popup|modal|dialog|manager|overlay|wall|layer|box)"
    r"|privacy[_-]?(?:banner|bar|notice|popup|modal|dialog|prompt|overlay|layer|wall))(?:$|[\s_-])",
    re.IGNORECASE,
)
_CONSENT_WORDS = re.compile(
    r"\bcookies?\b|\bconsent\b|\bprivacy\b|datenschutz|einwilligung|zustimm|\btraceurs\b|confidentialit|consentement"
    r"|privacidad|consentimiento|toestemming|\btracking\b|\bprivacidade\b",
    re.IGNORECASE,
)
_DIALOGS = {"dialog", "alertdialog"}
_LONGEST_NAMES, _LONGEST_DIALOG = 300, 8_000  # characters
_NEVER = {"html", "body", "main", "article", "head"}
_CANDIDATES = etree.XPath(
    "//*[@hidden]|//dialog|//*[@role='dialog' or @role='alertdialog' or @aria-modal='true']"
    "|//*[self::div or self::section or self::aside or self::form or self::p or self::footer or self::header]"
    "[contains(translate(concat(@id, ' ', @class), 'COKIENSTPRIVAY', 'cokienstprivay'), 'cookie')"
    " or contains(translate(concat(@id, ' ', @class), 'CONSET', 'conset'), 'consent')"
    " or contains(translate(concat(@id, ' ', @class), 'GDPR', 'gdpr'), 'gdpr')"
    " or contains(translate(concat(@id, ' ', @class), 'PRIVACY', 'privacy'), 'privacy')"
    " or contains(@id, 'onetrust') or contains(@id, 'didomi') or contains(@id, 'usercentrics')"
    " or contains(@id, 'sp_message')"
    " or contains(@class, 'qc-cmp') or contains(@class, 'cc-window') or contains(@id, 'cmp')"
    " or contains(@class, 'cmplz')"
    " or contains(@id, 'truste') or contains(@class, 'evidon') or contains(@class, 'borlabs')]",
    smart_strings=False,
)
_REFERENCES = etree.XPath(
    "//*[self::button or self::a or self::summary or self::input or @role='button'"
    "]/@*[name()='aria-controls' or name()='data-target' or name()='data-bs-target' or name()='data-toggle-target'"
    " or name()='popovertarget']"
)


def shown(tree: HtmlElement) -> HtmlElement:
    """Return a page's tree without what readers never see: the same tree where there is nothing to leave out.

    Parts that a button of the page reveals are shown.
    """
    if not any(_is_unseen(element) for element in _CANDIDATES(tree)):
        return tree
    tree = deepcopy(tree)
    revealed = {str(value).strip().lstrip("#") for value in _REFERENCES(tree)}
    for element in _CANDIDATES(tree):
        if element.getparent() is None or not _is_unseen(element):
            continue
        if element.get("hidden") is not None and (element.get("id") or "") in revealed and not _asks_consent(element):
            del element.attrib["hidden"]
            element.attrib.pop("aria-hidden", None)
        else:
            element.drop_tree()
    return tree


def is_hidden(element: HtmlElement) -> bool:
    """Return whether the markup of an element hides it."""
    style = element.get("style")
    return (
        (element.get("hidden") is not None and element.get("hidden") != "until-found")
        or element.get("aria-hidden") == "true"
        or (style is not None and len(style) < _LONGEST_NAMES and _UNSEEN_STYLE.search(style) is not None)
    )


def _is_unseen(element: HtmlElement) -> bool:
    if element.tag in _NEVER:
        return False
    value = element.get("hidden")
    if value is not None and value.lower() != "until-found":
        # parts of streamed pages (React 18) are hidden until a script puts them in their places
        return not (element.tag == "div" and (element.get("id") or "").startswith("S:"))
    if element.tag == "dialog" and element.get("open") is None:
        return True
    return _asks_consent(element)


def _asks_consent(element: HtmlElement) -> bool:
    """Return whether an element is a dialog or a bar about cookies and the like, and holds no article."""
    named = any(
        name is not None and len(name) < _LONGEST_NAMES and _CONSENT_NAMES.search(name) is not None
        for name in (element.get("id"), element.get("class"))
    )
    dialog = (element.get("role") or element.tag) in _DIALOGS or element.get("aria-modal") == "true"
    if not (named or dialog) or any(True for _ in element.iter("h1", "article", "main")):
        return False
    words = "".join(element.itertext())
    return len(words) < _LONGEST_DIALOG and _CONSENT_WORDS.search(words) is not None
