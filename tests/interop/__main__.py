"""Run every outside tool on our archive, and import what outside tools write; print a table in Markdown."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.command import Command
from tests.interop import readers
from tests.interop.records import records
from tests.interop.site import odd_site, page_paths


def main(only: set[str]) -> None:
    """Capture the site, let each tool read the capture, and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        onrecord = Command.at(Path(folder) / "store", Path(folder) / "home")
        with odd_site() as site:
            urls = [site.url(path) for path in page_paths()]
            onrecord.capture(*urls)
            onrecord.next_second()
            onrecord.capture(*urls[:20], extra=("--force",))
        file = Path(folder) / "all.warc.gz"
        done = onrecord("export", str(file))
        assert done.code == 0, done.err
        print("| tool | packages | guess | seen |\n|---|---|---|---|")
        for row in readers.rows(file, records(file), only):
            print(f"| {row.tool} | {row.version} | {row.guess} | {row.seen.replace('|', '/')} |", flush=True)


if __name__ == "__main__":
    main(set(sys.argv[1:]))
