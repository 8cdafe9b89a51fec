"""Whether any page yields nothing in silence: python -m tests.bench.visible --data DIR.

Every HTML file below DIR (also gzipped) is read as a captured page is. Counted are the outcomes: pages with a text,
pages named `text-incomplete` or otherwise, and pages that show at least 80 words of prose and have an empty text with
the outcome ok, of which there should be none.
"""

from __future__ import annotations

import argparse
import gzip
import logging
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pipeline.extract.extractor_pool import extracted

_ENDINGS = (".html", ".htm", ".xhtml", ".html.gz")
_LEAST = 80  # visible words of prose


@dataclass(frozen=True, slots=True)
class Found:
    """What became of one file."""

    outcome: str
    silent: bool
    lacks: str
    cpu: float  # seconds


def look(path: Path) -> Found:
    """Read one file as a page."""
    from concurrent.futures import Future

    from pipeline.extract.html_tree import parsed
    from pipeline.extract.seen_parts import shown
    from pipeline.extract.tasks import Page, Reading
    from pipeline.extract.visible_prose import visible_blocks
    from pipeline.extract.worker import work

    logging.disable(logging.CRITICAL)
    body = path.read_bytes()
    body = gzip.decompress(body) if path.suffix == ".gz" else body
    future: Future[Reading] = Future()
    begun = time.process_time()
    future.set_result(work(Page(f"http://bench.invalid/{path.name}", body, "text/html")))
    cpu = time.process_time() - begun
    done = extracted(future)
    article, reading = done.article, done.reading
    assert article is not None
    assert reading is not None
    outcome = article.availability or done.verdict.name
    silent = False
    if outcome == "ok" and not article.text and (tree := parsed(body.decode("utf-8", "replace"))) is not None:
        silent = sum(len(block.words) for block in visible_blocks(shown(tree))) >= _LEAST
    return Found(outcome if article.text or outcome != "ok" else "ok, no text", silent, reading.lacks or "", cpu)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder with HTML files, at any depth")
    parser.add_argument("--most", type=int, default=1_000, help="files that are read (default: 1000)")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    files = sorted(path for path in chosen.data.rglob("*") if path.name.endswith(_ENDINGS) and path.is_file())
    files = files[:: max(len(files) // chosen.most, 1)][: chosen.most]
    with ProcessPoolExecutor(chosen.workers) as pool:
        found = dict(zip(files, pool.map(look, files, chunksize=10), strict=True))
    counts = Counter(each.outcome for each in found.values())
    print(f"{len(files)} pages: " + ", ".join(f"{count} {name}" for name, count in counts.most_common()))
    cpu = sum(each.cpu for each in found.values())
    print(f"in silence: {sum(each.silent for each in found.values())}; CPU {cpu:.0f} s")
    for path, each in found.items():
        if each.silent or each.lacks:
            print(f"  {path.relative_to(chosen.data)}: {'NO TEXT, ok' if each.silent else each.lacks}")


if __name__ == "__main__":
    main()
