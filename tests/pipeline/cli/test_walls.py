"""A wall is never a page: not by its first capture, not by the tenth, in no command."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import Command
from tests.pipeline.extract.test_page_status import ESSAY, page
from tests.pipeline.extract.test_walls import CHALLENGES, Sample
from tests.site import Site, answer

ARTICLE = answer(page("Berths", *ESSAY, h1="Berths").encode())
WALLS = {
    "anubis": CHALLENGES["anubis"],
    "aws": CHALLENGES["aws-202"],
    "missing": Sample(CHALLENGES["cloudflare-header"].html, 404, {"cf-mitigated": "challenge"}),
    "empty": Sample(""),
}


def answered(sample: Sample) -> bytes:
    headers = tuple(f"{name}: {value}" for name, value in sample.headers.items())
    return answer(sample.html.encode(), status=f"{sample.status} X", headers=headers)


@pytest.mark.full
@pytest.mark.parametrize("name", WALLS)
def test_a_wall_hides_no_article(name: str, onrecord: Command, site: Site) -> None:
    path, expected = f"/{name}", "empty-page" if name == "empty" else "bot-wall"
    site.answers[path] = ARTICLE
    assert onrecord.capture(site.url(path)).code == 0
    site.answers[path] = answered(WALLS[name])
    for _ in range(2):
        onrecord.next_second()
        done = onrecord.capture(site.url(path))
        assert (done.code, done.lines[0]["outcome"]) == (3, expected)
        assert done.lines[0]["record_id"]
    got = onrecord("get", site.url(path))
    assert (got.code, ESSAY[0] in got.out) == (0, True)
    assert onrecord("diff", site.url(path)).code == 4
    kept = onrecord("--json", "snapshots", site.url(path)).lines
    assert [entry.get("availability") for entry in kept] == [None, expected, expected]


def test_a_wall_that_is_all_there_is_is_named(onrecord: Command, site: Site) -> None:
    site.answers["/first"] = answered(WALLS["anubis"])
    done = onrecord.capture(site.url("/first"))
    assert (done.code, done.lines[0]["outcome"], "Anubis" in done.lines[0]["error"]) == (3, "bot-wall", True)
    assert "bot-wall" in onrecord("get", site.url("/first")).err


def test_an_empty_file_is_named(onrecord: Command, site: Site, tmp_path: Path) -> None:
    site.answers["/a.pdf"] = answer(b"", kind="application/pdf")
    done = onrecord.capture(site.url("/a.pdf"))
    assert (done.code, done.lines[0]["outcome"]) == (3, "empty-page")
