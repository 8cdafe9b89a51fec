"""Addresses that differ by case or by escaped bytes are pages of their own to a crawl."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Command
from tests.site import Site, answer

PAIRS = ("/Doc/A", "/doc/a", "/search?q=%E0", "/search?q=%E1", "/search?q=a+b", "/search?q=a%2Bb")


@pytest.fixture
def site() -> Iterator[Site]:
    links = "".join(f'<a href="{path}">{path}</a> ' for path in PAIRS)
    answers = {path: answer(f"<html><body><p>The page called {path}.</p></body></html>".encode()) for path in PAIRS}
    with Site({"/": answer(f"<html><body><p>Index</p>{links}</body></html>".encode()), **answers}) as site:
        yield site


def test_each_of_a_pair_is_fetched(site: Site, tmp_path: Path) -> None:
    onrecord = Command.at(tmp_path / "store", tmp_path)
    done = onrecord.capture(site.url(), extra=("--depth", "1"))
    assert set(PAIRS) <= set(site.paths), done.err
    for path in PAIRS:
        assert onrecord("get", site.url(path)).out == f"The page called {path}.\n"
    assert "another spelling" not in onrecord("get", site.url("/doc/a")).err
    assert site.url("/doc/a") in onrecord("get", site.url("/DOC/a")).err.replace("/Doc/A", "/doc/a")
