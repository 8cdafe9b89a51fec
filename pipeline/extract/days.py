"""Days as pages write them, in words and in figures."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

_NAMES = (
    "jan|january|januar|janvier|enero|gennaio|janeiro|januari|j\u00e4nner",
    "feb|february|februar|f\u00e9vrier|febrero|febbraio|fevereiro|februari|f\u00e9vr",
    "mar|march|m\u00e4rz|mars|marzo|mar\u00e7o|maart|mrz",
    "apr|april|avril|abril|aprile|abr|avr",
    "may|mai|mayo|maggio|maio|mei|mag",
    "jun|june|juni|juin|junio|giugno|junho|giu",
    "jul|july|juli|juillet|julio|luglio|julho|juil|lug",
    "aug|august|ao\u00fbt|agosto|augustus|ago",
    "sep|sept|september|septembre|septiembre|settembre|setembro|set",
    "oct|october|oktober|octobre|octubre|ottobre|outubro|okt|ott",
    "nov|november|novembre|noviembre|novembro",
    "dec|december|dezember|d\u00e9cembre|diciembre|dicembre|dezembro|dez|dic|d\u00e9c",
)
_MONTHS = {name: number for number, names in enumerate(_NAMES, 1) for name in names.split("|")}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_FORMS = (
    re.compile(r"(?<!\d)(?P<y>(?:19|20)\d\d)-(?P<m>\d{1,2})-(?P<d>\d{1,2})(?!\d)"),
    re.compile(
        r"(?<!\d)(?P<y>(?:19|20)\d\d)\s?[\u5e74\ub144]\s?(?P<m>\d{1,2})\s?[\u6708\uc6d4]\s?"
        r"(?P<d>\d{1,2})\s?[\u65e5\uc77c]"
    ),
    re.compile(
        rf"\b(?P<n>{_MONTH})\.?\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\.?,?\s+(?:at\s+)?(?P<y>(?:19|20)\d\d)\b",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?<!\d)(?P<d>\d{{1,2}})(?:st|nd|rd|th|er|\u00ba|\.)?\s+(?:de\s+)?(?P<n>{_MONTH})\.?,?"
        r"\s+(?:de\s+|del\s+)?(?P<y>(?:19|20)\d\d)\b",
        re.IGNORECASE,
    ),
    re.compile(r"(?<![\d./])(?P<y>(?:19|20)\d\d)[./](?P<m>\d{1,2})[./](?P<d>\d{1,2})(?![\d/])"),
    re.compile(r"(?<![\d./])(?P<a>\d{1,2})(?P<s>[./-])(?P<b>\d{1,2})(?P=s)(?P<c>(?:19|20)\d\d|\d\d)(?![\d/]|\.\d)"),
)  # fmt: skip
_FIGURE = re.compile(r"\d")  # each form has some
_YEAR_FIRST = {"ja", "zh", "ko", "hu", "lt", "mn", "eu"}
_MONTH_FIRST_REGIONS = {"us", "ph", "bz"}
_DAY_FIRST_HOSTS = {"uk", "au", "nz", "ie", "in", "za"}
_OLDEST = 1995  # the year before which no page was published on the web; older days are those of a print
_CENTURY, _NEXT_CENTURY = 1900, 2000


def day_in(text: str, language: str | None = None, host: str | None = None) -> str | None:
    """Return the first day that a text names, as "YYYY-MM-DD", or None.

    A day in figures is read as people of the page's language write it: 19/03/02 is 2 March 2019 in Japanese, and
    19 March 2002 in French. A day that is no day, or lies ahead, is passed over. What the text says of a time and its
    zone changes nothing: the day is the one that is written.
    """
    found: list[tuple[int, str]] = []
    for form in _FORMS if _FIGURE.search(text) else ():
        for match in form.finditer(text[:2_000]):
            day = _day(match, language, host)
            if day is not None:
                found.append((match.start(), day))
                break
    return min(found)[1] if found else None


def _day(match: re.Match[str], language: str | None, host: str | None) -> str | None:
    parts = match.groupdict()
    if "a" in parts:
        return _in_figures(parts, language, host)
    month = _MONTHS[parts["n"].lower()] if "n" in parts else int(parts["m"])
    return _checked(int(parts["y"]), month, int(parts["d"]))


def _in_figures(parts: dict[str, str], language: str | None, host: str | None) -> str | None:
    first, second, third = (int(parts[name]) for name in "abc")
    tag = (language or "").lower().split("-")
    year = third if len(parts["c"]) > 2 else _whole_year(third)
    day_month_year = (year, second, first)
    if len(parts["c"]) == 2 and tag[0] in _YEAR_FIRST:
        orders = [(_whole_year(first), second, third), day_month_year]
    elif parts["s"] == "/" and _month_first(tag, host):
        orders = [(year, first, second), day_month_year]
    else:
        orders = [day_month_year, (year, first, second)]
    return next((day for order in orders if (day := _checked(*order))), None)


def _month_first(tag: list[str], host: str | None) -> bool:
    if tag[0] not in {"en", ""}:
        return False
    if len(tag) > 1:
        return tag[-1] in _MONTH_FIRST_REGIONS
    return (host or "").rpartition(".")[2] not in _DAY_FIRST_HOSTS


def _whole_year(year: int) -> int:
    return year + (_NEXT_CENTURY if year <= datetime.now(UTC).year % 100 + 1 else _CENTURY)


def _checked(year: int, month: int, day: int) -> str | None:
    try:
        found = date(year, month, day)
    except ValueError:
        return None
    latest = (datetime.now(UTC) + timedelta(days=2)).date()
    return found.isoformat() if year >= _OLDEST and found <= latest else None
