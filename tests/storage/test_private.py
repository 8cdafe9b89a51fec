"""What this machine keeps for itself is its user's alone, whatever the umask, and however it was before."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.private import open_private, private_file, private_folder, tighten, write_private


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o277, 0o777], ids=oct)
def umask(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    assert tmp_path.is_dir(), "it is made before"
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_new_folders_and_files_are_their_users_alone(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b" / "c"
    private_folder(folder)
    write_private(folder / "one", b"1")
    private_file(folder / "two")
    with open_private(folder / "three", "ab") as file:
        file.write(b"3")
    assert {rights(each) for each in (folder, folder.parent, folder.parent.parent)} == {0o700}
    assert {rights(each) for each in folder.iterdir()} == {0o600}
    assert (folder / "one").read_bytes() == b"1"


def test_what_was_open_to_others_is_tightened_and_keeps_its_content(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    folder.chmod(0o755)
    for name in ("one", "two"):
        (folder / name).write_bytes(b"kept")
        (folder / name).chmod(0o644)
    private_folder(folder)
    private_file(folder / "one")
    open_private(folder / "two", "ab").close()
    assert (rights(folder), rights(folder / "one"), rights(folder / "two")) == (0o700, 0o600, 0o600)
    assert (folder / "one").read_bytes() + (folder / "two").read_bytes() == b"keptkept"
    assert rights(tmp_path) == 0o700, "pytest makes it so: it was not touched"


def test_a_folder_that_is_shared_on_purpose_stays_shared(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    private_folder(shared)
    assert rights(shared) == 0o1777


def test_what_cannot_be_made_is_an_error_and_what_is_not_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="file"):
        private_folder(tmp_path / "file")
    with pytest.raises(OSError, match="file"):
        private_folder(tmp_path / "file" / "below")
    tighten(tmp_path / "nothing")
