"""Whether a page written again for replay is sealed: as two other parsers read it, one of them that of browsers.

Every address that would be fetched or followed is a path in the archive, a part of the page, or data; nothing runs.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import tinycss2

_FETCHED = {"src", "poster", "background", "data", "href", "xlink:href", "lowsrc", "dynsrc", "longdesc-src"}
_NEVER = {"action", "formaction", "ping", "manifest", "codebase", "archive", "classid", "xml:base", "nonce"}
_SETS = {"srcset", "imagesrcset"}
_STYLED = {"style", "fill", "stroke", "filter", "mask", "clip-path", "cursor", "marker", "marker-start"}
_STYLED |= {"marker-mid", "marker-end"}
_ANIMATED = {"set", "animate", "animatetransform", "animatemotion", "animatecolor"}
_VALUES = {"to", "from", "by", "values"}  # of an animation
_RUN = {"script", "base", "applet", "portal", "fencedframe", "noscript"}
_FRAMES = {"iframe", "frame", "embed", "object"}
_INSIDE = re.compile(r"/\d{14}(?:cs_|if_)?/|#")
_DATA = re.compile(r"data:", re.IGNORECASE)

Element = tuple[str, dict[str, str], str]  # name, attributes, and the text of a <style>


def assert_sealed(page: str) -> None:
    """Raise AssertionError for a page that would lead out of the archive, or run something."""
    for read in (_as_browsers, _as_python):
        for name, attributes, text in read(page):
            assert name not in _RUN, name
            for attribute, value in attributes.items():
                _check(name, attribute, value)
            if name == "meta" and "http-equiv" in attributes and "url" in attributes.get("content", "").lower():
                assert re.match(r"[\s\d.;,]*url=/\d{14}/", attributes["content"]), attributes
            if name == "style":
                assert_sealed_sheet(text)


def _check(name: str, attribute: str, value: str) -> None:
    assert not attribute.startswith("on"), (name, attribute)
    assert attribute not in _NEVER, (name, attribute)
    if attribute == "srcdoc":
        assert_sealed(value)
    elif attribute in _SETS:
        for candidate in value.split(", "):
            assert not candidate or candidate.startswith("/2") or _DATA.match(candidate), (name, value)
    elif attribute in _STYLED or (name in _ANIMATED and attribute in _VALUES):
        assert_sealed_sheet(value)
    elif attribute in _FETCHED and value:
        data = _DATA.match(value) and name not in _FRAMES | {"a", "area"}
        assert data or _INSIDE.match(value), (name, attribute, value)
    if name in _ANIMATED:
        assert attribute != "attributename" or "href" not in value.lower(), value


def assert_sealed_sheet(text: str) -> None:
    """Raise AssertionError for a style sheet, or a style attribute, that would fetch from elsewhere."""
    stack = [*tinycss2.parse_component_value_list(text)]
    while stack:
        node = stack.pop()
        stack += getattr(node, "arguments", None) or getattr(node, "content", None) or []
        found = [node.value] if node.type == "url" else []
        if node.type == "function" and node.lower_name in {"url", "src"}:
            found += [part.value for part in node.arguments if part.type == "string"]
        for value in found:
            assert not value or _INSIDE.match(value) or _DATA.match(value), text
    words = [node for node in tinycss2.parse_component_value_list(text) if node.type not in {"whitespace", "comment"}]
    for node, following in itertools.pairwise(words):
        if node.type == "at-keyword" and node.lower_value == "import" and following.type == "string":
            assert not following.value or _INSIDE.match(following.value) or _DATA.match(following.value), text


def _as_browsers(page: str) -> Iterator[Element]:
    """The elements as the WHATWG's tree construction finds them."""
    from resiliparse.parse.html import HTMLTree

    tree = HTMLTree.parse(page)
    for node in tree.document:
        attributes = getattr(node, "attrs", None)
        if attributes is not None:
            named = {str(each).lower(): str(node.getattr(each) or "") for each in attributes}
            yield str(node.tag).lower(), named, str(node.text) if str(node.tag).lower() == "style" else ""


class _Flat(HTMLParser):
    """Every tag that stands there, within templates too."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Element] = []
        self._open = False  # a <style>, whose text is CSS
        self._foreign = False  # SVG or MathML has begun, where it may be no raw text

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in reversed(attrs)}, ""))
        self._foreign = self._foreign or tag in {"svg", "math"}
        self._open = tag == "style" and not self._foreign

    def handle_endtag(self, tag: str) -> None:
        self._open = self._open and tag != "style"

    def handle_data(self, data: str) -> None:
        if self._open:
            name, attributes, text = self.found[-1]
            self.found[-1] = (name, attributes, text + data)


def _as_python(page: str) -> Iterator[Element]:
    parser = _Flat()
    parser.feed(page)
    parser.close()
    yield from parser.found
