"""How well PDF files are read: python -m tests.bench.pdf.

The files are typeset here, from texts that are made up: by typst in one to three columns with notes, hyphens and
running heads; by pdfTeX and Chromium too, where they are installed. So it is known what
stands in them: how many of a source's words are found in order (the longest common subsequence), how many of its
paragraphs stand whole, how many notes are found, CPU per page, and memory over 500 pages. Hyphens are left out of the
comparison of paragraphs, for which of them belong to a word is not for the layout to know.
"""

from __future__ import annotations

import argparse
import html
import math
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from difflib import SequenceMatcher
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean

import typst

from tests.pdf_files import column, pdf

SYLLABLES = (
    "ha bour quay pil ot tra vel con sid er coun cil mit tee jus tice re fuse de cide ex am ine tes ti mo ny ef fi "
    "cient af flu ent of fice gran ite ves sel no tice au thor i ty re mark ble prin ci ple un der stand ing ap peal "
    "or di nance"
).split()
SHORT = "the of and to in that for is was on as with by at from it be or an are which this had not but their".split()
HEADS = (
    "The Duty of the Harbour Authority",
    "Background",
    "Standing of the Petitioners",
    "Whether Notice Was Sufficient",
)
PIECE = 20_000  # words of a text that are compared at once
MARKS = str.maketrans("", "", "-\u2010\u00ad\u2013\u2014")


