"""Formulas: one line of TeX or plain signs in the place of MathML and of what scripts draw beside it."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_MOST, _DEEPEST, _LONGEST = 5_000, 100, 5_000
_DRAWN = etree.XPath(
    "//*[contains(concat(' ', @class, ' '), ' katex-html ') or contains(concat(' ', @class, ' '), ' MathJax_Preview ')"
    " or contains(@class, 'mwe-math-fallback')]"
)
_WRAPPERS = re.compile(r"(?:^|\s)(?:katex-mathml|mwe-math-mathml-\w+|MJX_Assistive_MathML|mjx-assistive-mml)(?:$|\s)")
_STYLES = re.compile(r"^\{\\(?:displaystyle|textstyle)\s*(?P<tex>.*)\}$", re.DOTALL)


def write_formulas(tree: HtmlElement, *, markdown: bool) -> None:
    """Put a line of text in the place of each formula; in Markdown between dollar signs."""
    formulas = list(islice(tree.iter("math"), _MOST))
    if not formulas:
        return
    for drawn in _DRAWN(tree):
        if drawn.getparent() is not None and _has_formula_beside(drawn):
            drawn.drop_tree()
    for formula in formulas:
        block = formula.get("display") == "block"
        words = _written(formula)
        for above in islice(formula.iterancestors(), 3):
            if _WRAPPERS.search(above.get("class") or ""):
                for name in ("style", "class", "aria-hidden"):
                    above.attrib.pop(name, None)
        tail = formula.tail
        formula.clear()
        formula.tail = tail
        dollars = "$$" if block else "$"
        formula.text = f"{dollars}{words}{dollars}" if markdown and words else words
        formula.tag = "p" if block and formula.getparent().tag not in {"p", "span", "li", "td"} else "span"


def _has_formula_beside(drawn: HtmlElement) -> bool:
    parent = drawn.getparent()
    return parent is not None and next(parent.iter("math"), None) is not None


def _written(formula: HtmlElement) -> str:
    """Return a formula as its author wrote it, in TeX, or in plain signs."""
    for note in formula.iter("annotation"):
        if "tex" in (note.get("encoding") or "").lower() and (note.text or "").strip():
            return _bare(note.text or "")
    if formula.get("alttext"):
        return _bare(formula.get("alttext"))
    return " ".join(_signs(formula, 0).split())[:_LONGEST]


def _bare(tex: str) -> str:
    tex = " ".join(tex.split())[:_LONGEST]
    match = _STYLES.match(tex)
    return match["tex"].strip() if match else tex


def _signs(element: HtmlElement, depth: int) -> str:
    """Return the signs of a formula, with what MathML says by position: x^2, a_i, (a)/(b)."""
    name = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
    if name in {"annotation", "annotation-xml", ""} or depth > _DEEPEST:
        return ""
    inner = [_signs(child, depth + 1) for child in element]
    two = inner[:2] if len(inner) > 1 else []
    if name == "mfrac" and two:
        return f"{_grouped(two[0])}/{_grouped(two[1])}"
    if name in {"msup", "mover"} and two:
        return f"{two[0]}^{_grouped(two[1])}"
    if name in {"msub", "munder"} and two:
        return f"{two[0]}_{_grouped(two[1])}"
    if name in {"msubsup", "munderover"} and len(inner) > len(two) > 0:
        return f"{two[0]}_{_grouped(two[1])}^{_grouped(inner[2])}"
    if name == "msqrt":
        return f"\u221a{_grouped(''.join(inner))}"
    if name in {"mtr", "mtd"}:
        return "".join(inner) + " "
    return (element.text or "").strip() + "".join(inner)


def _grouped(signs: str) -> str:
    return signs if len(signs.strip()) <= 1 or signs.isalnum() else f"({signs})"
