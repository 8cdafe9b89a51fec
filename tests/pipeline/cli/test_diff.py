"""`onrecord diff` as a user meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import Command
from tests.pipeline.cli.conftest import post
from tests.site import Site, answer


def twice(onrecord: Command, site: Site) -> str:
    url = site.url("/post")
    assert onrecord.capture(url).code == 0
    onrecord.next_second()
    assert onrecord.capture(url).code == 0  # unchanged: no text of its own
    onrecord.next_second()
    site.answers["/post"] = post("A post", "The second version of it.")
    assert onrecord.capture(url).code == 0
    onrecord.next_second()
    site.answers["/post"] = answer(b"<h1>Gone</h1>", status="410 Gone")
    assert onrecord.capture(url).code == 3
    return url


@pytest.mark.full
def test_the_newest_text_beside_the_last_other_one(onrecord: Command, site: Site, tmp_path: Path) -> None:
    url = twice(onrecord, site)
    listed = onrecord("--json", "snapshots", url).lines
    words = onrecord("diff", url)
    assert (words.code, words.err.count("\n"), "to be confirmed: gone since" in words.err) == (0, 1, True)
    old, new, *body = words.out.splitlines()
    assert old == f"--- {listed[1]['timestamp']} {url} {listed[1]['record_id']}"
    assert new == f"+++ {listed[2]['timestamp']} {url} {listed[2]['record_id']}"
    assert "The [-first-]{+second+} version of it." in "\n".join(body)
    unified = onrecord("diff", url, "--format", "unified").out.splitlines()
    assert [line[:1] for line in unified if line[:1] in "+-"] == ["-", "+", "-", "+"]
    (entry,) = onrecord("--json", "diff", url).lines
    assert entry["changed"] is True
    assert {piece["text"] for piece in entry["pieces"] if piece["kind"] != "same"} == {"first", "second"}
    page = tmp_path / "diff.html"
    assert onrecord("diff", url, "--format", "html", "-o", str(page)).code == 0
    assert "The <del>first</del><ins>second</ins> version" in page.read_text()
    assert "<script" not in page.read_text()
    same = onrecord("diff", url, "--from", listed[0]["timestamp"], "--to", listed[1]["timestamp"])
    assert (same.code, same.out.splitlines()[2]) == (0, "the texts are the same")
    turned = onrecord("diff", url, "--from", listed[2]["timestamp"], "--to", listed[0]["timestamp"]).out
    assert turned.splitlines()[0].startswith(f"--- {listed[0]['timestamp']}"), "the earlier one comes first"


def test_nothing_to_compare_is_said_in_one_line(onrecord: Command, site: Site) -> None:
    url = site.url("/post")
    assert onrecord.capture(url).code == 0
    one = onrecord("diff", url)
    assert (one.code, one.err.count("\n"), "only one text" in one.err) == (4, 1, True), one.err
    none = onrecord("diff", site.url("/never"))
    assert (none.code, none.err.count("\n")) == (4, 1)


def test_a_page_cannot_write_into_the_comparison(onrecord: Command, site: Site) -> None:
    url = site.url("/post")
    assert onrecord.capture(url).code == 0
    onrecord.next_second()
    site.answers["/post"] = post(
        "A post &lt;/title&gt;&lt;script&gt;alert(1)", "&lt;img src=x onerror=alert(1)&gt; of it."
    )
    assert onrecord.capture(url).code == 0
    page = onrecord("diff", url, "--format", "html").out
    assert "<img" not in page
    assert "<script" not in page
    assert "&lt;img src=x" in page.replace("<ins>", "").replace("</ins>", "")
