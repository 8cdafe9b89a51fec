"""Style sheets for replay: every url(), @import and image-set() leads to the archive (CSS Syntax 3, CSS Images 4)."""

from __future__ import annotations

import re

from pipeline.discover.css import NestedTooDeep, references
from pipeline.web.replay.replay_urls import SHEET, Place

_DEEPEST = 100  # blocks within one another; writers of style sheets use five
_KEPT_DATA = re.compile(r"data:(?!text/html|application/xhtml)", re.IGNORECASE)
_NOTHING = "data:,"
_TAG = re.compile(r"<(?=[a-zA-Z/!?])")


def rewrite_css(text: str, place: Place) -> str:
    """Return a style sheet, a <style> or a style attribute whose addresses lead to the archive.

    What is no web address is emptied; a sheet whose blocks lie too deep within one another to be written again is "".
    """
    if "(" not in text and "@" not in text and "\\" not in text:
        return _TAG.sub(r"\\3c ", text)
    import tinycss2

    nodes = tinycss2.parse_component_value_list(text, skip_comments=True)
    try:
        for found in references(nodes, deepest=_DEEPEST):
            found.replace(_replaced(found.address, place, SHEET if found.imported else ""))
    except NestedTooDeep:
        return ""
    return _TAG.sub(r"\\3c ", str(tinycss2.serialize(nodes)))


def _replaced(value: str, place: Place, kind: str) -> str:
    if value.startswith("#"):  # a part of this very document
        return re.sub(r"[^\w#.:-]", "", value)
    if _KEPT_DATA.match(value):
        return re.sub(r"""["\\\r\n\f<]""", lambda found: f"%{ord(found[0]):02X}", value)
    return place.path(value, kind) or _NOTHING
