"""A disk that is not mounted is not taken for a new archive: the store is another one than this machine knows."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from archive.digests import self_digested
from tests.command import Command
from tests.pipeline.cli.conftest import post
from tests.site import Site


@pytest.fixture
def page(site: Site) -> str:
    site.answers["/a"] = post("A page", "It says something.")
    return site.url("/a")


@pytest.fixture
def mounted(tmp_path: Path, page: str) -> Command:
    """An archive on a disk, with one capture."""
    onrecord = Command.at(tmp_path / "mnt" / "store", tmp_path / "home")
    assert onrecord.capture(page).code == 0
    return onrecord


def unmount(onrecord: Command) -> Path:
    """The mount point without the disk; returns where the disk is now."""
    store = Path(onrecord.store)
    aside = store.with_name("elsewhere")
    store.rename(aside)
    store.mkdir()
    return aside


def held(store: Path) -> str:
    return str(json.loads((store / "onrecord.json").read_bytes())["id"])


def test_a_disk_that_is_not_mounted_ends_every_command_with_ten(mounted: Command, page: str, tmp_path: Path) -> None:
    elsewhere = unmount(mounted)
    assert mounted("watch", "add", page).code == 0
    (tmp_path / "file.warc").write_bytes(b"")
    for arguments in (
        ("capture", "--allow-private", page), ("run",), ("status",), ("snapshots", page), ("get", page), ("verify",),
        ("gc",), ("search", "something"), ("import", str(tmp_path / "file.warc")),
    ):  # fmt: skip
        done = mounted(*arguments)
        assert done.code == 10, (arguments, done)
        assert len(done.err.strip().splitlines()) == 1, (arguments, done.err)
        assert "mount its disk" in done.err, arguments
        assert "--new-store" in done.err
    doctor = mounted("doctor")
    assert doctor.code == 10
    assert "failed   store:" in doctor.out
    assert "mount its disk" in doctor.out
    assert list(Path(mounted.store).iterdir()) == [], "nothing was begun under the mount point"
    Path(mounted.store).rmdir()
    assert mounted("capture", "--allow-private", page).code == 10, "nor where the folder itself is missing"
    elsewhere.rename(mounted.store)
    assert mounted("get", page).code == 0


@pytest.mark.full
def test_another_archive_in_its_place_is_named(mounted: Command, page: str, tmp_path: Path) -> None:
    elsewhere = unmount(mounted)
    other = Command.at(tmp_path / "other", tmp_path / "other-home")
    assert other.capture(page).code == 0
    shutil.copytree(other.store, mounted.store, dirs_exist_ok=True)
    done = mounted("status")
    assert done.code == 10
    assert held(elsewhere) in done.err
    assert held(Path(mounted.store)) in done.err


@pytest.mark.full
@pytest.mark.parametrize("where", ["before", "behind"])
def test_a_new_store_is_begun_when_that_is_wanted(mounted: Command, page: str, where: str) -> None:
    elsewhere = unmount(mounted)
    capture = ("capture", "--allow-private", page)
    done = mounted("--new-store", *capture) if where == "before" else mounted(*capture, "--new-store")
    assert done.code == 0, done.err
    assert held(Path(mounted.store)) != held(elsewhere)
    assert mounted("get", page).code == 0, "it is the one that is known now"


def test_a_backup_disk_that_is_not_mounted_is_not_filled(mounted: Command, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    assert mounted("replicate", str(backup)).code == 0
    shutil.rmtree(backup)
    backup.mkdir()
    assert mounted("replicate", str(backup)).code == 10
    assert list(backup.iterdir()) == []
    assert mounted("--new-store", "replicate", str(backup)).code == 0


@pytest.mark.full
def test_a_mirrors_copy_that_is_not_mounted_is_not_begun_anew(page: str, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    mirror = Command.at(f"mirror:{first},{second}", tmp_path / "home")
    assert mirror.capture(page).code == 0
    aside = second.rename(tmp_path / "aside")
    second.mkdir()
    done = mirror.capture(page)
    assert done.code == 10
    assert "mount its disk" in done.err
    assert list(second.iterdir()) == []
    second.rmdir()
    aside.rename(second)
    assert mirror.capture(page).code == 0
    assert {path.name for path in (first / "runs").iterdir()} == {path.name for path in (second / "runs").iterdir()}


def test_a_schedule_names_the_archive_of_its_store(mounted: Command) -> None:
    done = mounted("schedule", "install", "--cron", "--dry-run")
    assert f"--store-id {held(Path(mounted.store))}" in done.out


@pytest.mark.full
def test_a_machine_that_forgot_is_held_by_the_id_that_it_is_given(mounted: Command, page: str, tmp_path: Path) -> None:
    known = held(Path(mounted.store))
    unmount(mounted)
    fresh = Command.at(mounted.store, tmp_path / "fresh-home")
    done = fresh("--store-id", known, "capture", "--allow-private", page)
    assert done.code == 10
    assert known in done.err
    assert list(Path(mounted.store).iterdir()) == []


def test_a_newer_layout_ends_every_command_with_one_clear_line(mounted: Command, page: str) -> None:
    path = Path(mounted.store) / "onrecord.json"
    entry = json.loads(path.read_bytes())
    path.write_bytes(self_digested({"layout": 2, "id": entry["id"], "created": entry["created"]}))
    for arguments in (("get", page), ("snapshots", page), ("status",), ("capture", "--allow-private", page)):
        done = mounted(*arguments)
        assert done.code == 2, (arguments, done)
        assert "this program knows layout 1: upgrade onrecord" in done.err
