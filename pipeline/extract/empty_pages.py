"""Whether a page holds nothing at all, or only the shell that its scripts would fill."""

# ruff: noqa: E501 - an expression is easier to read in one line

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from pipeline.extract.json_ld import Structured
from pipeline.extract.main_content import text_in

if TYPE_CHECKING:
    from lxml.html import HtmlElement

EMPTY = "empty-page"
SHELL = "needs-scripts"

_FEW = 250  # characters of visible words that a shell may have beside menus and readers' comments
_HARDLY_ANY = 20  # and of what a page shows that asks for scripts where they are off
_MOST = 20_000  # characters of words that are gathered
_PLENTY = 2_000  # and that show at once that a page is no shell, blanks between them included
_BEGINNING = 60  # characters by which a text is looked for in the words
_SHOWS = (
    "img", "svg", "video", "audio", "iframe", "object", "embed", "canvas", "picture", "frame", "frameset", "input",
    "button", "math",
)  # fmt: skip
_UNSEEN = {"script", "style", "noscript", "template", "head", "select", "svg"}
_ASIDE = {"nav", "footer", "header", "aside"}
_COMMENTS = re.compile(
    r"(?:^|[\s_-])(?:comments?|comment-?list|discussion|disqus|replies|respond)(?:$|[\s_-])", re.IGNORECASE
)
_ROOT = re.compile(
    r"(?:root|app|app-?root|react-?(?:root|app)|vue-?app|__next|__nuxt|___gatsby|svelte|main-app|ember-app|q-app|__docusaurus)\Z",
    re.IGNORECASE,
)
_WIDER_ROOT = re.compile(rf"(?:{_ROOT.pattern}|main\Z)", re.IGNORECASE)
_LOADING = re.compile(
    r"(?:(?:loading|please wait|wird geladen|l\u00e4dt|bitte warten|chargement(?: en cours)?|veuillez patienter"
    r"|cargando|laden|caricamento|carregando)(?: (?:the )?(?:page|article|content|site|app|story))?[\s.,!\u2026]{0,6}){1,3}\Z",
    re.IGNORECASE,
)
_DEMAND = re.compile(
    r"(?:enable|activate|turn on|requires?|needs?|without|allow) (?:javascript|scripts)"
    r"|javascript (?:is |must be |to be )?(?:required|disabled|enabled|needed|not enabled|turned off)"
    r"|javascript (?:aktivieren|einschalten|ist (?:deaktiviert|erforderlich))|ben\u00f6tigt javascript"
    r"|(?:activer|activez) javascript|(?:habilit(?:a|e|ar)|activ(?:a|e|ar)) javascript|javascript (?:inschakelen|in te schakelen)"
    r"|(?:abilita|attiva)(?:re)? javascript",
    re.IGNORECASE,
)  # fmt: skip


def emptiness_of(tree: HtmlElement, text: str | None, says: Structured, *, rendered: bool = False) -> str | None:
    """Return "empty-page", "needs-scripts", or None where the page holds something.

    `text` is what was extracted. What a browser `rendered` lacks no script.
    """
    body = tree.find("body")
    if body is not None and len(_words(body, _ASIDE, _PLENTY)) > _FEW:
        return None
    has_scripts = next(tree.iter("script"), None) is not None
    all_words = _words(body, set()) if body is not None else ""
    if not all_words and not text and next(tree.iter(*_SHOWS), None) is None:
        if not has_scripts or rendered:
            return EMPTY
        return None if says.text else SHELL
    hints = (" ".join(text_in(each)[:2_000].split()) for each, _ in zip(tree.iter("noscript"), range(20), strict=False))
    hint = " ".join(hints)
    if rendered or not has_scripts or says.text or _is_from_data(text, f"{all_words} {hint}"):
        return None
    words = _words(body, _ASIDE) if body is not None else ""
    if len(words) > _FEW:
        return None
    if _LOADING.match(words) or _DEMAND.search(words):
        return SHELL
    demanded = _DEMAND.search(hint) is not None
    root = _ROOT if len(text or "") > _FEW else _WIDER_ROOT  # a text may be that of a <noscript>
    return SHELL if _has_empty_root(tree, root) or (demanded and len(words) < _HARDLY_ANY) else None


def _is_from_data(text: str | None, words: str) -> bool:
    """Whether a text was found elsewhere than in the words that the page shows."""
    beginning = " ".join((text or "").split())[:_BEGINNING]
    return bool(beginning) and beginning not in words


def _words(body: HtmlElement, aside: set[str], most: int = _MOST) -> str:
    """Return the words that a page shows; where `aside` elements are left out, readers' comments are too."""
    parts: list[str] = []
    size = 0
    stack: list[HtmlElement | str] = [body]
    while stack and size < most:
        element = stack.pop()
        if isinstance(element, str):
            parts.append(element)
            size += len(element)
        elif (
            isinstance(element.tag, str)
            and element.tag not in _UNSEEN | aside
            and not (aside and _is_comments(element))
        ):
            inner: list[HtmlElement | str] = [element.text or ""]
            for child in element:
                inner += [child, child.tail or ""]
            stack.extend(reversed([part for part in inner if not isinstance(part, str) or part.strip()]))
    return " ".join(" ".join(parts).split())


def _is_comments(element: HtmlElement) -> bool:
    return _names_comments(element.get("id") or "") or _names_comments(element.get("class") or "")


@lru_cache(maxsize=20_000)  # pages repeat their names
def _names_comments(name: str) -> bool:
    return len(name) < 300 and _COMMENTS.search(name) is not None


def _has_empty_root(tree: HtmlElement, root: re.Pattern[str]) -> bool:
    """Whether there is an element as frameworks draw into, with hardly a word in it."""
    for element in tree.iter("div", "main", "app-root", "section"):
        named = element.tag == "app-root" or root.match((element.get("id") or "").strip())
        if named:
            inner = _words(element, set())
            if (not inner or _LOADING.match(inner)) and next(
                element.iter("img", "video", "iframe", "canvas"), None
            ) is None:
                return True
    return False
