"""How good the text is, beside three others, on pages whose text people wrote out: python -m tests.bench.gold.

Two published sets, neither kept here: 181 news pages (scrapinghub/article-extraction-benchmark, MIT), and two thousand
pages of several kinds (Murrough-Foley/web-content-extraction-benchmark, CC-BY-4.0), of which articles, documentation
and forums are taken. They are cloned into a cache folder, or read from `--data DIR`, where each lies in a folder of its
name. In forums onrecord's comments count as text, as they do in what trafilatura prints.

The split is fixed: a page is held out when the SHA-256 of its name is odd. Only the other half is ever looked at while
the extractor is worked on. Tokens are runs of letters and digits in lower case, and each Han or Kana sign by itself;
precision, recall and F1 compare the two bags of tokens of a page, and are averaged over pages.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import multiprocessing
import re
import subprocess
import sys
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Protocol
from urllib.parse import urlsplit

import platformdirs

NEWS = "article-extraction-benchmark"
KINDS = "web-content-extraction-benchmark"
SOURCES = {NEWS: "https://github.com/scrapinghub/" + NEWS, KINDS: "https://github.com/Murrough-Foley/" + KINDS}
FORUM = "forum"  # where what readers wrote is the page
TAKEN = ("article", "documentation", FORUM)  # kinds of pages that have a text, and not only offers
CHUNK = 60  # pages that one process reads
TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]|[^\W\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Sample:
    """A page and the text that people found in it."""

    name: str
    group: str
    url: str
    path: Path
    gold: str

    @property
    def held_out(self) -> bool:
        return hashlib.sha256(self.name.encode()).digest()[-1] % 2 == 1

    @property
    def html(self) -> str:
        return gzip.decompress(self.path.read_bytes()).decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Score:
    """How one extractor did on one page."""

    precision: float
    recall: float
    f1: float
    cpu: float  # seconds


class Extract(Protocol):
    """A page's text; with what readers wrote below, where the extractor tells it from the text."""

    def __call__(self, html: str, url: str, *, comments: bool) -> str: ...


# The sets


def news(folder: Path) -> Iterator[Sample]:
    truth = json.loads((folder / "ground-truth.json").read_text())
    for name, page in truth.items():
        yield Sample(name, "news", page["url"], folder / "html" / f"{name}.html.gz", page.get("articleBody", ""))


def kinds(folder: Path) -> Iterator[Sample]:
    for part in ("dev", "test"):
        for path in sorted((folder / part / "ground-truth").glob("*.json")):
            page = json.loads(path.read_text())
            url = page.get("url") or f"https://{path.stem}.invalid/"
            kind = page["_internal"]["page_type"]["primary"]
            gold = page["ground_truth"].get("main_content")
            if kind in TAKEN and gold:
                yield Sample(path.stem, kind, url, folder / part / "html" / f"{path.stem}.html.gz", gold)


def samples(data: Path | None, most: int) -> list[Sample]:
    """The pages of both sets, `most` of each kind, always the same ones."""
    several = [*news(_folder(data, NEWS)), *kinds(_folder(data, KINDS))]
    found = list({sample.name: sample for sample in reversed(several)}.values())  # some lie in both parts of a set
    found.sort(key=lambda sample: hashlib.sha256(sample.name.encode()).digest())
    count: Counter[str] = Counter()
    kept = []
    for sample in found:
        count[sample.group] += 1
        if count[sample.group] <= most:
            kept.append(sample)
    return kept


def _folder(data: Path | None, name: str) -> Path:
    if data is not None:
        if not (data / name).is_dir():
            sys.exit(f"no folder {name} in {data}")
        return data / name
    folder = Path(platformdirs.user_cache_path("onrecord-bench")) / name
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        command = ["git", "clone", "--quiet", "--depth", "1", SOURCES[name], str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=900)
        except (OSError, subprocess.TimeoutExpired) as error:
            sys.exit(f"cannot fetch {SOURCES[name]}: {error}")
        if done.returncode:
            sys.exit(f"cannot fetch {SOURCES[name]}: {(done.stderr.strip().splitlines() or ['git failed'])[-1]}")
    return folder


# The extractors


def onrecord() -> Extract:
    from pipeline.extract.tasks import Page
    from pipeline.extract.worker import warm, work

    warm()

    def extract(html: str, url: str, *, comments: bool) -> str:
        article = work(Page(url, html.encode("utf-8", "replace"), "text/html; charset=utf-8")).article
        assert article is not None
        return "\n".join(part for part in (article.text, article.comments if comments else None) if part)

    return extract


def onrecord_text() -> Extract:
    """The text alone: no metadata, no links."""
    from pipeline.extract.body import body_of
    from pipeline.extract.html_tree import parsed
    from pipeline.extract.worker import warm

    warm()

    def extract(html: str, url: str, *, comments: bool) -> str:
        tree = parsed(html)
        return (body_of(tree, url).text or "") if tree is not None else ""

    return extract


def trafilatura() -> Extract:
    import trafilatura

    def extract(html: str, url: str, *, comments: bool) -> str:
        return trafilatura.extract(html) or ""

    return extract


def trafilatura_faster() -> Extract:
    """The same with what makes it faster here, as a measure of what the text costs beyond it."""
    from trafilatura import bare_extraction

    from pipeline.extract.html_tree import parsed
    from pipeline.extract.worker import warm

    warm()

    def extract(html: str, url: str, *, comments: bool) -> str:
        tree = parsed(html)
        found = bare_extraction(tree) if tree is not None else None
        return (found.text or "") if found else ""  # type: ignore[union-attr]

    return extract


