"""False alarms: pages that are called walls, parked, empty or drawn by scripts: python -m tests.bench.walls.

Looked at are the pages of `tests.bench.gold`, whose text people found, so none is a wall, and the HTML files of each
folder that is named (Debian's python3-doc, say). `--rules` asks the table of wall rules alone, which takes a minute.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pipeline.extract.article import extract
from pipeline.extract.encoding import decode
from pipeline.extract.tasks import Page
from pipeline.extract.wall_rules import RULES
from pipeline.extract.walls import wall_of
from tests.bench.gold_sets import texts_and_metadata

IS_A_WALL = {"https://0551.invalid/"}  # in the sets: a forum's Anubis challenge, taken for its page
STATES = {"bot-wall", "parked-domain", "empty-page", "needs-scripts"}


def pages(data: Path | None, folders: list[Path]) -> Iterator[tuple[str, str, bytes]]:
    """Group, address and body of each page."""
    for sample in texts_and_metadata(data, sys.maxsize):
        yield sample.group, sample.url, sample.html.encode()
    for folder in folders:
        for path in sorted(folder.rglob("*.html")):
            yield folder.name, f"https://docs.invalid/{path.relative_to(folder)}", path.read_bytes()


def alarm(url: str, body: bytes, *, rules_only: bool) -> str | None:
    """What a page is called that it is not."""
    if rules_only:
        rule = wall_of(url, 200, (), decode(body, "text/html")[0])
        return rule and f"{rule.kind} ({rule.name})"
    found = extract(Page(url, body, "text/html")).availability
    return found if found in STATES else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="where the sets of tests.bench.gold lie")
    parser.add_argument("--rules", action="store_true", help="ask the wall rules alone")
    parser.add_argument("folders", nargs="*", type=Path)
    given = parser.parse_args()
    seen: Counter[str] = Counter()
    alarms: Counter[str] = Counter()
    for group, url, body in pages(given.data, given.folders):
        seen[group] += 1
        found = alarm(url, body, rules_only=given.rules)
        if url in IS_A_WALL:
            print(f"{group}: {'known as a wall' if found else 'NOT KNOWN AS A WALL'}: {url}", flush=True)
        elif found:
            alarms[group] += 1
            print(f"{group}: {found}: {url}", flush=True)
    print(f"{len(RULES)} rules of {len({rule.name for rule in RULES})} kinds of walls")
    for group, count in seen.items():
        print(f"{group}: {alarms[group]} false alarms in {count:,} pages", flush=True)


if __name__ == "__main__":
    main()
