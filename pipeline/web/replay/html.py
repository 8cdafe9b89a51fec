"""Pages for replay: every address that a browser would fetch leads to the archive, and nothing that runs is left.

A page is written anew, tag by tag, in a form that every browser reads in one way: values quoted, no comments, no
scripts, no elements whose content is read by rules of its own. Text, order and nesting stay as they were.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from pipeline.discover.css import STYLED
from pipeline.web.replay.css import rewrite_css
from pipeline.web.replay.html_tokens import Doctype, Tag, Token, tokens
from pipeline.web.replay.replay_urls import FRAME, SHEET, Place
from pipeline.web.replay.srcset import rewrite_srcset

_DEEPEST = 3  # pages within srcdoc attributes within one another

# What runs, or is nothing without what runs, or changes where the page's addresses lead.
_DROPPED = frozenset({"script", "base", "noembed", "noframes", "applet", "portal", "fencedframe", "webview"})
_UNWRAPPED = frozenset({"noscript"})  # scripts do not run: its content is what is shown
_ANIMATED = frozenset({"set", "animate", "animatetransform", "animatemotion", "animatecolor"})
_VALUES = frozenset({"to", "from", "by", "values"})  # of what is animated, a style's among them
_FETCHED = frozenset({"src", "poster", "background", "data", "xlink:href"})
_SETS = frozenset({"srcset", "imagesrcset"})
_LEFT_OUT = frozenset(
    {"action", "formaction", "ping", "target", "download", "manifest", "codebase", "archive", "code", "classid"}
    | {"lowsrc", "dynsrc", "attributionsrc", "integrity", "crossorigin", "nonce", "referrerpolicy", "sandbox"}
    | {
        "allow",
        "allowfullscreen",
        "csp",
        "autofocus",
        "autoplay",
        "profile",
        "usemap-src",
        "browsingtopics",
        "xml:base",
    }
)
_LINKS = frozenset({"a", "area"})
_FRAMES = frozenset({"iframe", "frame", "embed", "object"})
_ICONS = frozenset({"icon", "apple-touch-icon", "mask-icon"})
_METAS = frozenset({"content-language", "x-ua-compatible", "default-style"})
_LAZY: dict[str, tuple[str, ...]] = {
    "src": ("data-src", "data-lazy-src", "data-original", "data-lazyload", "data-litespeed-src")
}
_LAZY |= {"srcset": ("data-srcset", "data-lazy-srcset")}
_LAZY_TAGS = frozenset({"img", "source", "iframe", "video"})
_FOREIGN = frozenset({"svg", "math"})
_REFRESH = re.compile(r"""(\s*[\d.]*\s*[;,]\s*)(?:url\s*=\s*)?["']?([^"'>\s]+)""", re.IGNORECASE)
# How a style sheet that does not hold up the page is applied once it is loaded.
_BECOMES_MEDIA = re.compile(r"""\bthis\.media\s*=\s*["']([\w\s(),:-]{0,200})["']""")
_BECOMES_SHEET = re.compile(r"""\bthis\.rel\s*=\s*["']stylesheet["']""")
_GOOD_NAME = re.compile(r"[^\s\"'<>/=\x00-\x1f\x7f&]+\Z")
_GOOD_TAG = re.compile(r"[a-z][^\s\"'<>/=\x00-\x1f\x7f&]*\Z")


def rewrite_html(page: str, place: Place, *, depth: int = 0) -> str:
    """Return a page whose every address leads to the archive; linear in its length, never an error."""
    found = list(tokens(page))
    base = next((token for token in found if _names_base(token)), None)
    if isinstance(base, Tag):
        place = place.within(base.attributes["href"])
    return "".join(_Writer(place, depth).written(found))


def _names_base(token: Token) -> bool:
    return isinstance(token, Tag) and token.name == "base" and not token.end and "href" in token.attributes


class _Writer:
    """Writes tokens again, in one pass."""

    def __init__(self, place: Place, depth: int) -> None:
        self._place = place
        self._depth = depth
        self._foreign = 0  # SVG and MathML elements that are open: there <style> is read by other rules

    def written(self, found: Iterable[Token]) -> Iterable[str]:
        """Yield the pieces of the new page."""
        for token in found:
            if isinstance(token, str):
                yield token
            elif isinstance(token, Doctype):
                yield f"<!{html.escape(token.text, quote=False)}>"
            else:
                yield self._tag(token)

    def _tag(self, tag: Tag) -> str:
        if tag.name in _DROPPED or tag.name in _UNWRAPPED or not _GOOD_TAG.match(tag.name):
            return ""
        if tag.name in _FOREIGN:
            self._foreign = max(self._foreign + (-1 if tag.end else 0 if tag.closed else 1), 0)
        name = "pre" if tag.name in {"xmp", "plaintext"} else tag.name
        if tag.end:
            return f"</{name}>"
        attributes = self._attributes(tag)
        if attributes is None:
            return ""
        inner = "".join(f' {key}="{html.escape(value)}"' for key, value in attributes.items())
        return f"<{name}{inner}{'/' if tag.closed and self._foreign else ''}>" + self._raw(tag)

    def _raw(self, tag: Tag) -> str:
        """Return what an element holds that is text by rules of its own, so written that any rules give the same."""
        if tag.name == "style":
            if self._foreign:
                return html.escape(rewrite_css(html.unescape(tag.raw), self._place))
            return rewrite_css(tag.raw, self._place)
        if tag.name in {"textarea", "title"}:
            return tag.raw.replace("<", "&lt;")
        return html.escape(tag.raw, quote=False) if tag.name in {"xmp", "plaintext"} else ""

    def _attributes(self, tag: Tag) -> dict[str, str] | None:
        """Return the attributes as they are written again, or None when the element is left out."""
        if tag.name == "link":
            return self._link(tag)
        if tag.name == "meta":
            return self._meta(tag)
        if tag.name in _ANIMATED and "href" in tag.attributes.get("attributename", "").lower():
            return None
        _wake(tag)
        kept: dict[str, str] = {}
        for name, value in tag.attributes.items():
            new = self._value(tag.name, name, value)
            if new is not None and _GOOD_NAME.match(name):
                kept[name] = new
        if tag.name in {"iframe", "frame"}:
            kept["sandbox"] = ""
        return kept

    def _value(self, tag: str, name: str, value: str) -> str | None:
        """Return what an attribute becomes; None when it is left out."""
        if name.startswith("on") or name in _LEFT_OUT:
            return None
        if name == "srcdoc":
            return rewrite_html(value, self._place, depth=self._depth + 1) if self._depth < _DEEPEST else ""
        if name in _SETS:
            return rewrite_srcset(value, self._place)
        if name in STYLED or (tag in _ANIMATED and name in _VALUES):
            return rewrite_css(value, self._place)
        if name == "href" and tag in _LINKS:
            return self._linked(value)
        if name in _FETCHED or name == "href":
            return self._fetched(tag, value)
        return value

    def _linked(self, value: str) -> str:
        """Return a link within the page stays.

        Any other leads to the archive, or, when it is no web address, nowhere.
        """
        text = value.strip()
        return text if text.startswith("#") else self._place.link(text) or "#"

    def _fetched(self, tag: str, value: str) -> str | None:
        text = value.strip()
        if text.startswith("#"):
            return text
        if text[:5].lower() == "data:":
            return None if tag in _FRAMES else text
        return self._place.path(text, FRAME if tag in _FRAMES else "")

    def _link(self, tag: Tag) -> dict[str, str] | None:
        relations = set(tag.attributes.get("rel", "").lower().split())
        onload = tag.attributes.get("onload", "")
        if "preload" in relations and _BECOMES_SHEET.search(onload):  # its own script makes it one, once it is loaded
            relations |= {"stylesheet"}
        if not relations & (_ICONS | {"stylesheet"}):
            return None
        sheet = "stylesheet" in relations
        kept = _those(tag, "media", "type", "title", "sizes", "disabled")
        if media := _BECOMES_MEDIA.search(onload):
            kept["media"] = media[1]
        href = tag.attributes.get("href", "").strip()
        path = href if href[:9].lower() == "data:text" and sheet else self._place.path(href, SHEET if sheet else "")
        if path is None:
            return None
        alternate = "alternate " if "alternate" in relations else ""
        return {"rel": alternate + ("stylesheet" if sheet else "icon"), "href": path, **kept}

    def _meta(self, tag: Tag) -> dict[str, str] | None:
        """Metadata stays, and what a page asks of the browser if it is harmless; its encoding the header names."""
        asked = tag.attributes.get("http-equiv", "").strip().lower()
        content = tag.attributes.get("content", "")
        kept = _those(tag, "name", "property", "itemprop")
        if not asked:
            harmless = kept.get("name", "").strip().lower() != "referrer"
            return {**kept, "content": content} if kept and harmless else None
        if asked == "refresh" and (match := _REFRESH.match(content[:4000])):
            path = self._place.led_on(match[2])
            return {"http-equiv": "refresh", "content": f"{match[1]}url={path}"} if path else None
        return {"http-equiv": asked, "content": content} if asked in _METAS else None


def _those(tag: Tag, *names: str) -> dict[str, str]:
    return {name: tag.attributes[name] for name in names if name in tag.attributes}


def _wake(tag: Tag) -> None:
    """Images that wait for a script to give them their address get it now."""
    if tag.name not in _LAZY_TAGS:
        return
    for name, waiting in _LAZY.items():
        shown = tag.attributes.get(name, "").strip()
        address = next((tag.attributes[key] for key in waiting if tag.attributes.get(key)), None)
        if address and (not shown or shown[:5].lower() == "data:"):
            tag.attributes[name] = address
