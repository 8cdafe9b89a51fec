"""A parsed page with names and text that every XML library accepts.

The HTML parser keeps what strangers write: `<o:p>`, `<ada@example.com>` and `<td<script` become elements of such names,
`{{item}}` an attribute, `&#8;` a control character. lxml refuses to create an element of such a name and to set such a
text (XML 1.0 §2.2, §2.3), so a library that copies parts of the tree raises ValueError. The tree is corrected once,
right after parsing, before anything else reads it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# What XML 1.0 does not allow, but for form feeds, which HTML takes for spaces.
_NO_XML = re.compile("[\x00-\x08\x0b\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REFERENCE = re.compile(
    r"&#(?:0*(?:[1-8]|1[1245-9]|2[0-9]|3[01]|6553[45])(?![0-9])"
    r"|[xX]0*(?:[1-8bceBCE]|[fF](?![0-9a-fA-F])|1[0-9a-fA-F]|[fF]{3}[eEfF])(?![0-9a-fA-F]));?"
)
_FORM_FEEDS = re.compile(r"\f|&#(?:0*12(?![0-9])|[xX]0*[cC](?![0-9a-fA-F]));?")

_READ = frozenset({"xml:lang", "xlink:href", "epub:type"})  # attributes with a colon that are looked at
_NEUTRAL = "span"  # browsers show an element that they do not know as this one


def without_controls(source: str) -> str:
    """Return a page's source without the characters that XML does not allow, written out or as references.

    Form feeds become spaces (WHATWG HTML §13.2.5).
    """
    if _NO_XML.search(source):
        source = _NO_XML.sub("", source)
    if "\f" in source or "&#" in source:
        source = _REFERENCE.sub("", _FORM_FEEDS.sub(" ", source))
    return source


def make_wellformed(tree: HtmlElement) -> None:
    """Rename elements whose names are no XML names to `span`, and drop attributes whose names are none, in place.

    An attribute with a colon that this program reads stays; beside one, `{item}name` stays too.
    """
    for element in tree.iter("*"):
        if not _is_name(element.tag):
            element.tag = _NEUTRAL
        for name in element.keys():  # noqa: SIM118 - an element is no mapping
            if not _is_name(name) and name not in _READ:
                _drop_odd(element)
                break


def _drop_odd(element: HtmlElement) -> None:
    odd = [name for name in element.keys() if name not in _READ and not _is_name(name)]  # noqa: SIM118 - no mapping
    try:
        for name in odd:
            del element.attrib[name]
    except (KeyError, ValueError):  # lxml takes `{item}name` for a name in a namespace, and does not find it
        if not any(name in _READ for name in element.keys()):  # noqa: SIM118 - these could not be set again
            _keep_names(element)


def _keep_names(element: HtmlElement) -> None:
    """Set those of an element's attributes anew that have XML names."""
    items = element.items()
    element.attrib.clear()
    for name, value in items:
        if _is_name(name):
            element.set(name, value)


@lru_cache(maxsize=20_000)  # pages repeat their names
def _is_name(name: str) -> bool:
    """Whether lxml creates an element, or an attribute, of a name."""
    if name.startswith("{"):
        return False
    try:
        etree.Element(name)
    except ValueError:
        return False
    return True
