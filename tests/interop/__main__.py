"""Run every outside tool on our archive, and import what outside tools write; print a table in Markdown."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.command import Command
from tests.interop import readers, servers, writers
from tests.interop.compare import pages_of
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
            ours = pages_of(Path(folder) / "store")
            print("| writer | packages | guess | seen |\n|---|---|---|---|")
            for name in writers.WAYS:
                if not only or name in only:
                    print(writers.row(name, site, ours, Path(folder) / name.replace(" ", "-")).line(), flush=True)
            if not only or "s3rver" in only:
                print("\n| S3 server | packages | guess | seen |\n|---|---|---|---|")
                print(servers.s3rver(Path(folder), urls[:3]).line(), flush=True)
        file = Path(folder) / "all.warc.gz"
        done = onrecord("export", str(file))
        assert done.code == 0, done.err
        print("\n| reader | packages | guess | seen |\n|---|---|---|---|")
        for row in readers.rows(file, records(file), only):
            print(row.line(), flush=True)


if __name__ == "__main__":
    main(set(sys.argv[1:]))
