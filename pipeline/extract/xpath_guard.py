"""Expressions that are asked only where a page has a class, an id or the like that they look for.

Most pages have no teaser, no caption and no line of tags, and each expression that looks for one walks over the whole
page, some of them over several copies of it. So the attributes of a page are gathered once, and each value is known as
the set of expressions that may find an element for it. The set is kept in an attribute of the root, which copies of the
tree have too; a part that stands alone has none, and is asked everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lxml.html import HtmlElement

Expression = Callable[[Any], Any]
_Test = Callable[[str], bool]

_MARK = "onrecord-names"  # of the root: the expressions that may find something, as the bits of a number
_MOST_VALUES = 50_000  # remembered; hostile pages have as many as they like
# An expression begins with the one test that an element must pass: `.//*[self::a or self::b][TEST or TEST]...`.
_BEGINNING = re.compile(r"\s*\.?//(?:\*|[a-z]+)(?:\s*\[\s*self::[a-z]+(?:\s+or\s+self::[a-z]+)*\s*\])?\s*\[")
_TEST = re.compile(
    r"""\s*(?:
        @(?P<equal>[a-z][\w-]*)\s*=\s*'(?P<whole>[^']+)'
      | (?P<function>contains|starts-with|re:test)\(\s*
        (?:translate\(\s*(?P<lowered>@[a-z][\w-]*)\s*,\s*'(?P<old>[A-Z]+)'\s*,\s*'(?P<new>[a-z]+)'\s*\)
          |(?P<names>@[a-z][\w-]*(?:\|@[a-z][\w-]*)*))
        \s*,\s*'(?P<literal>[^']+)'\s*\)
    )\s*(?P<end>or\b|\])""",
    re.VERBOSE,
)


class NameGuard:
    """The expressions that are guarded, and what their tests say of the values that were met."""

    def __init__(self) -> None:
        self._tests: dict[str, list[tuple[int, _Test]]] = {}  # by attribute, each with its expression's bit
        self._known: dict[tuple[str, str], int] = {}
        self._bits = 0

    def guarded(self, path: str, expression: Expression) -> Expression:
        """Return `expression`, which has this path, asked only of pages that may hold something for it.

        The expression itself where its path is not of the form that is known here.
        """
        tests = value_tests(path)
        if tests is None:
            return expression
        bit = 1 << self._bits
        self._bits += 1
        for name, test in tests:
            self._tests.setdefault(name, []).append((bit, test))
        self._known.clear()

        def ask(tree: Any) -> Any:
            mark = tree.getroottree().getroot().get(_MARK)
            return [] if mark is not None and not int(mark) & bit else expression(tree)

        return ask

    def mark(self, tree: HtmlElement) -> None:
        """Note in a whole tree what its attributes hold; no value may be set in it, or in a copy, from then on."""
        names, known = self._tests.keys(), self._known
        if len(known) > _MOST_VALUES:
            known.clear()
        found = 0
        for pair in {pair for element in tree.iter("*") for pair in element.items() if pair[0] in names}:
            bits = known.get(pair)
            if bits is None:
                bits = known[pair] = self._bits_of(*pair)
            found |= bits
        tree.set(_MARK, str(found))

    def _bits_of(self, name: str, value: str) -> int:
        found = 0
        for bit, test in self._tests[name]:
            if not found & bit and test(value):
                found |= bit
        return found


def value_tests(path: str) -> list[tuple[str, _Test]] | None:
    """Return tests of attributes of which one must pass, in some element, if a path finds anything; or None.

    Of several attributes an expression may ask the first alone, as `@id|@class`; here each of them is asked.
    """
    found: list[tuple[str, _Test]] = []
    beginning = _BEGINNING.match(path)
    if beginning is None or _is_union(path):
        return None
    at = beginning.end()
    while match := _TEST.match(path, at):
        test = _test_of(match)
        if test is None:
            return None
        names = [match["equal"]] if match["equal"] else re.findall(r"@([\w-]+)", match["names"] or match["lowered"])
        found += [(name, test) for name in names]
        if match["end"] == "]":
            return found
        at = match.end()
    return None


def _is_union(path: str) -> bool:
    """Whether a path is one of several, `//a[..]|//b`, of which only the first would be read."""
    return re.search(r"\]\s*\|", re.sub(r"'[^']*'", "''", path)) is not None


def _test_of(match: re.Match[str]) -> _Test | None:
    """Return what one test of an expression asks of a value; None for one that passes where there is no value."""
    literal, old, new = match["literal"], match["old"], match["new"]
    if match["equal"]:
        whole: str = match["whole"]
        return lambda value: value == whole
    if match["function"] == "re:test":
        search = re.compile(literal).search
        return None if old or search("") else lambda value: search(value) is not None
    if old is not None and len(old) != len(new):
        return None
    table = str.maketrans(old, new) if old else {}
    if match["function"] == "contains":
        return lambda value: literal in value.translate(table) if table else literal in value
    return lambda value: (value.translate(table) if table else value).startswith(literal)
