"""The paper of thirty columns, served, and the command that captures it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Command
from tests.gazette import paper
from tests.site import Site


@pytest.fixture
def onrecord(tmp_path: Path) -> Command:
    return Command.at(tmp_path / "store", tmp_path / "home")


@pytest.fixture
def gazette() -> Iterator[Site]:
    with Site() as site:
        site.answers |= paper(site.url("").rstrip("/"))
        yield site
