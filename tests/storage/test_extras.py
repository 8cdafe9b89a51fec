"""The command that installs an optional part: from a path, whatever a registry has by the program's name."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from storage import extras
from storage.private import make_usable


class _Installed:
    def __init__(self, text: str | None) -> None:
        self._text = text

    def read_text(self, _name: str) -> str | None:
        return self._text


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ('{"url": "file:///home/ida/on%20record", "dir_info": {"editable": true}}', "/home/ida/on record"),
        ('{"url": "https://git.example/onrecord.git", "vcs_info": {}}', "."),
        (None, "."),
        ("{", "."),
    ],
)
def test_the_command_names_a_path(monkeypatch: pytest.MonkeyPatch, text: str | None, source: str) -> None:
    monkeypatch.setattr(extras, "distribution", lambda _: _Installed(text))
    words: list[Any] = shlex.split(extras.install_command("web"), comments=True)
    assert words == [sys.executable, "-m", "pip", "install", f"{source}[web]"]


def test_a_path_with_spaces_can_be_pasted(tmp_path: Path) -> None:
    file = tmp_path / "my state" / "ledger.db"
    file.parent.mkdir()
    file.write_bytes(b"")
    assert make_usable(file).endswith(f"chmod u+rwX '{file.parent}' '{file}'")
