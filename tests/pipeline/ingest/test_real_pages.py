"""A large body of real pages: Debian's python3-doc, served on loopback, into a directory and into a real S3 server."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator as FastIterator
from warcio.archiveiterator import ArchiveIterator

from archive.archive import Archive
from storage.location import open_store
from tests.command import Command
from tests.site import Site, folder_answers
from tests.torture.scale import LONG

pytestmark = pytest.mark.full

FOLDER = next(iter(sorted(Path("/usr/share/doc").glob("python3.*/html"))), None)
LARGEST = 300_000  # bytes: the two dozen beyond it, indexes mostly, take seconds each to extract and prove nothing more
FEWEST = 500


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    if FOLDER is None:
        reason = "no real pages: Debian's package python3-doc is not installed"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    answers = {path: sent for path, sent in folder_answers(FOLDER).items() if len(sent) < LARGEST}
    assert len(answers) >= FEWEST
    with Site(answers) as running:
        yield running


@pytest.mark.torture
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["directory", "s3"])
def test_real_pages(site: Site, tmp_path: Path, kind: str, request: pytest.FixtureRequest) -> None:
    location = str(tmp_path / "store") if kind == "directory" else request.getfixturevalue("s3_bucket")
    onrecord = Command.at(location, tmp_path / "home")
    paths = list(site.answers)[:: 1 if kind == "directory" or LONG else 3]
    urls = {site.url(path): site.answers[path] for path in paths}

    first = onrecord.capture(*urls, extra=("--connections", "8", "--no-requisites"))
    assert first.code == 0, first.err[-2000:]
    assert len(first.lines) == len(urls)
    second = onrecord.capture(*urls, extra=("--connections", "8", "--no-requisites"))
    assert all(line["revisit"] for line in second.lines)
    assert len(second.lines) == len(urls)

    store = open_store(location)
    archive = Archive(store, spool=tmp_path / "no-spool", cache=None)
    fresh, unchanged = archive.runs()
    assert len(archive.unguarded().catalog.files()[fresh]) == 7
    assert len(archive.unguarded().catalog.files()[unchanged]) == 7
    assert archive.manifest(unchanged).counts["documents"] == 0
    assert archive.manifest(unchanged).counts["revisits"] == len(urls)
    for info in store.list("runs/"):
        if info.key.endswith(".warc.gz"):
            data = store.get(info.key)
            by_warcio = sum(1 for _ in ArchiveIterator(io.BytesIO(data)))
            # Each page is a response and a request, and once a metadata record with its outlinks.
            records = 1 + (3 if fresh in info.key else 2) * len(urls)
            assert by_warcio == sum(1 for _ in FastIterator(io.BytesIO(data))) == records

    seen = 0
    for snapshot in archive.snapshots(site.url("/"), match="host"):
        if snapshot.run != fresh:
            continue
        assert archive.read(snapshot).block.read() == urls[snapshot.url]
        document = archive.document(snapshot)
        assert document is not None
        assert document.article.title
        seen += 1
    assert seen == len(urls)
    for url in list(urls)[:: len(urls) // 8]:
        got = onrecord("get", url)
        assert got.code == 0
        assert len(got.out) > 50
    assert not any(finding.faults for finding in archive.verify())
