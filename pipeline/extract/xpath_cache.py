"""XPath expressions evaluated once for each kind of element, not once for each element.

An expression that looks at nothing but an element's name and attributes gives one answer for all elements that share
them, and a page of thousands of elements has a few hundred kinds. Regular expressions inside XPath make the difference:
ten to fifteen times. What is found is the same, in the same order; an expression that looks at anything else is left as
it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from lxml import etree

from pipeline.extract.xpath_predicates import NotKnown, Predicate, predicate_of

Expression = Callable[[Any], Any]

_MOST_KINDS = 50_000  # remembered by one expression; hostile pages have as many as they like

_LITERAL = re.compile(r"'[^']*'|\"[^\"]*\"")
# Everything that an expression may be made of: steps to descendants, names, attributes, and tests of these.
_TOKENS = re.compile(
    r"""\s*(?:
        \.?//(?:\*|[a-z][a-z0-9]*(?![\w(:-]))   # any descendant, or those of a name
      | self::[a-z][a-z0-9]*(?![\w(:-])
      | @[a-zA-Z][\w-]*
      | (?:re:test|contains|starts-with|not|translate)(?=\()
      | (?:or|and)(?![\w-])
      | '' | = | , | \( | \) | \[(?!\d) | \] | \|
    )""",
    re.VERBOSE,
)
_FIRST_ONLY = re.compile(r"\s*\((.*)\)\s*\[1\]\s*\Z", re.DOTALL)
_ATTRIBUTE = re.compile(r"@([a-zA-Z][\w-]*)")


def by_kind(expression: etree.XPath) -> Expression:
    """Return the same expression, evaluated by kinds of elements where that gives the same answers."""
    path = expression.path
    first_only = _FIRST_ONLY.match(path)
    inner = first_only[1] if first_only and _balanced(first_only[1]) else path
    unchanged: Expression = expression
    if "re:test" not in inner or not _looks_at_kinds_only(inner):  # the others are fast as they are
        return unchanged
    try:
        finds = predicate_of(inner)
    except NotKnown:
        return unchanged
    attributes = sorted(set(_ATTRIBUTE.findall(_LITERAL.sub("''", inner))))
    anywhere = not inner.lstrip().startswith(".")
    # `@id|@class` is whichever comes first in the element: then the order belongs to the kind.
    ordered = re.search(r"@[\w-]+\s*\|", inner) is not None
    return _ByKind(finds, _names(inner), attributes, anywhere=anywhere, first_only=inner is not path, ordered=ordered)


def _names(path: str) -> list[str]:
    """Return the names of elements that can be found at all; "*" when any can."""
    rest = _LITERAL.sub("''", path)
    names: list[str] = []
    for step in re.split(r"\|?\s*\.?//", rest)[1:]:
        name, _, tests = step.partition("[")
        among = re.match(r"\s*((?:self::\w+(?:\s+or\s+)?)+)\]", tests)
        names += re.findall(r"self::(\w+)", among[1]) if name.strip() == "*" and among else [name.strip()]
    return names


def _balanced(text: str) -> bool:
    """Whether the outer parentheses of an expression enclose all of it."""
    depth = 0
    for character in _LITERAL.sub("''", text):
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return depth == 0


def _looks_at_kinds_only(path: str) -> bool:
    rest = _LITERAL.sub("''", path)
    steps = re.findall(r"\.?//", rest)
    if len(set(steps)) != 1 or re.search(r"\[[^\]]*//", rest):
        return False  # mixed contexts, or a look at descendants inside a test
    if any(not re.search(r"(?:^|[|(])\s*\Z", rest[: step.start()]) for step in re.finditer(r"\.?//", rest)):
        return False  # one step after another: the second is found by what it is in
    at = 0
    while at < len(rest.rstrip()):
        match = _TOKENS.match(rest, at)
        if match is None:
            return False
        at = match.end()
    return True


class _ByKind:
    """An expression with the answers it has given so far."""

    def __init__(
        self,
        finds: Predicate,
        names: list[str],
        attributes: list[str],
        *,
        anywhere: bool,
        first_only: bool,
        ordered: bool,
    ) -> None:
        self._finds = finds
        self._names = names
        self._attributes = tuple(attributes)
        self._anywhere = anywhere  # the path begins at the document's root, wherever it is asked from
        self._first_only = first_only
        self._ordered = ordered
        self._answers: dict[tuple[Any, ...], bool] = {}

    def __call__(self, tree: Any) -> list[Any]:
        """Return what the expression finds from this element on."""
        elements = tree.getroottree().iter(*self._names) if self._anywhere else tree.iterdescendants(*self._names)
        answers = self._answers
        if len(answers) > _MOST_KINDS:
            answers.clear()
        kind_of = self._ordered_kind if self._ordered else self._kind
        found = []
        for element in elements:
            kind = kind_of(element)
            answer = answers.get(kind)
            if answer is None:
                answer = answers[kind] = self._finds(element)
            if answer:
                found.append(element)
                if self._first_only:
                    break
        return found

    def _kind(self, element: Any) -> tuple[Any, ...]:
        return (element.tag, *map(element.get, self._attributes))

    def _ordered_kind(self, element: Any) -> tuple[Any, ...]:
        names = self._attributes
        return (element.tag, *[pair for pair in element.items() if pair[0] in names])
