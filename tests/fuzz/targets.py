"""Every harness by its name, and the inputs that each is known to be interested in.

`corpus/NAME.txt` holds one input a line, written as Python writes the inside of a bytes literal; a line that begins
with "#" says what the inputs below it are. What once broke the program stays there for good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from tests.fuzz import found, kept, served, wire

Harness = Callable[[bytes], None]

TARGETS: dict[str, Harness] = {
    harness.__name__: harness
    for harness in (
        *(wire.recorder, wire.coding, wire.urls, wire.characters),
        *(found.references, found.sheets, found.feeds, found.sitemaps, found.robots, found.shortcodes),
        *(kept.cdxj, kept.zipnum, kept.generation, kept.package, kept.journal, kept.warc, kept.foreign, kept.wacz),
        *(kept.note, kept.evidence, kept.notices, kept.watches, served.replay, served.replayed_sheets, served.query),
    )
}

CORPUS = Path(__file__).with_name("corpus")


def inputs(name: str) -> list[bytes]:
    """A harness's known inputs."""
    file = CORPUS / f"{name}.txt"
    lines = file.read_text("ascii").splitlines() if file.exists() else []
    return [read_line(line) for line in lines if not line.startswith("#")]


def read_line(line: str) -> bytes:
    """The input that a line stands for."""
    return line.encode("ascii").decode("unicode_escape").encode("latin-1")


def written_line(data: bytes) -> str:
    """An input as a line."""
    text = data.decode("latin-1").encode("unicode_escape").decode("ascii")
    return "\\x23" + text[1:] if text.startswith("#") else text


def written(sections: Iterable[tuple[str, Iterable[bytes]]]) -> str:
    """A corpus file's text."""
    return "".join(f"# {title}\n" + "".join(f"{written_line(data)}\n" for data in each) for title, each in sections)
