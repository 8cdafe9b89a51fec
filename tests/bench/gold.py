"""How good text and metadata are, beside other extractors, on pages whose text people wrote out.

python -m tests.bench.gold [--data DIR] [--trafipy PYTHON]. gold_sets.py says where the pages come from and which are
held out, gold_scores.py how texts are compared. In forums onrecord's comments count as text, as they do in what
trafilatura prints.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import fmean
from urllib.parse import urlsplit

from tests.bench import gold_engines
from tests.bench.gold_engines import COSTS, EXTRACTORS, METADATA, Metadata, has_trafipy
from tests.bench.gold_scores import Score, interval, matches, scored
from tests.bench.gold_sets import FORUM, Sample, fixtures, texts_and_metadata

CHUNK = 60  # pages that one process reads
POOR = 0.5  # F1 below which a page is counted as lost
FIELDS = ("title", "author", "date")


# The measure


def read_chunk(name: str, chunk: list[Sample], trafipy: str | None) -> list[Score]:
    """One extractor over some pages, in a process of its own; what it raises is a page without text."""
    import logging

    logging.disable(logging.CRITICAL)
    gold_engines.TRAFIPY[:] = [trafipy] if trafipy else []
    extract = (EXTRACTORS | COSTS)[name]()
    extract(chunk[0].html, chunk[0].url, comments=False)  # what is loaded at first is not counted
    scores = []
    for sample in chunk:
        html = sample.html
        begun = time.process_time()
        try:
            text = extract(html, sample.url, comments=sample.group == FORUM)
        except Exception:  # noqa: BLE001 - a page less for whatever cannot read it
            text = ""
        scores.append(scored(text, sample.gold, time.process_time() - begun))
    return scores


def read_metadata(name: str, chunk: list[Sample]) -> list[Metadata]:
    """The metadata that one extractor finds on some pages."""
    import logging

    logging.disable(logging.CRITICAL)
    extract = METADATA[name]()
    found: list[Metadata] = []
    for sample in chunk:
        try:
            found.append(extract(sample.html, sample.url))
        except Exception:  # noqa: BLE001 - a page less for whatever cannot read it
            found.append({})
    return found


class Measure:
    """Processes of a fixed number that read pages in chunks."""

    def __init__(self, workers: int, trafipy: str | None) -> None:
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(workers, mp_context=context, max_tasks_per_child=1)
        self._trafipy = trafipy

    def texts(self, names: list[str], pages: list[Sample]) -> dict[str, dict[str, Score]]:
        """Scores by extractor and page name."""
        scores: dict[str, dict[str, Score]] = {name: {} for name in names}
        tasks = [
            (name, chunk, self._pool.submit(read_chunk, name, chunk, self._trafipy))
            for chunk in _chunks(pages)
            for name in names
        ]
        for name, chunk, future in tasks:
            scores[name] |= {sample.name: score for sample, score in zip(chunk, future.result(), strict=True)}
        return scores

    def metadata(self, pages: list[Sample]) -> dict[str, dict[str, Metadata]]:
        """Metadata by extractor and page name."""
        found: dict[str, dict[str, Metadata]] = {name: {} for name in METADATA}
        tasks = [
            (name, chunk, self._pool.submit(read_metadata, name, chunk))
            for chunk in _chunks(pages)
            for name in METADATA
        ]
        for name, chunk, future in tasks:
            found[name] |= {sample.name: fields for sample, fields in zip(chunk, future.result(), strict=True)}
        return found


def _chunks(pages: list[Sample]) -> list[list[Sample]]:
    return [pages[at : at + CHUNK] for at in range(0, len(pages), CHUNK)]


# The tables


def report(title: str, pages: list[Sample], scores: dict[str, dict[str, Score]]) -> None:
    print(f"\n{title}: {len(pages)} pages; F1 [95 % interval] (precision, recall)")
    names = [name for name in scores if name in EXTRACTORS]
    groups = defaultdict(list)
    for sample in pages:
        groups["all"].append(sample.name)
        groups[sample.group].append(sample.name)
    rows = sorted(groups.items(), key=lambda row: (row[0] != "all", row[0]))
    for row, members in rows:
        print(f"  {row} ({len(members)})")
        for name in names:
            taken = [scores[name][member] for member in members]
            values = [score.f1 for score in taken]
            low, high = interval(values)
            poor = sum(value < POOR for value in values)
            print(
                f"    {name:<26}{fmean(values):.3f} [{low:.3f}, {high:.3f}]"
                f" ({fmean(score.precision for score in taken):.3f}, {fmean(score.recall for score in taken):.3f})"
                f"  under {POOR}: {poor}"
            )
        if "onrecord" in names and len(names) > 1:
            _report_gain(members, names, scores)
    if {"onrecord", "trafilatura"} <= set(names):
        _report_hosts(pages, scores)


def _report_gain(members: list[str], names: list[str], scores: dict[str, dict[str, Score]]) -> None:
    """How much better than the best of the others, page by page."""
    others = [name for name in names if name != "onrecord"]
    best = max(others, key=lambda name: fmean(scores[name][member].f1 for member in members))
    gains = [scores["onrecord"][member].f1 - scores[best][member].f1 for member in members]
    low, high = interval(gains)
    print(f"    onrecord less {best}: {fmean(gains):+.3f} [{low:+.3f}, {high:+.3f}]")


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


def report_metadata(title: str, pages: list[Sample], found: dict[str, dict[str, Metadata]]) -> None:
    """Per field, of the pages for which people wrote it down: the share that is the same."""
    print(f"\n{title}, metadata: % the same exactly; % the same but for spelling [95 % interval]")
    for field in FIELDS:
        wanted = [sample for sample in pages if field in sample.metadata]
        if not wanted:
            continue
        alike: dict[str, list[float]] = {}
        for name in found:
            pairs = [matches(field, found[name][sample.name].get(field), sample.metadata[field]) for sample in wanted]
            alike[name] = [100.0 * normalised for _, normalised in pairs]
            low, high = interval(alike[name])
            exact, mean = fmean(100.0 * exactly for exactly, _ in pairs), fmean(alike[name])
            print(f"  {field:<7}{name:<12}{exact:5.1f}  {mean:5.1f} [{low:.1f}, {high:.1f}] of {len(wanted)}")
        gains = [ours - theirs for ours, theirs in zip(alike["onrecord"], alike["trafilatura"], strict=True)]
        low, high = interval(gains)
        print(f"  {field:<7}{'more':<12}{'':<5}  {fmean(gains):+5.1f} [{low:+.1f}, {high:+.1f}]")


def report_costs(pages: list[Sample], scores: dict[str, dict[str, Score]]) -> None:
    print(f"\nCPU per page, {len(pages)} pages: mean, median")
    for name, of in scores.items():
        if name == "trafipy":
            continue  # it runs in a process of its own
        costs = sorted(score.cpu for score in of.values())
        print(f"  {name:<26}{fmean(costs) * 1000:6.1f} ms {costs[len(costs) // 2] * 1000:6.1f} ms")


def _halves(pages: list[Sample], split: str) -> dict[str, list[Sample]]:
    halves = {"development": [p for p in pages if not p.held_out], "held-out": [p for p in pages if p.held_out]}
    return halves if split == "both" else {split: halves[split]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a folder that holds the three sets; without, they are cloned")
    parser.add_argument("--most", type=int, default=200, help="pages of a kind, both halves (default: 200)")
    parser.add_argument("--split", choices=["both", "development", "held-out"], default="both")
    parser.add_argument("--trafipy", type=Path, metavar="PYTHON", help="a Python of 3.12 or later that has trafipy")
    parser.add_argument("--engines", help="names of the extractors to run, separated by ';' (default: all)")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    names = chosen.engines.split(";") if chosen.engines else [*EXTRACTORS, *COSTS]
    trafipy = has_trafipy(chosen.trafipy) if "trafipy" in names else None
    if "trafipy" in names and trafipy is None:
        names.remove("trafipy")
        print("trafipy: not measured; it needs Python 3.12: name one that has it by --trafipy PYTHON")
    halves = _halves(texts_and_metadata(chosen.data, chosen.most), chosen.split)
    taken = [page for half in halves.values() for page in half]
    measure = Measure(chosen.workers, trafipy)
    scores = measure.texts(names, taken)
    for title, half in halves.items():
        report(title, half, scores)
    report_costs(taken, scores)
    for title, half in _halves(fixtures(chosen.data), chosen.split).items():
        report_metadata(f"{title}, pages of a parser's tests", half, measure.metadata(half))
    for title, half in halves.items():
        report_metadata(title, half, measure.metadata(half))


if __name__ == "__main__":
    main()
