"""Fetch and write records, extract nothing: python -m tests.bench.capture_alone STORE SPOOL URLS CONNECTIONS."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

from archive.archive import Archive
from archive.model import Target
from archive.runs.warc_files import RunSettings
from pipeline.capture.http.fetch_process import fetch_apart as fetch
from pipeline.capture.http.settings import FetchSettings
from storage.location import open_store


def main(store: str, spool: str, urls: str, connections: str) -> None:
    archive = Archive(open_store(store), spool=Path(spool))
    archive.prepare()
    settings = FetchSettings(
        "onrecord-bench/1", delay=0, allow_private=True, connections_per_host=int(connections), concurrency=200
    )
    with closing(archive.session(RunSettings("bench/1"))) as session, Path(urls).open() as lines:
        for fetched in fetch((Target(line.strip()) for line in lines), settings, session.work):
            assert fetched is not None
            assert fetched.verdict.ok, fetched.verdict
            for exchange in fetched.exchanges:
                session.add(exchange, page=False)
                exchange.response.discard()
        manifest = session.commit()
    assert manifest is not None
    print(manifest.counts["captures"])


main(*sys.argv[1:])
