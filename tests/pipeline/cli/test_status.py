"""`onrecord status`: what is there, counted."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.command import Command
from tests.pipeline.cli.conftest import post
from tests.site import Site


@pytest.mark.full
def test_status_counts_what_is_there(onrecord: Command, site: Site) -> None:
    onrecord.capture(site.url("/post"), site.url("/missing"))
    onrecord.next_second()
    onrecord.capture(site.url("/post"), site.url("/post", host="localhost"))
    held = onrecord("--json", "snapshots", site.url("/"), "--match", "host").lines
    for _ in range(2):
        (line,) = onrecord("--json", "status").lines
        assert (line["runs"], line["captures"], line["revisits"], line["tombstones"]) == (2, 4, 2, 1)
        assert line["documents"] == 1
        assert [(host["host"], host["captures"]) for host in line["hosts"]] == [("127.0.0.1", 3), ("localhost", 1)]
        assert (line["oldest"], line["newest"]) == (held[0]["timestamp"], held[-1]["timestamp"])
        assert line["warc_bytes"] > line["index_bytes"] > 0
        onrecord("compact")
    done = onrecord("status", "--hosts", "1")
    assert done.code == 0
    assert "captures   4: 2 revisits, 1 tombstone" in done.out
    assert "and 1 host more" in done.out


def test_status_of_nothing(onrecord: Command) -> None:
    assert onrecord("status").code == 10
    onrecord.capture("http://[bad/")  # a run of an outcome and no capture
    done = onrecord("status")
    assert done.code == 0
    assert "captures   0" in done.out
    assert "oldest     none" in done.out


def test_a_page_cannot_write_into_the_report(onrecord: Command, site: Site, tmp_path: Path) -> None:
    hostile = "\"'></title></code><script src=//evil.example></script><img src=//evil.example onerror=x>"
    site.answers["/post?q='%22%3Cb"] = post(hostile.replace("<", "&lt;"), "Words.")
    onrecord.capture(site.url("/post?q='\"<b"))
    file = tmp_path / "report.html"
    assert onrecord("status", "--report", str(file)).code == 0
    found: list[tuple[str, dict[str, str | None]]] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append((tag, dict(attributes)))  # type: ignore[method-assign]
    parser.feed(file.read_text())
    assert "evil.example onerror" in file.read_text()
    assert not {tag for tag, _ in found} & {"script", "img", "a", "base", "link", "iframe"}
    assert not any(name.startswith("on") or name in {"src", "href"} for _, attributes in found for name in attributes)
    assert (
        "meta",
        {"http-equiv": "Content-Security-Policy", "content": "default-src 'none'; style-src 'unsafe-inline'"},
    ) in found
