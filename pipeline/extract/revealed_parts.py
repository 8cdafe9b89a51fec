"""Parts of a page that are hidden until a button, a link or a check box of the page is clicked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_CONTROLS = etree.XPath(
    "//*[self::button or self::summary or self::input or self::label or @role='button' or @onclick or @aria-expanded]"
    "|//a[starts-with(@href, '#') or starts-with(@href, 'javascript:')]"
)
_REFERENCES = ("aria-controls", "data-target", "data-bs-target", "data-toggle-target", "popovertarget", "for")
_QUOTED = re.compile(r"['\"]#?([\w-]{1,100})['\"]")
_MORE = re.compile(
    r"(?:read|show|see|view|load|learn|expand|continue|keep|full|unfold|open)\b.{0,40}\b(?:more|all|full|rest|reading|article"
    r"|story|text|details|content|post)|read on|^\W*(?:more|expand|continue|unfold|details)\W*$"
    r"|weiterlesen|mehr (?:lesen|anzeigen|erfahren)|alles? (?:anzeigen|lesen)|^\W*mehr\W*$"
    r"|(?:lire|voir|afficher|en savoir) (?:la suite|plus|tout|davantage)"
    r"|(?:leer|ver|mostrar|seguir) (?:más|todo|leyendo|completo)|continuar le(?:yendo|ndo)"
    r"|(?:ler|ver|mostrar|leia) mais"
    r"|(?:leggi|mostra|continua|vedi) (?:tutto|di più|altro|a leggere)|lees (?:meer|verder)|meer (?:lezen|tonen)"
    r"|läs (?:mer|vidare)|visa mer|les mer|vis mer|læs mere|vis mere|näytä lisää|lue lisää"
    r"|czytaj (?:dalej|więcej)|pokaż więcej|číst dál|zobrazit více|devam.n. oku"
    r"|читать (?:далее|дальше)|показать|читати далі"
    r"|続きを|もっと|全文|展开|展開|더\s?보기|اقرأ|المزيد",
    re.IGNORECASE | re.DOTALL,
)
_NO_PART = re.compile(
    r"(?:^|[\s_-])(?:menu\w*|nav\w*|modal\w*|popup|pop-up|overlay|drawer|offcanvas|lightbox|tooltip\w*|dropdown\w*|share\w*|login|log-?in"
    r"|signup|sign-?up|register|search\w*|newsletter|subscribe|cart|basket|cookies?|consent|gdpr|comment-?form|captcha|error\w*|alert"
    r"|message|toast|loading|spinner|sr-only|visually-?hidden|screen-reader\S*)(?:$|[\s_-])",
    re.IGNORECASE,
)
_NO_PARTS = {
    "nav",
    "menu",
    "select",
    "script",
    "style",
    "noscript",
    "template",
    "dialog",
    "input",
    "button",
    "a",
    "img",
    "svg",
    "iframe",
}
_FEWEST = 5  # words of a part that is prose
_LINKED = 0.5  # of its characters, in links, at which it is a menu
_LONGEST = 300  # characters of a name or a button's words that are looked at
_MOST = 5_000  # controls that are looked at
_PARAGRAPHS = {"p", "div", "span", "section"}
_BY_ID = re.compile(r"(?:getElementById\(|querySelector\(|\$\(|jQuery\()\s{0,3}['\"][#.]?([\w-]{1,100})['\"]")
_MOST_SCRIPT = 200_000  # characters of scripts that are looked at
_MOST_FIELDS = 1  # fields of a form that may stand in prose


class Controls:
    """The buttons of a page, and what they reveal."""

    def __init__(self, tree: HtmlElement) -> None:
        self._controls: set[HtmlElement] = set(_CONTROLS(tree)[:_MOST])
        self._named: set[str] = set()
        for control in self._controls:
            for name in _REFERENCES:
                if value := control.get(name):
                    self._named.update(part.lstrip("#.") for part in value[:_LONGEST].split())
            if (target := control.get("href") or "").startswith("#"):
                self._named.add(target[1:])
            for name in ("onclick", "href"):
                if "'" in (code := (control.get(name) or "")[:_LONGEST]) or '"' in code:
                    self._named.update(_QUOTED.findall(code))
        self._named_by_script(tree)

    def reveal(self, element: HtmlElement) -> bool:
        """Return whether a control shows a hidden element: it names the element, or stands next to it and says so."""
        named = (element.get("id") or "") in self._named or any(
            name in self._named for name in (element.get("class") or "")[:_LONGEST].split()
        )
        return named or self._stands_beside(element)

    def _stands_beside(self, element: HtmlElement) -> bool:
        """Return whether a control that offers more stands right before or after an element, or after its box."""
        near = [element.getprevious(), element.getnext()]
        box = element.getparent()
        if box is not None and box.tag in _PARAGRAPHS:
            near.append(box.getnext())
        for beside in near:
            at = beside
            for _ in range(3):  # it may have a box of its own, or end the paragraph before
                if at is None:
                    break
                if at in self._controls and _offers_more(at):
                    return True
                at = at[-1] if len(at) else None
        return False

    def _named_by_script(self, tree: HtmlElement) -> None:
        """Take the ids that scripts of the page name, if a button of the page offers more."""
        if not any(_offers_more(control) for control in self._controls):
            return
        left = _MOST_SCRIPT
        for script in tree.iter("script"):
            code = (script.text or "")[:left]
            left -= len(code)
            self._named.update(_BY_ID.findall(code))


def _offers_more(control: HtmlElement) -> bool:
    words = control.get("value") if control.tag == "input" else "".join(control.itertext())
    for said in (words, control.get("aria-label"), control.get("title")):
        if said and _MORE.search(" ".join(said[:_LONGEST].split())[:_LONGEST]):
            return True
    return False


def is_part(element: HtmlElement) -> bool:
    """Return whether a hidden element can be a part of a text: words, and neither a menu nor a dialog nor a form."""
    if element.tag in _NO_PARTS:
        return False
    for name in (element.get("class"), element.get("id")):
        if name is not None and (len(name) >= _LONGEST or _NO_PART.search(name)):
            return False
    if element.get("role") in {"dialog", "alertdialog", "menu", "navigation", "tooltip", "listbox", "search", "alert"}:
        return False
    if sum(1 for _ in element.iter("input", "select", "textarea")) > _MOST_FIELDS or element.find(".//nav") is not None:
        return False
    text = "".join(element.itertext())
    words = text.split()
    if len(words) < _FEWEST and (text.isascii() or len(text.strip()) < 3 * _FEWEST):
        return False
    linked = sum(len("".join(link.itertext())) for link in element.iter("a"))
    return linked < _LINKED * len(text.strip())
