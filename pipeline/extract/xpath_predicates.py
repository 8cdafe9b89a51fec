"""XPath expressions as Python functions: whether an element is found, by its name and its attributes alone.

lxml evaluates a test of one element in 20 microseconds, for two elements are built and a regular expression is called
through C and back; a page of a new site asks for five hundred such answers. lxml's `re:test` is Python's `re.search`,
and a function made of the expression gives the same answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Predicate = Callable[[Any], bool]
_Value = Callable[[Any], str]

_TOKEN = re.compile(
    r"""\s*(?:(?P<literal>'[^']*'|"[^"]*")|(?P<step>\.?//)|self::(?P<self>[a-z][a-z0-9]*)|(?P<attribute>@[a-zA-Z][\w-]*)
    |(?P<function>(?:re:test|contains|starts-with|not|translate)(?=\())|(?P<operator>(?:or|and)(?![\w-]))
    |(?P<name>\*|[a-z][a-z0-9]*)|(?P<sign>[\[\](),=|]))""",
    re.VERBOSE,
)


class NotKnown(Exception):
    """An expression looks at more than names and attributes, or is written in a way that is not known here."""


def predicate_of(path: str) -> Predicate:
    """Return a function that says whether `path`, `.//a[..][..]|.//b` and the like, finds an element standing alone.

    Raises NotKnown.
    """
    tokens, at = [], 0
    path = path.rstrip()
    while at < len(path):
        match = _TOKEN.match(path, at)
        if match is None or match.lastgroup is None:
            raise NotKnown(path[at:])
        tokens.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return _Reader(tokens).union()


class _Reader:
    """One pass over an expression's tokens."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def union(self) -> Predicate:
        steps = [self._step()]
        while self._passes("|"):
            steps.append(self._step())
        if self._at != len(self._tokens):
            raise NotKnown(self._tokens[self._at][1])
        return _any_of(steps)

    def _step(self) -> Predicate:
        self._take("step")
        name = self._take("name")
        tests = [] if name == "*" else [_is_named(name)]
        while self._passes("["):
            tests.append(self._either())
            self._must_pass("]")
        return _all_of(tests)

    def _either(self) -> Predicate:
        tests = [self._both()]
        while self._passes("or"):
            tests.append(self._both())
        return _any_of(tests)

    def _both(self) -> Predicate:
        tests = [self._one()]
        while self._passes("and"):
            tests.append(self._one())
        return _all_of(tests)

    def _one(self) -> Predicate:
        kind, token = self._peek()
        if self._passes("("):
            inner = self._either()
            self._must_pass(")")
            return inner
        if kind == "self":
            return _is_named(self._take("self"))
        if kind == "attribute":
            return self._of_attribute()
        if token == "not":  # noqa: S105 - a sign of XPath
            self._at += 1
            self._must_pass("(")
            denied = self._either()
            self._must_pass(")")
            return lambda element: not denied(element)
        return self._call(self._take("function"))

    def _of_attribute(self) -> Predicate:
        names = self._names()
        if self._passes("="):
            wanted = self._take("literal")[1:-1]
            return lambda element: any(element.get(name) == wanted for name in names)
        return lambda element: any(element.get(name) is not None for name in names)

    def _call(self, function: str) -> Predicate:
        self._must_pass("(")
        value = self._value()
        self._must_pass(",")
        literal = self._take("literal")[1:-1]
        flags = re.NOFLAG
        if self._passes(","):
            if function != "re:test" or self._take("literal")[1:-1] != "i":
                raise NotKnown(function)
            flags = re.IGNORECASE
        self._must_pass(")")
        if function == "re:test":
            search = re.compile(literal, flags).search
            return lambda element: search(value(element)) is not None
        if function == "contains":
            return lambda element: literal in value(element)
        if function == "starts-with":
            return lambda element: value(element).startswith(literal)
        raise NotKnown(function)

    def _value(self) -> _Value:
        """Read what is a string in an expression: an attribute, the first of some, or one with other letters."""
        if self._peek() == ("function", "translate"):
            self._at += 1
            self._must_pass("(")
            inner = self._value()
            self._must_pass(",")
            old = self._take("literal")[1:-1]
            self._must_pass(",")
            new = self._take("literal")[1:-1]
            self._must_pass(")")
            if len(old) != len(new) or len(set(old)) != len(old):
                raise NotKnown("translate")
            table = str.maketrans(old, new)
            return lambda element: inner(element).translate(table)
        names = self._names()
        if len(names) == 1:
            name = names[0]
            return lambda element: element.get(name) or ""
        return lambda element: next((value for key, value in element.items() if key in names), "")

    def _names(self) -> list[str]:
        names = [self._take("attribute")[1:]]
        while self._peek() == ("sign", "|"):
            self._at += 1
            names.append(self._take("attribute")[1:])
        return names

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("", "")

    def _take(self, kind: str) -> str:
        found, token = self._peek()
        if found != kind:
            raise NotKnown(token)
        self._at += 1
        return token

    def _passes(self, sign: str) -> bool:
        kind, token = self._peek()
        if token != sign or kind == "literal":
            return False
        self._at += 1
        return True

    def _must_pass(self, sign: str) -> None:
        if not self._passes(sign):
            raise NotKnown(sign)


def _is_named(name: str) -> Predicate:
    return lambda element: bool(element.tag == name)


def _any_of(tests: list[Predicate]) -> Predicate:
    return tests[0] if len(tests) == 1 else lambda element: any(test(element) for test in tests)


def _all_of(tests: list[Predicate]) -> Predicate:
    return tests[0] if len(tests) == 1 else lambda element: all(test(element) for test in tests)
