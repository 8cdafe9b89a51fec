"""What a page shows, or reveals by a button of its own: not what is `hidden`, nor consent dialogs."""

from __future__ import annotations

import re
from copy import deepcopy
from functools import lru_cache
from typing import TYPE_CHECKING

from pipeline.extract.hiding_rules import hiding_names, is_hidden_by
from pipeline.extract.revealed_parts import Controls, is_part

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_UNSEEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|(?:left|right|top)\s*:\s*-\d{4,}px",  # or far outside of the screen
    re.IGNORECASE,
)
_FAR_OUT = re.compile(r"(?:left|right|top)\s*:\s*-\d{4,}px", re.IGNORECASE)
_CONSENT_NAMES = re.compile(
    r"(?:^|[\s_-])(?:onetrust\S*|cookiebot\S*|cybotcookiebot\S*|usercentrics\S*|didomi\S*|qc-cmp\S*|sp_message\S*|truste\S*"
    r"|evidon\S*|cmplz\S*|borlabs\S*|cc-window|cmp|gdpr\S*|eu-?cookie\S*|consent|cookie-?consent\S*"
    r"|cookies?[_-]?(?:banner|bar|notice|law|popup|pop-up|modal|dialog|message|info|hint|overlay|policy-banner|disclaimer|wall)"
    r"|consent[_-]?(?:banner|bar|notice|popup|modal|dialog|manager|overlay|wall|layer|box)"
    r"|privacy[_-]?(?:banner|bar|notice|popup|modal|dialog|prompt|overlay|layer|wall))(?:$|[\s_-])",
    re.IGNORECASE,
)
_CONSENT_HINTS = (  # one of them is in whatever the expression finds, and they are quicker to look for
    "cookie", "consent", "gdpr", "privacy", "cmp", "onetrust", "cookiebot", "usercentrics", "didomi", "sp_message",
    "truste", "evidon", "cmplz", "borlabs", "cc-window",
)  # fmt: skip
_CONSENT_WORDS = re.compile(
    r"\bcookies?\b|\bconsent\b|\bprivacy\b|datenschutz|einwilligung|zustimm|\btraceurs\b|confidentialit|consentement"
    r"|privacidad|consentimiento|toestemming|\btracking\b|\bprivacidade\b",
    re.IGNORECASE,
)
_HIDING_CLASS = re.compile(
    r"(?:^|\s)(?:hidden|hide|is-hidden|d-none|u-hidden|display-none|collapse)(?=\s|$)", re.IGNORECASE
)
_DIALOGS = {"dialog", "alertdialog"}
_LONGEST_NAMES, _LONGEST_DIALOG = 300, 8_000  # characters
_NEVER = {"html", "body", "main", "article", "head"}
_BARS = {"div", "section", "aside", "form", "p", "footer", "header"}  # what a demand for consent is made of
_MOST_BY_RULE = 0.4  # of a page's characters, that a rule may hide
_MOST_HIDDEN = 2_000  # parts that are looked at for a button

_LOOKED_AT = frozenset({"class", "id", "style", "role", "hidden", "aria-modal"})


def shown(tree: HtmlElement) -> HtmlElement:
    """Return a page's tree without what readers never see: the same tree where there is nothing to leave out.

    Parts that a button or a link of the page reveals are shown.
    """
    unseen, folded, ruled = _marked(tree)
    if not unseen and not folded:
        return tree
    likely = [element for element in folded[:_MOST_HIDDEN] if is_part(element) and not _asks_consent(element)]
    controls = Controls(tree) if likely else None
    kept = {element for element in likely if controls is not None and controls.reveal(element)}
    gone = {element for element in (*unseen, *_hidden_by_rule(tree, ruled, kept)) if element not in kept}
    if not kept and not gone:
        return tree
    copied = deepcopy(tree)
    pairs = [
        (there, here in kept)
        for here, there in zip(tree.iter(), copied.iter(), strict=True)
        if here in kept or here in gone
    ]
    for element, show in pairs:
        if element.getparent() is not None:
            _unfold(element) if show else element.drop_tree()
    return copied


def _hidden_by_rule(tree: HtmlElement, ruled: list[HtmlElement], kept: set[HtmlElement]) -> list[HtmlElement]:
    """Return the elements that a rule of the page hides and no button reveals.

    None where these hold most of the page's words: then a script shows them once the page is drawn.
    """
    gone = [element for element in ruled if element not in kept and not any(True for _ in element.iter(*_NEVER))]
    body = tree.find("body")
    if not gone or body is None:
        return []
    outer = set(gone)
    size = sum(_size(each) for each in gone if not any(above in outer for above in each.iterancestors()))
    return gone if size < _MOST_BY_RULE * _size(body) else []


