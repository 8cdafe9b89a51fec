"""How alike two texts, titles, lists of authors or days are, and how sure a mean over pages is.

Tokens are runs of letters and digits in lower case, and each Han or Kana sign by itself; precision, recall and F1
compare the two bags of tokens of a page. An interval is that of the mean over pages drawn anew from the same pages,
with repetition (bootstrap, percentiles 2.5 and 97.5), always with the same draws.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import cache
from html import unescape
from statistics import fmean

TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]|[^\W\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")
DRAWS = 1_000
_APOSTROPHES = dict.fromkeys(map(ord, "'\u2018\u2019\u02bc"))


@dataclass(frozen=True, slots=True)
class Score:
    """How one extractor did on one page."""

    precision: float
    recall: float
    f1: float
    cpu: float  # seconds


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


def interval(values: list[float]) -> tuple[float, float]:
    """Return where the mean lies in 95 of 100 drawings."""
    if not values:
        return 0.0, 0.0
    means = sorted(fmean(map(values.__getitem__, draw)) for draw in _draws(len(values)))
    return means[int(DRAWS * 0.025)], means[int(DRAWS * 0.975) - 1]


@cache
def _draws(count: int) -> list[list[int]]:
    source = random.Random(count)
    return [source.choices(range(count), k=count) for _ in range(DRAWS)]


def matches(field: str, found: str | None, gold: str) -> tuple[bool, bool]:
    """Return whether a field is as people wrote it, and whether it is in all but spelling.

    Of titles and authors, spelling is case, punctuation, spaces, and the order of authors; a "by" before them counts
    as nothing. Of days it is one day's difference, which a time zone makes.
    """
    if not found:
        return False, False
    if field == "date":
        return found[:10] == gold[:10], _days_apart(found, gold) <= 1
    if field == "author":
        ours, theirs = _authors(found), _authors(gold)
        return "; ".join(_split(found)) == "; ".join(_split(gold)), bool(ours) and ours == theirs
    return found.strip() == unescape(gold).strip(), _plain(found) == _plain(gold)


def _plain(text: str) -> str:
    return " ".join(TOKEN.findall(unicodedata.normalize("NFKC", unescape(text)).lower().translate(_APOSTROPHES)))


def _split(authors: str) -> list[str]:
    return [part.strip() for part in re.split(r";|,|&|\band\b|\|", unescape(authors)) if part.strip()]


def _authors(text: str) -> frozenset[str]:
    names = (re.sub(r"^(?:written |posted )?by ", "", _plain(name)) for name in _split(text))
    return frozenset(name for name in names if name)


def _days_apart(found: str, gold: str) -> int:
    try:
        return abs((date.fromisoformat(found[:10]) - date.fromisoformat(gold[:10])).days)
    except ValueError:
        return 9_999
