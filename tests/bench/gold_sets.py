"""Published pages whose text, title, author and date people wrote out.

None is kept here: 181 news pages (scrapinghub/article-extraction-benchmark, MIT), two thousand pages of several kinds
(Murrough-Foley/web-content-extraction-benchmark, CC-BY-4.0), of which articles, documentation and forums are taken, and
the pages that a parser's tests hold (postlight/parser, MIT or Apache-2.0), for the metadata alone. They are cloned into
a cache folder, or read from `--data DIR`, where each lies in a folder of its name.

The split is fixed: a page is held out when the SHA-256 of SALT and its name is odd. Only the other half is ever looked
at while the extractor is worked on.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs

NEWS = "article-extraction-benchmark"
KINDS = "web-content-extraction-benchmark"
FIXTURES = "parser"
_OWNERS = {NEWS: "scrapinghub", KINDS: "Murrough-Foley", FIXTURES: "postlight"}
FORUM = "forum"  # where what readers wrote is the page
TAKEN = ("article", "documentation", FORUM)  # kinds of pages that have a text, and not only offers
SALT = "second drawing "  # the first had none; single pages of its held-out half were looked at


@dataclass(frozen=True, slots=True)
class Sample:
    """A page, and what people found in it: its text, and "title", "author" and "date" where it has them."""

    name: str
    group: str
    url: str
    path: Path
    gold: str
    metadata: dict[str, str]

    @property
    def held_out(self) -> bool:
        return self._digest[-1] % 2 == 1

    @property
    def order(self) -> bytes:
        """The place of the page in the fixed order in which pages are drawn."""
        return self._digest

    @property
    def _digest(self) -> bytes:
        return hashlib.sha256((SALT + self.name).encode()).digest()

    @property
    def html(self) -> str:
        data = self.path.read_bytes()
        return (gzip.decompress(data) if self.path.suffix == ".gz" else data).decode("utf-8", "replace")


def texts_and_metadata(data: Path | None, most: int) -> list[Sample]:
    """Return the pages of the two sets that have gold texts, `most` per kind, always the same ones."""
    several = [*_news(_folder(data, NEWS)), *_kinds(_folder(data, KINDS))]
    found = list({sample.name: sample for sample in reversed(several)}.values())  # some lie in both parts of a set
    found.sort(key=lambda sample: sample.order)
    count: Counter[str] = Counter()
    kept = []
    for sample in found:
        count[sample.group] += 1
        if count[sample.group] <= most:
            kept.append(sample)
    return kept


def fixtures(data: Path | None) -> list[Sample]:
    """Return the pages of the parser's tests, with the metadata that these expect."""
    folder = _folder(data, FIXTURES)
    found = []
    for test in sorted((folder / "src" / "extractors" / "custom").glob("*/index.test.js")):
        source = test.read_text()
        pages = [path for name in _PAGES.findall(source) if (path := folder / name).is_file()]
        metadata = _expected(source)
        if len(set(pages)) == 1 and metadata:
            url = next(iter(_URLS.findall(source)), f"https://{test.parent.name}/")
            name = f"{FIXTURES}/{test.parent.name}"
            found.append(Sample(name, "fixtures", url, pages[0], "", metadata))
    return sorted(found, key=lambda sample: sample.order)


_PAGES = re.compile(r"['\"](?:\./)?(fixtures/[\w./-]+\.html)['\"]")
_URLS = re.compile(r"url\s*=\s*['\"`](https?://[^'\"`]+)['\"`]")
_EXPECTED = re.compile(
    r"(title|author|date_published)\s*}[^;]*;(?:(?!\bit\().)*?assert\.(?:equal|strictEqual)\(\s*\1,\s*"
    r"('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`(?:[^`\\]|\\.)*`)",
    re.DOTALL,
)


def _expected(source: str) -> dict[str, str]:
    """Return what a test expects; a page for which it expects nothing, or a date in words, has no such field."""
    expected = {name: re.sub(r"\\(.)", r"\1", value[1:-1]).strip() for name, value in _EXPECTED.findall(source)}
    date = expected.pop("date_published", "")
    if re.match(r"\d{4}-\d{2}-\d{2}", date):
        expected["date"] = date[:10]
    return {name: value for name, value in expected.items() if value}


def _news(folder: Path) -> Iterator[Sample]:
    truth = json.loads((folder / "ground-truth.json").read_text())
    for name, page in truth.items():
        yield Sample(name, "news", page["url"], folder / "html" / f"{name}.html.gz", page.get("articleBody", ""), {})


def _kinds(folder: Path) -> Iterator[Sample]:
    for part in ("dev", "test"):
        for path in sorted((folder / part / "ground-truth").glob("*.json")):
            page = json.loads(path.read_text())
            url = page.get("url") or f"https://{path.stem}.invalid/"
            kind = page["_internal"]["page_type"]["primary"]
            truth = page["ground_truth"]
            fields = {"title": "title", "author": "author", "date": "publish_date"}
            metadata = {ours: truth[theirs] for ours, theirs in fields.items() if truth.get(theirs)}
            if kind in TAKEN and (gold := truth.get("main_content")):
                yield Sample(path.stem, kind, url, folder / part / "html" / f"{path.stem}.html.gz", gold, metadata)


def _folder(data: Path | None, name: str) -> Path:
    if data is not None:
        if not (data / name).is_dir():
            sys.exit(f"no folder {name} in {data}")
        return data / name
    folder = Path(platformdirs.user_cache_path("onrecord-bench")) / name
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        source = f"https://github.com/{_OWNERS[name]}/{name}"
        command = ["git", "clone", "--quiet", "--depth", "1", source, str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=900)
        except (OSError, subprocess.TimeoutExpired) as error:
            sys.exit(f"cannot fetch {source}: {error}")
        if done.returncode:
            sys.exit(f"cannot fetch {source}: {(done.stderr.strip().splitlines() or ['git failed'])[-1]}")
    return folder
