"""The furnished archive, its two applications, and both of them served."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pipeline.web.common.archive_reader import Reading
from pipeline.web.pages.app import create_pages
from pipeline.web.replay.app import create_replay
from tests.pipeline.web.pages.library import Library, Served, furnish, served

PAGES, REPLAY = 8080, 8081


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Library:
    library = Library.empty(tmp_path_factory.mktemp("archive"))
    furnish(library)
    return library


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library.empty(tmp_path)


def pages_of(library: Library, folder: Path) -> TestClient:
    app = create_pages(Reading(library.archive, folder / "search.sqlite"), REPLAY)
    return TestClient(app, base_url=f"http://127.0.0.1:{PAGES}", follow_redirects=False)


def replay_of(library: Library, folder: Path) -> TestClient:
    app = create_replay(Reading(library.archive, folder / "search.sqlite"), PAGES)
    return TestClient(app, base_url=f"http://127.0.0.1:{REPLAY}", follow_redirects=False)


@pytest.fixture
def pages(furnished: Library, tmp_path: Path) -> TestClient:
    return pages_of(furnished, tmp_path)


@pytest.fixture
def replay(furnished: Library, tmp_path: Path) -> TestClient:
    return replay_of(furnished, tmp_path)


@pytest.fixture(scope="module")
def both(furnished: Library, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(furnished, tmp_path_factory.mktemp("served")) as running:
        yield running
