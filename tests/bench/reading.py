"""Whether the quick ways of reading a page give what the slow ones do: python -m tests.bench.reading --data DIR.

Every HTML file below DIR (also gzipped) is read twice: as a captured page is, and with the unpatched library, every
style sheet taken apart, every address resolved and every shortcode looked for. Compared is all that is read: text,
comments, metadata, links, embeds, requisites, availability and notes. Printed are the pages that differ, of which there
should be none, and the CPU time a page (the better of two, the two ways in turns).
"""

from __future__ import annotations

import argparse
import gzip
import logging
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from lxml import etree, html
from trafilatura import core, external, utils, xpaths

from pipeline.discover import css, resolve_url
from pipeline.extract.article import read
from pipeline.extract.html_tree import parsed
from pipeline.extract.shortcodes import scan
from pipeline.extract.tasks import Page, Reading

_ENDINGS = (".html", ".htm", ".xhtml", ".html.gz")
_TURNS = 2
_LISTS = [each for each in vars(xpaths).values() if isinstance(each, list) and isinstance(each[0], etree.XPath)]
_UNPATCHED = [list(each) for each in _LISTS]  # before the first page is read


@contextmanager
def slow_ways() -> Iterator[None]:
    """Read pages by the library as it is, and without the shortcuts of this project, for as long as this is open."""
    quick = [list(each) for each in _LISTS]
    with ExitStack() as stack:
        for target, name, value in _REPLACED:
            stack.enter_context(patch.object(target, name, value))
        utils.HTML_PARSER.set_element_class_lookup(html.HtmlElementClassLookup())
        _exchange(_UNPATCHED)
        try:
            yield
        finally:
            _exchange(quick)
            utils.HTML_PARSER.set_element_class_lookup(_PLAIN_CLASSES)


_PLAIN_CLASSES = etree.ElementDefaultClassLookup(
    html.HtmlElement, html.HtmlComment, html.HtmlProcessingInstruction, html.HtmlEntity
)
_REPLACED: list[tuple[Any, str, Any]] = [
    (core, "compare_extraction", external.compare_extraction),
    (css, "addresses_in", lambda text: None),
    (resolve_url, "_PLAIN", type("Never", (), {"match": staticmethod(lambda address: None)})),
    (scan, "_is_hinted_in_text", lambda page: True),
]


def _exchange(lists: list[list[Any]]) -> None:
    for found, wanted in zip(_LISTS, lists, strict=True):
        found[:] = wanted


def timed(page: Page) -> tuple[Reading, float]:
    """Return what is read in a page, and the CPU seconds that it took."""
    begun = time.process_time()
    reading = read(page)
    return reading, time.process_time() - begun


def differing(quick: Reading, slow: Reading) -> list[str]:
    """Return the names of the fields in which two readings differ."""
    names = [name for name in Reading.__dataclass_fields__ if getattr(quick, name) != getattr(slow, name)]
    if "article" in names and quick.article is not None and slow.article is not None:
        fields = type(quick.article).__dataclass_fields__
        names += [name for name in fields if getattr(quick.article, name) != getattr(slow.article, name)]
    return names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder with HTML files, at any depth")
    parser.add_argument("--most", type=int, default=3_000, help="files that are read (default: 3000)")
    chosen = parser.parse_args()
    logging.disable(logging.CRITICAL)
    files = sorted(path for path in chosen.data.rglob("*") if path.name.endswith(_ENDINGS) and path.is_file())
    files = files[:: max(len(files) // chosen.most, 1)][: chosen.most]
    parsed("<p>the quick ways are installed with the first page</p>")
    times: dict[bool, list[float]] = {False: [], True: []}
    different = 0
    for path in files:
        body = path.read_bytes()
        body = gzip.decompress(body) if path.suffix == ".gz" else body
        page = Page(f"http://bench.invalid/{path.name}", body, "text/html")
        best, readings = {False: float("inf"), True: float("inf")}, {}
        for _ in range(_TURNS):
            for slow in (False, True):
                with slow_ways() if slow else ExitStack():
                    readings[slow], cpu = timed(page)
                best[slow] = min(best[slow], cpu)
        for slow in best:
            times[slow].append(best[slow])
        if names := differing(readings[False], readings[True]):
            different += 1
            print(f"  {path.relative_to(chosen.data)}: {', '.join(names)}")
    if not files:
        sys.exit(f"no HTML files in {chosen.data}")
    quick, slow_mean = statistics.mean(times[False]) * 1000, statistics.mean(times[True]) * 1000
    medians = [statistics.median(times[slow]) * 1000 for slow in (False, True)]
    print(f"{len(files)} pages, {different} differ")
    print(f"CPU a page: mean {quick:.1f} ms, median {medians[0]:.1f}; the slow ways {slow_mean:.1f}, {medians[1]:.1f}")
    print(f"ratio {slow_mean / quick:.2f}")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
