"""`onrecord replicate`, `repair` and `restore`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.command import Command
from tests.site import Site


def test_a_copy_mends_what_it_was_made_of(onrecord: Command, site: Site, tmp_path: Path) -> None:
    onrecord.capture(site.url("/post"), site.url("/other"))
    copy = tmp_path / "copy"
    done = onrecord("replicate", str(copy))
    assert (done.code, "1 run copied, 7 files" in done.err) == (0, True)
    (warc,) = Path(onrecord.store).glob("runs/*/archive/*")
    whole = warc.read_bytes()
    warc.write_bytes(whole[: len(whole) // 2])
    assert onrecord("verify", "--deep").code == 5
    (line,) = onrecord("--json", "repair", "--from", str(copy)).lines
    assert (line["files"], line["bytes"], line["faults"]) == (1, len(whole), [])
    assert warc.read_bytes() == whole
    assert onrecord("verify", "--deep").code == 0
    assert replace(onrecord, store=str(copy))("get", site.url("/post")).code == 0


def test_the_drill_ends_with_a_verified_archive(onrecord: Command, site: Site, tmp_path: Path) -> None:
    onrecord.capture(site.url("/post"))
    done = onrecord("restore", str(tmp_path / "again"))
    assert done.code == 0
    assert "is whole" in done.err
    done = onrecord("restore", str(tmp_path / "again"))
    assert done.code == 2
    assert "is not empty" in done.err


def test_a_restore_says_which_way_it_copies(onrecord: Command, site: Site, tmp_path: Path) -> None:
    onrecord.capture(site.url("/post"))
    wrong_way = replace(onrecord, store=str(tmp_path / "new disk"))("restore", onrecord.store)
    assert wrong_way.code == 10
    assert f"did you mean: onrecord --store {onrecord.store} restore '{tmp_path}/new disk'" in wrong_way.err
    neither = replace(onrecord, store=str(tmp_path / "none"))("restore", str(tmp_path / "other"))
    assert (neither.code, "did you mean" in neither.err) == (10, False)
    assert not (tmp_path / "new disk").exists()
    other = replace(onrecord, store=str(tmp_path / "it's"))
    other.capture(site.url("/post"))
    both = onrecord("restore", other.store)
    assert both.code == 2
    assert f"copies from {onrecord.store} into {other.store}" in both.err


@pytest.mark.full
def test_only_runs_are_counted_as_runs(onrecord: Command, site: Site, tmp_path: Path) -> None:
    onrecord.capture(site.url("/post"))
    onrecord.capture(site.url("/other"))
    onrecord("withhold", "add", site.url("/other"))
    warc, _ = sorted(Path(onrecord.store).glob("runs/*/archive/*"))
    warc.write_bytes(warc.read_bytes()[:-1])
    done = onrecord("replicate", str(tmp_path / "copy"))
    assert (done.code, "1 run copied" in done.err) == (5, True), done.err


def test_a_copy_of_what_is_damaged_ends_with_five(onrecord: Command, site: Site, tmp_path: Path) -> None:
    onrecord.capture(site.url("/post"))
    (warc,) = Path(onrecord.store).glob("runs/*/archive/*")
    warc.write_bytes(warc.read_bytes()[:-1])
    for command in ("replicate", "restore"):
        done = onrecord(command, str(tmp_path / command))
        assert done.code == 5
        assert "is not the file its manifest names" in done.err
        assert "Traceback" not in done.err


def test_without_an_archive_there_is_nothing_to_copy(onrecord: Command, tmp_path: Path) -> None:
    for arguments in (["replicate", str(tmp_path / "x")], ["restore", str(tmp_path / "x")]):
        done = onrecord(*arguments)
        assert done.code == 10
        assert not (tmp_path / "x").exists()
    assert onrecord("repair", "--from", str(tmp_path / "x")).code == 10
