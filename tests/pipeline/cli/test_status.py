"""`onrecord status`: what is there, counted."""

from __future__ import annotations

from tests.command import Command
from tests.site import Site


def test_status_counts_what_is_there(onrecord: Command, site: Site) -> None:
    onrecord.capture(site.url("/post"), site.url("/missing"))
    onrecord.next_second()
    onrecord.capture(site.url("/post"), site.url("/post", host="localhost"))
    held = onrecord("--json", "snapshots", site.url("/"), "--match", "host").lines
    for _ in range(2):
        (line,) = onrecord("--json", "status").lines
        assert (line["runs"], line["captures"], line["unchanged"], line["tombstones"]) == (2, 4, 2, 1)
        assert line["documents"] == 1
        assert [(host["host"], host["captures"]) for host in line["hosts"]] == [("127.0.0.1", 3), ("localhost", 1)]
        assert (line["oldest"], line["newest"]) == (held[0]["timestamp"], held[-1]["timestamp"])
        assert line["warc_bytes"] > line["index_bytes"] > 0
        onrecord("compact")
    done = onrecord("status", "--hosts", "1")
    assert done.code == 0
    assert "captures   4: 2 unchanged, 1 tombstones" in done.out
    assert "and 1 hosts more" in done.out


def test_status_of_nothing(onrecord: Command) -> None:
    assert onrecord("status").code == 10
    onrecord.capture("http://[bad/")  # a run of an outcome and no capture
    done = onrecord("status")
    assert done.code == 0
    assert "captures   0" in done.out
    assert "oldest     none" in done.out
