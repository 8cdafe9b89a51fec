"""The command with a directory for its store, and a site to capture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Command
from tests.site import Site, answer, redirect

POST = (
    "<html lang=en><head><title>{title}</title></head><body><article><h1>{title}</h1><p>{text} A sentence follows that "
    "makes the paragraph long enough to be taken for one, and then another one, for good measure.</p>"
    "<p>The second paragraph says the same in other words, as second paragraphs do.</p></article></body></html>"
)


def post(title: str, text: str) -> bytes:
    return answer(POST.format(title=title, text=text).encode())


@pytest.fixture
def onrecord(tmp_path: Path) -> Command:
    return Command.at(tmp_path / "store", tmp_path / "home")


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        running.answers |= {
            "/post": post("A post", "The first version of it."),
            "/other": post("Another", "Something else entirely."),
            "/moved": redirect("/post", "301 Moved"),
        }
        yield running
