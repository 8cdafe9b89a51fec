"""`onrecord list` as a user meets it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from tests.command import Command
from tests.site import Site, answer

PAGE = "<html><head><title>{}</title></head><body><p>{} It was heard in the harbour court all day.</p></body></html>"


def test_pages_are_listed_with_their_state_and_no_cell_is_a_formula(
    tmp_path: Path, onrecord: Command, site: Site
) -> None:
    for path, title in (("/a", '=HYPERLINK("http://x")'), ("/b", 'A, quoted "title"')):
        site.answers[path] = answer(PAGE.format(title, "Once.").encode())
    site.answers["/picture"] = answer(b"\x89PNG\r\n\x1a\n", kind="image/png")
    urls = [site.url(path) for path in ("/a", "/b", "/picture")]
    assert onrecord.capture(*urls).code == 0
    onrecord.next_second()
    site.answers["/a"] = answer(b"gone", status="410 Gone")
    onrecord.capture(site.url("/a"))
    lines = onrecord("list").out.splitlines()
    found = {each["url"]: each for each in onrecord("--json", "list").lines}
    assert sorted(found) == urls[:2]
    assert (found[urls[0]]["state"], found[urls[0]]["confirmed"], found[urls[0]]["snapshots"]) == ("gone", False, 2)
    assert (found[urls[1]]["state"], found[urls[1]]["title"]) == ("ok", 'A, quoted "title"')
    assert "to be confirmed: gone" in lines[0]
    path = tmp_path / "pages.csv"
    assert onrecord("list", urls[0], "--csv", "-o", str(path)).code == 0
    rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))
    assert [(row["url"], row["title"]) for row in rows] == [
        (urls[0], '\'=HYPERLINK("http://x")'),
        (urls[1], 'A, quoted "title"'),
    ]
    assert [each["url"] for each in onrecord("--json", "list", urls[1], "--match", "exact").lines] == [urls[1]]
    assert len(onrecord("--json", "list", "--everything").lines) == 3
    nothing = onrecord("list", "http://nowhere.example/")
    assert (nothing.code, nothing.out) == (0, "")


def test_captures_are_exported_as_a_table(tmp_path: Path, onrecord: Command, site: Site) -> None:
    site.answers["/a"] = answer(PAGE.format("=1+1", "Once.").encode())
    assert onrecord.capture(site.url("/a")).code == 0
    path = tmp_path / "captures.csv"
    done = onrecord("export", str(path))
    assert (done.code, "1 capture," in done.err) == (0, True), done.err
    (row,) = csv.DictReader(io.StringIO(path.read_bytes().decode(), newline=""))
    assert (row["url"], row["title"], row["fetch_status"], row["state"]) == (site.url("/a"), "'=1+1", "200", "new")
    assert "text" not in row
    assert row["fetch_time"].endswith("Z")
    assert onrecord("export", str(tmp_path / "x.csv"), "--url", "http://nowhere.example/").code == 4
