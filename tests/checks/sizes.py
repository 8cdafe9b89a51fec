"""Sizes that a reader can take in: lines of a module, lines of a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.checks.sources import Hits, sources

MODULE = 320
FUNCTION = 50


def long_modules(root: Path) -> Hits:
    """Return the modules of more than MODULE lines."""
    counts = {path.as_posix(): len((root / path).read_text("utf-8").splitlines()) for path in sources(root)}
    return {name: [f"{count} lines; a module has at most {MODULE}"] for name, count in counts.items() if count > MODULE}


def long_functions(root: Path) -> Hits:
    """Return the functions of more than FUNCTION lines, from "def" to their end; decorators are not counted."""
    found: dict[str, list[str]] = {}
    for path in sources(root):
        for name, lines in _functions(ast.parse((root / path).read_text("utf-8"))):
            if lines > FUNCTION:
                found.setdefault(path.as_posix(), []).append(f"{name} has {lines} lines; at most {FUNCTION}")
    return found


def _functions(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1
