"""trafilatura's comparison with readability, without running readability where it provably cannot be chosen.

`_prefer_readability` takes readability's text only if that is longer than a limit that is known before it runs. And its
text is never longer than a bound: readability takes elements out and puts text into new paragraphs, in the same order;
it writes nothing but "VIDEO" into frames. Without some of its pieces, a text whose spaces are collapsed is no longer
than before: each word of the rest has its first letter in a word of its own of the whole. The outcome is written as XML
and parsed as HTML again, which gives the same text; only in elements of raw text may `&`, `<`, `>` and a carriage
return stay written out. An empty element of raw text would swallow the markup behind it: then there is no bound.

So where the bound is at most the limit, readability is given an empty page, of which it makes an empty text, which is
never taken; nothing else in the comparison looks at it.
"""

from __future__ import annotations

from typing import Any

from lxml import etree, html

_TEXT = etree.XPath("string()", smart_strings=False)
_RAW = ("title", "xmp", "noframes", "noembed", "plaintext", "iframe", "textarea", "noscript")
_FRAME = 6  # characters: "VIDEO" and a space
_ESCAPES = {"&": 4, "<": 3, ">": 3, "\r": 5}  # characters that each may take more when it is written out


def compare_extraction(cleaned: Any, raw: Any, body: Any, text: str, options: Any) -> Any:
    """Return what `trafilatura.external.compare_extraction` does."""
    from trafilatura import external

    if options.focus != "precision" and text:
        bound = longest(raw)
        if bound is not None and not _may_be_chosen(bound, body, len(text), options):
            raw = html.Element("html")
    return external.compare_extraction(cleaned, raw, body, text, options)


def _may_be_chosen(longest: int, body: Any, own: int, options: Any) -> bool:
    """Return whether a text of up to `longest` characters may be chosen in the place of one's own."""
    if longest > 2 * own:
        return True
    if options.focus == "recall" and longest > (1.5 * own if body.find(".//head") is not None else own):
        return True
    if longest <= 2 * options.min_extracted_size:
        return False
    return not body.xpath("boolean(.//p//text())") or len(body.findall(".//table")) > len(body.findall(".//p"))


def longest(tree: Any) -> int | None:
    """Return how many characters readability's text of a tree can have at most; None where that is not known.

    A script's text is taken out where it is first found. That may be another place than its own, which has as many
    letters, and two words more at most.
    """
    whole, at, more = str(_TEXT(tree)), 0, 0
    parts = []
    for script in tree.iter("script", "style"):
        place = whole.find(script.text, at) if script.text else -1
        if place >= 0:
            parts.append(whole[at:place])
            at = place + len(script.text)
            more += 2
    text = "".join((*parts, whole[at:]))
    for element in tree.iter(*_RAW):
        if element.tag == "iframe":
            more += _FRAME
        elif not element.text and not len(element):
            return None
    more += sum(length * text.count(sign) for sign, length in _ESCAPES.items())
    return len(" ".join(text.split())) + more
