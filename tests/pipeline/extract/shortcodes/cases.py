"""Reads the table of cases; its form is explained at the head of cases.txt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_name("cases.txt")


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    page: str
    how: str  # "same", "becomes" or "reads"
    expected: str
    embeds: tuple[tuple[str, str], ...]


def read_cases(text: str) -> list[Case]:
    return [_case(block) for block in ("\n" + text).split("\n== ")[1:]]


def _case(block: str) -> Case:
    name, *lines = block.split("\n")
    lines = [line for line in lines if not line.startswith("#:")]
    at = next((number for number, line in enumerate(lines) if line.startswith("-- ")), None)
    assert at is not None, f"{name}: no line says what becomes of it"
    how = lines[at][3:].strip()
    assert how in {"same", "becomes", "reads"}, f"{name}: what is {how!r}?"
    rest = lines[at + 1 :]
    embeds = tuple((kind, url) for kind, url in (line[3:].split() for line in rest if line.startswith(">> ")))
    page = "\n".join(lines[:at]).rstrip("\n")
    expected = "\n".join(line for line in rest if not line.startswith(">> ")).rstrip("\n")
    return Case(name, page, how, page if how == "same" else expected, embeds)
