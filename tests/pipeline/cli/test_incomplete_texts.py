"""A page whose text has little of what it shows is named by every command a user would ask, and is still the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import Command
from tests.pipeline.extract.test_text_guard import PROSE, SENTENCES, page
from tests.site import Site, answer

WHOLE = answer(page(f"<article><h1>The berths</h1>{PROSE}</article>").encode())
LITTLE = answer(page(f"<aside>{PROSE}</aside>").encode())
NAMED = "its text has 12 of the 144 words of prose that the page shows"


def test_an_incomplete_text_is_named_and_kept(onrecord: Command, site: Site) -> None:
    site.answers["/whole"], site.answers["/little"] = WHOLE, LITTLE
    url = site.url("/little")
    done = onrecord.capture(site.url("/whole"), url)
    assert done.code == 3
    outcomes = {line["url"]: line for line in done.lines}
    assert outcomes[site.url("/whole")]["outcome"] == "ok"
    assert outcomes[url]["outcome"] == "text-incomplete"
    assert outcomes[url]["error"].startswith(NAMED)
    got = onrecord("get", url)
    assert (got.code, "text-incomplete" in got.err) == (0, True)
    assert [line for line in got.out.splitlines() if line in SENTENCES] == SENTENCES
    assert onrecord("--json", "get", url, "--format", "json").lines[0]["availability"] == "text-incomplete"
    assert onrecord("--json", "snapshots", url).lines[0]["availability"] == "text-incomplete"
    assert "incomplete 1 page without the whole text" in onrecord("status").out
    assert onrecord("--json", "status").lines[0]["text_incomplete"] == 1


@pytest.mark.full
def test_the_last_line_of_a_run_counts_incomplete_texts(onrecord: Command, site: Site) -> None:
    site.answers["/little"] = LITTLE
    done = onrecord("capture", "--allow-private", "--delay", "0", site.url("/little"))
    assert done.code == 3
    assert "1 of them with little of their page's words in the text" in done.err


@pytest.mark.full
def test_the_same_page_again_is_named_again_and_a_whole_one_is_whole(onrecord: Command, site: Site) -> None:
    site.answers["/little"] = LITTLE
    url = site.url("/little")
    onrecord.capture(url)
    onrecord.next_second()
    again = onrecord.capture(url)
    assert (again.code, again.lines[0]["outcome"], again.lines[0]["revisit"]) == (3, "text-incomplete", True)
    site.answers["/little"] = WHOLE
    onrecord.next_second()
    assert onrecord.capture(url).code == 0
    assert onrecord("--json", "status").lines[0]["text_incomplete"] == 0
    done = onrecord("diff", url)
    assert (done.code, "only one text is kept" in done.err) == (4, True), "what little there was is not compared"


@pytest.mark.full
def test_texts_that_are_made_again_are_named_too(onrecord: Command, site: Site) -> None:
    site.answers["/whole"], site.answers["/little"] = WHOLE, LITTLE
    onrecord.capture(site.url("/whole"), site.url("/little"))
    made = onrecord("extract", "--force", "--workers", "1")
    assert made.code == 3
    assert NAMED in made.err
    assert "2 texts made again" in made.err
    assert "1 have little of their page's words" in made.err
    assert SENTENCES[0] in onrecord("get", site.url("/little")).out


@pytest.mark.full
def test_a_page_that_scripts_draw_is_counted_and_has_no_text_to_compare(onrecord: Command, site: Site) -> None:
    root = (
        "<html><head><title>App</title></head><body><div id=root></div><noscript>You need to enable JavaScript to run "
    )
    site.answers["/app"] = answer(f"{root}this app.</noscript><script src=/x.js></script></body></html>".encode())
    assert onrecord.capture(site.url("/app")).lines[0]["outcome"] == "needs-scripts"
    assert "incomplete 1 page without the whole text" in onrecord("status").out
    done = onrecord("diff", site.url("/app"))
    assert (done.code, "the newest snapshot is to be confirmed: text-incomplete" in done.err) == (4, True)


def test_incomplete_texts_of_an_imported_file_are_named_and_counted(
    onrecord: Command, site: Site, tmp_path: Path
) -> None:
    site.answers["/whole"], site.answers["/little"] = WHOLE, LITTLE
    onrecord.capture(site.url("/whole"), site.url("/little"))
    file = tmp_path / "crawl.warc.gz"
    assert onrecord("export", str(file)).code == 0
    other = Command.at(tmp_path / "other", tmp_path / "home")
    done = other("import", str(file))
    assert done.code == 3
    assert "1 with little of their page's words in the text" in done.out
    named = [line for line in done.err.splitlines() if line.startswith("text-incomplete ")]
    assert len(named) == 1
    assert f"{site.url('/little')}  {NAMED}" in named[0]
    assert other("--json", "status").lines[0]["text_incomplete"] == 1
    again = Command.at(tmp_path / "another", tmp_path / "home")("--json", "import", str(file))
    assert [(line["outcome"], line["role"]) for line in again.lines if "outcome" in line] == [
        ("text-incomplete", "text")
    ]
    assert again.lines[-1]["text_incomplete"] == 1