def readability() -> Extract:
    from lxml import html as parser
    from readability import Document

    def extract(html: str, url: str, *, comments: bool) -> str:
        summary = Document(html).summary(html_partial=True)
        return " ".join(parser.fromstring(summary).itertext())

    return extract


def resiliparse() -> Extract:
    from resiliparse.extract.html2text import extract_plain_text

    def extract(html: str, url: str, *, comments: bool) -> str:
        return extract_plain_text(html, main_content=True)

    return extract


EXTRACTORS: dict[str, Callable[[], Extract]] = {
    "onrecord": onrecord,
    "trafilatura": trafilatura,
    "readability-lxml": readability,
    "resiliparse": resiliparse,
}
COSTS = {"text alone": onrecord_text, "trafilatura, made faster": trafilatura_faster}


# The measure


def tokens(text: str) -> Counter[str]:
    return Counter(TOKEN.findall(unicodedata.normalize("NFC", text).lower()))


def scored(text: str, gold: str, cpu: float = 0.0) -> Score:
    found, wanted = tokens(text), tokens(gold)
    common = (found & wanted).total()
    if not found or not wanted:
        alike = float(not found and not wanted)
        return Score(alike, alike, alike, cpu)
    precision, recall = common / found.total(), common / wanted.total()
    return Score(precision, recall, 2 * precision * recall / (precision + recall) if common else 0.0, cpu)


def read_chunk(name: str, chunk: list[Sample]) -> list[Score]:
    """One extractor over some pages, in a process of its own; what it raises is a page without text."""
    import logging

    logging.disable(logging.CRITICAL)
    extract = (EXTRACTORS | COSTS)[name]()
    extract(chunk[0].html, chunk[0].url, comments=False)  # what is loaded at first is not counted
    scores = []
    for sample in chunk:
        html = sample.html
        begun = time.process_time()
        try:
            text = extract(html, sample.url, comments=sample.group == FORUM)
        except Exception:  # noqa: BLE001 - a page less for whoever cannot read it
            text = ""
        scores.append(scored(text, sample.gold, time.process_time() - begun))
    return scores


def measure(names: list[str], pages: list[Sample], workers: int) -> dict[str, dict[str, Score]]:
    """Scores by extractor and page name."""
    scores: dict[str, dict[str, Score]] = {name: {} for name in names}
    chunks = [pages[at : at + CHUNK] for at in range(0, len(pages), CHUNK)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, max_tasks_per_child=1) as pool:
        tasks = [(name, chunk, pool.submit(read_chunk, name, chunk)) for chunk in chunks for name in names]
        for name, chunk, future in tasks:
            scores[name] |= {sample.name: score for sample, score in zip(chunk, future.result(), strict=True)}
    return scores


# The tables


def report(title: str, pages: list[Sample], scores: dict[str, dict[str, Score]]) -> None:
    print(f"\n{title}: {len(pages)} pages; F1 (precision, recall)")
    names = [name for name in scores if name in EXTRACTORS]
    print(f"  {'':<22}" + "".join(f"{name:<24}" for name in names))
    groups = defaultdict(list)
    for sample in pages:
        groups[sample.group].append(sample.name)
    rows = {f"{group} ({len(members)})": members for group, members in sorted(groups.items())}
    for row, members in {"all": [sample.name for sample in pages], **rows}.items():
        cells = ""
        for name in names:
            taken = [scores[name][member] for member in members]
            f1, precision, recall = (
                fmean(getattr(score, of) for score in taken) for of in ("f1", "precision", "recall")
            )
            cells += f"{f'{f1:.3f} ({precision:.3f}, {recall:.3f})':<24}"
        print(f"  {row:<22}{cells}")
    if {"onrecord", "trafilatura"} <= set(names):
        _report_hosts(pages, scores)


def _report_hosts(pages: list[Sample], scores: dict[str, dict[str, Score]]) -> None:
    """Of the hosts of several pages, those that trafilatura reads better."""
    hosts = defaultdict(list)
    for sample in pages:
        hosts[urlsplit(sample.url).hostname].append(
            scores["onrecord"][sample.name].f1 - scores["trafilatura"][sample.name].f1
        )
    several = {host: fmean(gains) for host, gains in hosts.items() if len(gains) > 1}
    worse = sorted((gain, str(host)) for host, gain in several.items() if gain < -0.02)
    named = ", ".join(f"{host} {gain:+.3f}" for gain, host in worse[:8])
    print(f"  hosts of several pages: {len(several)}; read worse than by trafilatura by 0.02: {len(worse)} {named}")


def report_costs(pages: list[Sample], scores: dict[str, dict[str, Score]]) -> None:
    print(f"\nCPU a page, {len(pages)} pages: mean, median")
    for name, of in scores.items():
        costs = sorted(score.cpu for score in of.values())
        print(f"  {name:<26}{fmean(costs) * 1000:6.1f} ms {costs[len(costs) // 2] * 1000:6.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a folder that holds the two sets; without, they are cloned")
    parser.add_argument("--most", type=int, default=200, help="pages of a kind, both halves (default: 200)")
    parser.add_argument("--split", choices=["both", "development", "held-out"], default="both")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    pages = samples(chosen.data, chosen.most)
    halves = {"development": [p for p in pages if not p.held_out], "held-out": [p for p in pages if p.held_out]}
    if chosen.split != "both":
        halves = {chosen.split: halves[chosen.split]}
    taken = [page for half in halves.values() for page in half]
    scores = measure([*EXTRACTORS, *COSTS], taken, chosen.workers)
    for title, half in halves.items():
        report(title, half, scores)
    report_costs(taken, scores)


if __name__ == "__main__":
    main()
