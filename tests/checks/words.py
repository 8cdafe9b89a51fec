"""Words that are kept out of what people read: help texts, README files, error messages, public docstrings."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.checks.sources import PACKAGES, Hits, sources

BANNED = (
    "told", "telling", "heed", "mend", "bring to", "what became of", "whoever", "of those", "stands for", "is none",
    "as it was asked",
)  # fmt: skip
_ANY = "|".join(words.replace(" ", r"\s+") for words in BANNED)
# Names that are fixed are no prose: of a parameter, in backticks, and of a folder of the store, between slashes.
_BANNED = re.compile(rf"(?<![`/])\b(?:{_ANY})\b(?![`/])", re.IGNORECASE)
_FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


def banned_words(root: Path) -> Hits:
    """Return each banned word in what people read."""
    found: dict[str, list[str]] = {}
    for path in sources(root):
        for line, text in _read_by_people(path, ast.parse((root / path).read_text("utf-8"))):
            found.setdefault(path.as_posix(), []).extend(_hits(line, text))
    for path in _readmes(root):
        found[path.as_posix()] = [
            hit
            for line, text in enumerate((root / path).read_text("utf-8").splitlines(), 1)
            for hit in _hits(line, text)
        ]
    return {name: hits for name, hits in found.items() if hits}


def _hits(line: int, text: str) -> list[str]:
    return [f"line {line}: {match[0]!r}; say it in the words of the field" for match in _BANNED.finditer(text)]


def _readmes(root: Path) -> list[Path]:
    folders = [root, *(root / name for name in (*PACKAGES, "tests"))]
    found = [path for folder in folders for path in (folder.glob if folder == root else folder.rglob)("README*")]
    return sorted(path.relative_to(root) for path in found)


def _read_by_people(path: Path, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the texts of a file that people read, with their lines; each text once."""
    wanted = {id(node): node for node in _public_docstrings(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise):
            wanted |= {id(text): text for text in _texts(node)}
        elif isinstance(node, ast.keyword) and node.arg in {"help", "short_help", "epilog"}:
            wanted |= {id(text): text for text in _texts(node.value)}
    if path.parts[:2] == ("pipeline", "cli"):  # what a command says, its table of commands included
        hidden = {id(node) for node in _docstrings(tree)} - wanted.keys()
        wanted |= {id(text): text for text in _texts(tree) if id(text) not in hidden}
    for node in wanted.values():
        yield node.lineno, str(node.value)


def _texts(node: ast.AST) -> Iterator[ast.Constant]:
    return (each for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str))


def _docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | _FUNCTION) and (text := _docstring(node)):
            yield text


def _public_docstrings(node: ast.Module | ast.ClassDef) -> Iterator[ast.Constant]:
    if text := _docstring(node):
        yield text
    for child in node.body:
        if isinstance(child, _FUNCTION) and not child.name.startswith("_") and (text := _docstring(child)):
            yield text
        elif isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
            yield from _public_docstrings(child)


def _docstring(node: ast.Module | ast.ClassDef | _FUNCTION) -> ast.Constant | None:
    first = node.body[0] if node.body else None
    text = first.value if isinstance(first, ast.Expr) else None
    return text if isinstance(text, ast.Constant) and isinstance(text.value, str) else None


def no_imperatives(root: Path) -> Hits:
    """Return the docstrings whose first line does not begin with an imperative verb (D401, as ruff knows it)."""
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "D401", "--output-format", "json"]
    done = subprocess.run([*command, *PACKAGES], cwd=root, capture_output=True, check=False)
    assert done.returncode in {0, 1}, done.stderr.decode()
    found: dict[str, list[str]] = {}
    for hit in json.loads(done.stdout):
        name = Path(hit["filename"]).resolve().relative_to(root.resolve()).as_posix()
        found.setdefault(name, []).append(f"line {hit['location']['row']}: {hit['message']} (D401)")
    return found
