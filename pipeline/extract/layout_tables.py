"""Tables that lay out a page and hold no data: their cells are parts of it, one below another."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from pipeline.extract.main_content import text_in

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_LONG = 400  # characters of a cell that is a part of a page
_MOST_ROWS, _MOST_TABLES = 500, 2_000
_FEW_COLUMNS = 2
_DATA = ("th", "thead", "caption", "colgroup")
_PARTS = ("table", "tbody", "tfoot", "tr", "td")
_INNER = {"h1", "article", "main"}


def unfold_tables(tree: HtmlElement) -> None:
    """Make elements without meaning of the tables that lay out the page."""
    for table in list(islice(tree.iter("table"), _MOST_TABLES)):
        if _lays_out(table):
            for part in [each for each in table.iter(*_PARTS) if _table_of(each) is table]:
                part.tag = "div"
                part.attrib.pop("class", None)
            table.tag = "div"


def _table_of(element: HtmlElement) -> HtmlElement | None:
    if element.tag == "table":
        return element
    return next(element.iterancestors("table"), None)


def _lays_out(table: HtmlElement) -> bool:
    """Return whether a table is there for the looks: by its role, or by cells that hold an article, and no heads."""
    if table.get("role") in {"presentation", "none"}:
        return True
    if any(_table_of(each) is table for name in _DATA for each in islice(table.iter(name), 20)):
        return False
    rows = [row for row in islice(table.iter("tr"), _MOST_ROWS) if _table_of(row) is table]
    cells = [[cell for cell in row.iterchildren("td") if text_in(cell).strip()] for row in rows]
    if any(each.tag in _INNER for row in cells for cell in row for each in islice(cell.iter(*_INNER), 1)):
        return True
    long = sum(_is_part(cell) for row in cells for cell in row)
    wide = sum(len(row) > _FEW_COLUMNS for row in cells)
    return long > 0 and wide <= 1 and sum(map(len, cells)) <= _FEW_COLUMNS * max(long, len(rows) // 2) + 2


def _is_part(cell: HtmlElement) -> bool:
    return len(text_in(cell).strip()) >= _LONG
