"""Circles of imports, those by imports within functions and for type checking included.

Which name a module imports, and when, does not matter: who reads one module of a circle must read all of them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.checks.sources import module_name, sources


def imports(root: Path) -> dict[str, set[str]]:
    """Return which modules below `root` each module there imports, anywhere in its text."""
    known = {module_name(path): path for path in sources(root)}
    return {name: set(_imported(name, root / path, known)) - {name} for name, path in known.items()}


def _imported(name: str, path: Path, known: dict[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            source = _source(name, path, node)
            wanted = (f"{source}.{alias.name}" for alias in node.names)
            yield from (each if each in known else source for each in wanted if each in known or source in known)


def _source(name: str, path: Path, node: ast.ImportFrom) -> str:
    """Return the absolute name of what an import is from."""
    if not node.level:
        return node.module or ""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    return ".".join([*package[: len(package) - node.level + 1], *filter(None, [node.module])])


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return circles, each as its modules in the order in which they import, the first again at the end.

    After each one that is found, one of its imports is left out and the rest looked through, until none is found.
    """
    rest = {name: set(targets) for name, targets in graph.items()}
    found = []
    while True:
        try:
            TopologicalSorter(rest).prepare()
        except CycleError as error:
            way = error.args[1][::-1]  # it is given from the imported module to the one that imports
            rest[way[0]].discard(way[1])
            found.append(way)
        else:
            return found


def faults(root: Path) -> list[str]:
    """Return a line for each circle below `root`."""
    return [f"modules import one another in a circle: {' -> '.join(way)}" for way in circles(imports(root))]
