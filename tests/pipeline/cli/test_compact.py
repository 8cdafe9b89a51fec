"""`onrecord compact`, and the merging that captures do by themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import Command
from tests.site import Site


@pytest.mark.full
def test_compact_says_what_it_did(onrecord: Command, site: Site) -> None:
    url = site.url("/post")
    onrecord.capture(url)
    done = onrecord("compact")
    assert (done.code, done.out) == (0, "")
    assert "1 run merged into one index:" in done.err
    assert onrecord("compact").err == "onrecord: nothing to merge\n"
    onrecord.next_second()
    onrecord.capture(url)
    (line,) = onrecord("--json", "compact", "--all").lines
    assert (line["runs"], line["generations"], line["left_out"]) == (1, 1, [])
    assert len(onrecord("--json", "snapshots", url).lines) == 2
    (line,) = onrecord("--json", "compact", "--rebuild").lines
    assert (line["runs"], line["generations"]) == (2, 0)
    assert onrecord("verify", "--deep").code == 0


def test_without_an_archive_there_is_nothing_to_merge(onrecord: Command) -> None:
    done = onrecord("compact")
    assert done.code == 10
    assert "no archive at" in done.err


@pytest.mark.full
def test_captures_merge_by_themselves(onrecord: Command, site: Site) -> None:
    for _ in range(16):
        assert onrecord.capture(site.url("/other")).code == 0
    merged = list(Path(onrecord.store).glob("index/generations/*/generation.json"))
    assert len(merged) == 1
    assert list(Path(onrecord.store).glob("index/loose/*")) == []
    assert len(onrecord("--json", "snapshots", site.url("/other")).lines) == 16


def test_a_damaged_merged_index_is_told_and_mended(onrecord: Command, site: Site) -> None:
    onrecord.capture(site.url("/post"))
    onrecord("compact")
    (path,) = Path(onrecord.store).glob("index/generations/*/index.cdx.gz")
    path.write_bytes(path.read_bytes()[:-5])
    done = onrecord("snapshots", site.url("/post"))
    assert done.code == 0
    assert len(done.out.splitlines()) == 1
    assert "onrecord compact --rebuild" in done.err
    done = onrecord("verify", "--deep")
    assert done.code == 5
    assert "index/generations/" in done.err
    assert onrecord("compact", "--rebuild").code == 0
    assert onrecord("verify", "--deep").code == 0
    assert onrecord("snapshots", site.url("/post")).err == ""
