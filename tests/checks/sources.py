"""The program's own files, and the lists of those that may still break a rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

PACKAGES = ("archive", "pipeline", "storage")
LISTS = Path(__file__).with_name("allowed")

Hits = Mapping[str, Sequence[str]]  # by file, with forward slashes: what breaks a rule there, a line each


def sources(root: Path) -> list[Path]:
    """Return the Python files of the program, sorted, relative to `root`."""
    return sorted(path.relative_to(root) for package in PACKAGES for path in (root / package).rglob("*.py"))


def module_name(path: Path) -> str:
    """Return the dotted name of a file relative to the root; a package's is that of its folder."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def allowed(path: Path) -> set[str]:
    """Return the files that a list names, one a line; lines that begin with # say what the list is for."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


def judged(hits: Hits, path: Path) -> list[str]:
    """Return what is wrong: hits in files that are not on the list, and files on the list that have none any more.

    So a list only gets shorter: a new fault is never hidden by it, and an old one that is gone is struck off.
    """
    may = allowed(path)
    new = [f"{name}: {hit}" for name in sorted(hits.keys() - may) for hit in hits[name]]
    gone = [
        f"{name}: nothing breaks this rule any more: strike it off {path.name}" for name in sorted(may - hits.keys())
    ]
    return new + gone
