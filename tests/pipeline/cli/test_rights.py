"""Whoever else has an account on this machine reads nothing of what a store keeps from them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Command
from tests.site import Site


@pytest.fixture
def careless() -> Iterator[None]:
    """A umask that takes no right from anybody."""
    before = os.umask(0)
    yield
    os.umask(before)


def open_to_others(home: Path) -> list[str]:
    """What others may enter, read or write of the caches and the state below a home."""
    roots = [home / ".cache" / "onrecord", home / ".local" / "state" / "onrecord"]
    found = [each for root in roots for each in (root, *root.rglob("*"))]
    assert len(found) > 10, "there is something to look at"
    return [str(each) for each in found if stat.S_IMODE(each.lstat().st_mode) & 0o077 and not each.is_symlink()]


@pytest.mark.usefixtures("careless")
def test_caches_state_and_search_are_their_users_alone(tmp_path: Path, site: Site) -> None:
    home = tmp_path / "home"
    onrecord = Command.at(tmp_path / "store", home, ONRECORD_ALLOW_PRIVATE="1", ONRECORD_DELAY="0")
    assert onrecord.capture(site.url("/post"), site.url("/other")).code == 0
    assert onrecord("search", "entirely").code == 0
    assert onrecord("watch", "add", site.url("/post"), "--every", "1h").code == 0
    assert onrecord("run").code == 0
    assert onrecord("verify", "--deep").code == 0
    assert open_to_others(home) == []
    assert (home / ".cache" / "onrecord").stat().st_mode & 0o700 == 0o700


@pytest.mark.usefixtures("careless")
def test_nobody_else_changes_a_key_or_a_watch_list(tmp_path: Path, site: Site) -> None:
    home = tmp_path / "home"
    onrecord = Command.at(tmp_path / "store", home)
    assert onrecord("watch", "add", site.url("/post")).code == 0
    assert onrecord("evidence", "key", "--new", "clinic.example").code == 0
    found = [home / ".config", *(home / ".config").rglob("*")]
    assert {"watches.toml", "signing-key"} <= {each.name for each in found}
    assert [str(each) for each in found if stat.S_IMODE(each.stat().st_mode) & 0o022] == []
    assert stat.S_IMODE((home / ".config" / "onrecord").stat().st_mode) == 0o700
    (home / ".config" / "onrecord" / "watches.toml").chmod(0o664)
    assert onrecord("watch", "add", site.url("/other")).code == 0
    assert stat.S_IMODE((home / ".config" / "onrecord" / "watches.toml").stat().st_mode) == 0o664, "shared on purpose"


@pytest.mark.full
def test_folders_of_earlier_versions_are_tightened(onrecord: Command, site: Site) -> None:
    home = Path(onrecord.env["HOME"])
    assert onrecord.capture(site.url("/post")).code == 0
    assert onrecord("search", "first").code == 0
    roots = [home / ".cache" / "onrecord", home / ".local" / "state" / "onrecord"]
    (search,) = (home / ".cache").rglob("search.sqlite")
    for each in (*roots, search.parent):
        each.chmod(0o755)
    search.chmod(0o644)
    assert onrecord("search", "first").code == 0
    assert {stat.S_IMODE(each.stat().st_mode) for each in (*roots, search.parent)} == {0o700}
    assert stat.S_IMODE(search.stat().st_mode) == 0o600


@pytest.mark.full
def test_a_store_keeps_the_rights_that_the_umask_gives_it(onrecord: Command, site: Site) -> None:
    before = os.umask(0o027)
    try:
        assert onrecord.capture(site.url("/post")).code == 0
    finally:
        os.umask(before)
    files = [each for each in Path(onrecord.store).rglob("*") if each.is_file()]
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o640}
