"""The text of a page is its own: what else was captured in the run changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Command
from tests.site import Site, answer

ARTICLE = (
    "<p>The harbour council met on Tuesday evening to hear what the pilots think of the berths, and all were unkind. "
    "Three of them said that the dredging plan ignores the winter swell, which moves the sand back within a month.</p>"
    "<p>The clerk read out a letter from the insurers. They ask for a second survey before a ship may moor there, and "
    "they want the council to bear its cost. The chair adjourned without a vote.</p>"
)
ADDED = "<p>Correction: an earlier version of this article named the wrong insurer; the editors regret the error.</p>"
NAMES = ("full", "print", "amp", "share")


def page(number: int, name: str, extra: str = "") -> bytes:
    own = (
        f"<p>Berth {number} lies {number} cables from the old light, and was dredged {number} times since the war.</p>"
    )
    return answer(
        f"<!doctype html><html lang=en><head><title>Berth {number}</title></head><body><article><h1>Berth {number}</h1>"
        f"{own if number else ''}{ARTICLE}{extra}<p class=tool>View: {name}</p></article></body></html>".encode()
    )


@pytest.fixture
def onrecord(tmp_path: Path) -> Command:
    return Command.at(tmp_path / "store", tmp_path / "home")


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


def text(onrecord: Command, url: str) -> str:
    done = onrecord("get", url)
    assert done.code == 0, done.err
    return done.out


def test_addresses_with_one_article_have_its_text_each(onrecord: Command, site: Site) -> None:
    site.answers |= {f"/{name}": page(0, name) for name in NAMES}
    assert onrecord.capture(*(site.url(f"/{name}") for name in NAMES)).code == 0
    for name in NAMES:
        found = text(onrecord, site.url(f"/{name}"))
        assert "second survey" in found
        assert "winter swell" in found


def test_a_page_alone_and_among_forty_has_the_same_text(onrecord: Command, site: Site, tmp_path: Path) -> None:
    site.answers |= {f"/{number}": page(number, "full") for number in range(1, 41)}
    alone = Command.at(tmp_path / "alone", tmp_path / "home-alone")
    assert alone.capture(site.url("/7")).code == 0
    assert onrecord.capture(*(site.url(f"/{number}") for number in range(1, 41))).code == 0
    assert text(onrecord, site.url("/7")) == text(alone, site.url("/7"))


@pytest.mark.full
def test_what_three_pages_gain_is_in_their_texts_and_their_diffs(onrecord: Command, site: Site) -> None:
    urls = [site.url(f"/{number}") for number in range(1, 4)]
    for extra in ("", ADDED):
        site.answers |= {f"/{number}": page(number, "full", extra) for number in range(1, 4)}
        assert onrecord.capture(*urls).code == 0
        onrecord.next_second()
    for url in urls:
        assert "regret the error" in text(onrecord, url)
        done = onrecord("diff", url)
        assert "regret the error" in done.out, done.err