def _size(element: HtmlElement) -> int:
    """Return how many characters an element holds, without those of its scripts and style sheets."""
    silent = sum(len(each.text or "") for each in element.iter("script", "style"))
    return len("".join(element.itertext())) - silent


def _marked(tree: HtmlElement) -> tuple[list[HtmlElement], list[HtmlElement], list[HtmlElement]]:
    """Return the elements that no reader sees, those hidden by whatever means, and those hidden by a rule alone."""
    names = hiding_names(tree)
    unseen, folded, ruled = [], [], []
    for element in tree.iter("*"):
        odd = element.tag == "dialog"
        for name, value in element.items():
            if name in _LOOKED_AT and (_is_odd(name, value) or (names and _is_named(names, name, value))):
                odd = True
        if odd:
            if _is_unseen(element):
                unseen.append(element)
            if _is_folded(element, names):
                folded.append(element)
                if names and is_hidden_by(names, element.get("id"), element.get("class")):
                    ruled.append(element)
    return unseen, folded, ruled


@lru_cache(maxsize=20_000)  # pages repeat their names
def _is_odd(name: str, value: str) -> bool:
    """Return whether an attribute may hide its element, or says that it is a dialog or asks for consent."""
    if name == "style":
        return has_hiding_style(value)
    if name == "role":
        return value in _DIALOGS
    return name in {"hidden", "aria-modal"} or _names_consent(value) or (name == "class" and hides(value))


def _is_named(names: frozenset[str], name: str, value: str) -> bool:
    return is_hidden_by(names, value if name == "id" else None, value if name == "class" else None)


def _is_folded(element: HtmlElement, names: frozenset[str]) -> bool:
    get = element.get
    return element.tag not in _NEVER and (
        get("hidden") is not None
        or has_hiding_style(get("style"))
        or hides(get("class"))
        or is_hidden_by(names, get("id"), get("class"))
    )


def _unfold(element: HtmlElement) -> None:
    """Take away what hides an element."""
    element.attrib.pop("hidden", None)
    element.attrib.pop("style", None)
    element.attrib.pop("aria-hidden", None)
    if classes := element.get("class"):
        element.set("class", _HIDING_CLASS.sub("", classes))


@lru_cache(maxsize=20_000)  # pages repeat their names
def hides(classes: str | None) -> bool:
    """Return whether an element's classes hide it on nearly every site that has them."""
    if classes is None or ("hid" not in classes and "none" not in classes and "collapse" not in classes):
        return False
    return len(classes) < _LONGEST_NAMES and _HIDING_CLASS.search(classes) is not None


@lru_cache(maxsize=20_000)
def _names_consent(name: str | None) -> bool:
    if name is None or len(name) >= _LONGEST_NAMES or not any(map(name.lower().__contains__, _CONSENT_HINTS)):
        return False
    return _CONSENT_NAMES.search(name) is not None


def is_hidden(element: HtmlElement) -> bool:
    """Return whether the markup of an element hides it."""
    return (
        (element.get("hidden") is not None and element.get("hidden") != "until-found")
        or element.get("aria-hidden") == "true"
        or has_hiding_style(element.get("style"))
    )


def has_hiding_style(style: str | None) -> bool:
    """Return whether a style attribute hides its element."""
    return style is not None and len(style) < _LONGEST_NAMES and _UNSEEN_STYLE.search(style) is not None


def _is_far_out(style: str | None) -> bool:
    """Return whether a style attribute puts its element far outside of the screen: links for machines."""
    return style is not None and len(style) < _LONGEST_NAMES and _FAR_OUT.search(style) is not None


def _is_unseen(element: HtmlElement) -> bool:
    if element.tag in _NEVER:
        return False
    value = element.get("hidden")
    if value is not None and value.lower() != "until-found":
        # parts of streamed pages (React 18) are hidden until a script puts them in their places
        return not (element.tag == "div" and (element.get("id") or "").startswith("S:"))
    if _is_far_out(element.get("style")):
        return True
    if element.tag == "dialog" and element.get("open") is None:
        return True
    return _asks_consent(element)


def _asks_consent(element: HtmlElement) -> bool:
    """Return whether an element is a dialog or a bar about cookies and the like, and holds no article."""
    named = element.tag in _BARS and (_names_consent(element.get("id")) or _names_consent(element.get("class")))
    dialog = (element.get("role") or element.tag) in _DIALOGS or element.get("aria-modal") == "true"
    if not (named or dialog) or any(True for _ in element.iter("h1", "article", "main")):
        return False
    words = "".join(element.itertext())
    return len(words) < _LONGEST_DIALOG and _CONSENT_WORDS.search(words) is not None
