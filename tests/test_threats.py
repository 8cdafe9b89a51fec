"""What tests/README.md says that onrecord defends against is shown by tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
_SECTION = re.compile(r"\n## What it defends against\n(.*?)\n## ", re.DOTALL)
_NAMED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")
ATTACKERS = ("page", "feed", "archive file", "bucket", "network", "reader")


def _section() -> str:
    found = _SECTION.search((TESTS / "README.md").read_text())
    assert found, "the README has the section"
    return found[1]


@cache
def _functions(path: str) -> frozenset[str]:
    tree = ast.parse((TESTS / path).read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("attacker", ATTACKERS)
def test_every_attack_has_a_defence_and_a_test_that_exists(attacker: str) -> None:
    (part,) = [part for part in _section().split("\n### ")[1:] if part.splitlines()[0].lower().endswith(attacker)]
    rows = [line for line in part.splitlines() if line.startswith("|")][2:]
    assert len(rows) >= 4
    for row in rows:
        attack, defence, shown = (cell.strip() for cell in row.strip("|").split("|"))
        assert attack
        assert defence
        named = _NAMED.findall(shown)
        assert named, f"no test shows: {row}"
        for path, test in named:
            assert test in _functions(path), f"{path}::{test} is not there"


def test_the_section_has_all_six() -> None:
    assert len(_section().split("\n### ")[1:]) == len(ATTACKERS)