@dataclass(frozen=True, slots=True)
class Source:
    """What is typeset: a heading before every fifth paragraph, and the notes by the number of their paragraph."""

    paragraphs: tuple[str, ...]
    notes: dict[int, str]

    def heading(self, at: int) -> str | None:
        return HEADS[at // 5 % len(HEADS)] if at % 5 == 0 else None

    @property
    def units(self) -> list[str]:
        return [unit for at, text in enumerate(self.paragraphs) for unit in filter(None, (self.heading(at), text))]


@dataclass(frozen=True, slots=True)
class Score:
    """How much of a source was found in a file."""

    words: float
    stray: float  # words that do not belong, by those that do
    paragraphs: float
    notes: float | None  # None where there are none
    pages: int
    cpu: float  # ms a page
    memory: float  # MB, of the process


def source(seed: int, count: int, notes_every: int) -> Source:
    """A text of its own for each seed: made-up words of English syllables, and sentences of several lengths."""
    chance = random.Random(seed)
    vocabulary = ["".join(chance.choices(SYLLABLES, k=chance.randint(2, 4))) for _ in range(1500)]

    def sentence(least: int, most: int) -> str:
        words = [
            chance.choice(SHORT) if chance.random() < 0.45 else chance.choice(vocabulary)
            for _ in range(chance.randint(least, most))
        ]
        if chance.random() < 0.1:
            words[-2] = f"{chance.choice(SHORT)}-{words[-2]}"
        return " ".join(words).capitalize() + "."

    texts = tuple(" ".join(sentence(6, 28) for _ in range(chance.randint(2, 7))) for _ in range(count))
    return Source(texts, {at: sentence(8, 40) for at in range(0, count, notes_every)} if notes_every else {})


# The typesetters


def by_typst(given: Source, folder: Path, columns: int, size: int, *, indent: bool, sides: str = "2.5cm") -> Path:
    """Justified and hyphenated, with a running head and a number on each page; None of its marks are in the texts."""
    spacing = "first-line-indent: 1em, spacing: 0.65em" if indent else "spacing: 1.3em"
    lines = [
        f'#set page(columns: {columns}, margin: {sides}, numbering: "1", header: [Quay Law Journal #h(1fr) Volume 12])',
        f"#set par(justify: true, {spacing})",
        f'#set text(lang: "en", size: {size}pt, hyphenate: true)',
        '#set document(title: "Quayside", author: "Z. Zand")',
    ]
    for at, text in enumerate(given.paragraphs):
        if heading := given.heading(at):
            lines.append(f"= {heading}")
        words = text.split()
        half = len(words) // 2
        note = f"#footnote[{given.notes[at]}]" if at in given.notes else ""
        lines.append(f"{' '.join(words[:half])}{note} {' '.join(words[half:])}\n")
    written = folder / "source.typ"
    written.write_text("\n".join(lines))
    typst.compile(str(written), output=str(folder / "out.pdf"))
    return folder / "out.pdf"


def by_tex(given: Source, folder: Path, options: str, before: str = "", columns: int = 1) -> Path:
    """By pdfTeX in Latin Modern, twice for its references."""
    lines = [
        rf"\documentclass[{options}]{{article}}",
        r"\usepackage[T1]{fontenc}\usepackage{lmodern,multicol,fancyhdr}\emergencystretch=2em\pagestyle{fancy}",
        r"\fancyhf{}\fancyhead[LE,RO]{\thepage}\fancyhead[CE]{Quay Law Journal}\fancyfoot[C]{An electronic copy}",
        before,
        r"\begin{document}",
        rf"\begin{{multicols}}{{{columns}}}" if columns > 1 else "",
    ]
    for at, text in enumerate(given.paragraphs):
        if heading := given.heading(at):
            lines.append(rf"\section*{{{heading}}}")
        words = text.split()
        half = len(words) // 2
        note = rf"\footnote{{{given.notes[at]}}}" if at in given.notes else ""
        lines.append(f"{' '.join(words[:half])}{note} {' '.join(words[half:])}\n")
    lines.append((r"\end{multicols}" if columns > 1 else "") + r"\end{document}")
    (folder / "source.tex").write_text("\n".join(lines))
    for _ in range(2):
        command = ["pdflatex", "-interaction=batchmode", "source.tex"]
        subprocess.run(command, cwd=folder, capture_output=True, timeout=300)
    return folder / "source.pdf"


def by_chromium(given: Source, folder: Path, style: str) -> Path:
    """A page of the web, printed; it has no notes."""
    parts = []
    for at, text in enumerate(given.paragraphs):
        parts += [f"<h2>{heading}</h2>" for heading in filter(None, [given.heading(at)])]
        parts.append(f"<p>{html.escape(text)}</p>")
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>Quay</title><style>{style}</style>"
    page = f"{head}<div>{''.join(parts)}"
    (folder / "source.html").write_text(page)
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--print-to-pdf={folder}/out.pdf"]
    subprocess.run([*command, f"file://{folder}/source.html"], capture_output=True, timeout=120)
    return folder / "out.pdf"


# The measure


def measured(path: Path, given: Source) -> Score:
    """Read a file in a process of its own, so that its memory is known."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_measured, path, given).result()


def _measured(path: Path, given: Source) -> Score:
    from pipeline.extract.article import read
    from pipeline.extract.pdf import pages as pages_module
    from pipeline.extract.tasks import Page

    pages_module.SECONDS = math.inf  # that the machine is busy cuts no file here
    data = path.read_bytes()
    warm = pdf(column(["What the first file would wait for."]), catalog="/AcroForm<</Fields[]>>")
    read(Page("http://bench.example/", warm, "application/pdf"))
    begun = time.process_time()
    article = read(Page("http://bench.example/", data, "application/pdf")).article
    cpu = time.process_time() - begun
    status = Path("/proc/self/status").read_text()  # getrusage counts what the parent had
    memory = int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024
    assert article is not None
    assert article.structure is not None
    text = article.text or ""
    body = [text[each.start : each.end] for each in article.structure.paragraphs if each.kind != "note"]
    notes = [text[each.start : each.end] for each in article.structure.paragraphs if each.kind == "note"]
    wanted, found = " ".join(given.units).split(), " ".join(body).split()
    whole = set(map(_plain, body))
    noted = {re.sub(r"^\d+", "", _plain(note)) for note in notes}
    pages = len(article.structure.pages)
    return Score(
        words=_in_order(wanted, found) / len(wanted),
        stray=max(len(found) - len(wanted), 0) / len(wanted),
        paragraphs=sum(_plain(unit) in whole for unit in given.units) / len(given.units),
        notes=sum(_plain(note) in noted for note in given.notes.values()) / len(given.notes) if given.notes else None,
        pages=pages,
        cpu=1000 * cpu / pages,
        memory=memory,
    )


def _plain(text: str) -> str:
    return "".join(text.translate(MARKS).split())


def _in_order(wanted: list[str], found: list[str]) -> int:
    """The longest common subsequence; of long texts, that of pieces which begin at the same word."""
    one, other = list(map(_plain, wanted)), list(map(_plain, found))
    return sum(
        block.size
        for at in range(0, len(one), PIECE)
        for block in SequenceMatcher(
            None, one[at : at + PIECE], other[at : at + PIECE], autojunk=False
        ).get_matching_blocks()
    )


def kinds() -> dict[str, tuple[Source, Callable[[Source, Path], Path]]]:
    """The files: a source and a typesetter each."""
    found: dict[str, tuple[Source, Callable[[Source, Path], Path]]] = {
        "typst, 1 column, notes": (source(1, 40, 2), lambda it, at: by_typst(it, at, 1, 11, indent=True)),
        "typst, 1 column, spaced": (source(2, 40, 3), lambda it, at: by_typst(it, at, 1, 12, indent=False)),
        "typst, 2 columns, notes": (source(3, 60, 2), lambda it, at: by_typst(it, at, 2, 10, indent=True)),
        "typst, 2 columns, spaced": (
            source(4, 60, 4),
            lambda it, at: by_typst(it, at, 2, 9, indent=False, sides="1.5cm"),
        ),
        "typst, 3 columns, notes": (
            source(5, 60, 3),
            lambda it, at: by_typst(it, at, 3, 8, indent=True, sides="1.5cm"),
        ),
    }
    if shutil.which("pdflatex"):
        found |= {
            "TeX, 1 column, notes": (source(6, 40, 2), lambda it, at: by_tex(it, at, "11pt,a4paper,twoside")),
            "TeX, 1 column, many notes": (source(7, 30, 1), lambda it, at: by_tex(it, at, "12pt")),
            "TeX, 2 columns, notes": (source(8, 60, 3), lambda it, at: by_tex(it, at, "10pt,twocolumn")),
            "TeX, 3 columns, notes": (
                source(9, 50, 5),
                lambda it, at: by_tex(it, at, "10pt,landscape", r"\usepackage[margin=2cm]{geometry}", 3),
            ),
        }
    if shutil.which("chromium"):
        found |= {
            "Chromium, 1 column": (source(10, 30, 0), lambda it, at: by_chromium(it, at, "")),
            "Chromium, 2 columns": (
                source(11, 30, 0),
                lambda it, at: by_chromium(it, at, "div{columns:2;text-align:justify;hyphens:auto}"),
            ),
        }
    return found


def main() -> None:
    """Print a line for each file, the mean, and what 500 pages cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=500, help="of the long file; 0 for none")
    options = parser.parse_args()
    print(f"{'file':28} {'words':>6} {'stray':>6} {'whole':>6} {'notes':>6} {'pages':>5} {'ms/page':>8} {'MB':>5}")
    scores = []
    for name, (given, typeset) in kinds().items():
        with tempfile.TemporaryDirectory() as folder:
            score = measured(typeset(given, Path(folder)), given)
        scores.append(score)
        _print(name, score)
    if not scores:
        sys.exit("nothing was typeset")
    mean = {name: fmean(getattr(each, name) for each in scores) for name in ("words", "stray", "paragraphs")}
    mean["notes"] = fmean(each.notes for each in scores if each.notes is not None)
    pages = sum(each.pages for each in scores)
    cpu = sum(each.cpu * each.pages for each in scores) / pages
    _print("all", Score(**mean, pages=pages, cpu=cpu, memory=max(each.memory for each in scores)))
    if options.pages:
        given = source(12, 7 * options.pages, 4)
        with tempfile.TemporaryDirectory() as folder:
            score = measured(by_typst(given, Path(folder), 1, 11, indent=True), given)
        _print("a long file", score)


def _print(name: str, score: Score) -> None:
    notes = "     -" if score.notes is None else f"{score.notes:6.3f}"
    shares = f"{score.words:6.3f} {score.stray:6.3f} {score.paragraphs:6.3f} {notes}"
    print(f"{name:28} {shares} {score.pages:5} {score.cpu:8.1f} {score.memory:5.0f}", flush=True)


if __name__ == "__main__":
    main()
