"""The watch list: what is captured again and again, and when, from a TOML file that people edit."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from pipeline.capture.http.failures import Failure
from pipeline.capture.http.urls import checked_url
from pipeline.watch.alert_rules import KEYS as RULES
from pipeline.watch.alert_rules import TextRules, text_rules_of
from pipeline.watch.alert_times import KEYS as TIMES
from pipeline.watch.alert_times import AlertTimes, alert_times_of
from storage.errors import OnrecordError

SOURCES = ("page", "feed", "sitemap", "site")
# After publication: what is edited is mostly edited soon, and what disappears may do so at any time.
DECAY = tuple(timedelta(seconds=seconds) for seconds in (900, 3_600, 10_800, 259_200, 2_592_000))
EVERY = {"page": timedelta(hours=1), "feed": timedelta(minutes=30)}
_EVERY = timedelta(days=1)
ARCHIVES = ("wayback",)  # that can be asked for a second copy
_SLOW = tuple(timedelta(days=days) for days in (1, 7, 30))  # of pages that are old when they are found
TIME_LIMIT = timedelta(minutes=15)
_KEYS = {*SOURCES, *RULES, *TIMES, "name", "every", "decay", "cron", "tags", "paused", "time_limit", "options", "also"}
# The options of a capture that a watch can have of its own.
OPTIONS = {
    "browser", "click", "collection", "consent", "cookies", "delay", "depth", "embeds", "exclude", "expand", "header",
    "include", "insecure", "label", "limit", "linked_pdfs", "logins", "max_size", "note", "pdf", "requisites", "robots",
    "scope", "timeout",
}  # fmt: skip
_LEAST = timedelta(minutes=1)
_SPAN = re.compile(r"([1-9]\d{0,6})\s*(s|m|min|h|d|w)\Z", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}


class WatchError(OnrecordError):
    """The watch list cannot be used; its text names the place and says what to write."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Watch:
    """A source and when it is captured.

    `source` is one of SOURCES. Of `every`, `cron` and `decay` the first that is there says when the source is due;
    `decay` also says when the pages are captured again that a source led to, by the time since they were found.
    """

    source: str
    url: str
    name: str
    every: timedelta | None = None
    cron: str | None = None
    decay: tuple[timedelta, ...] = DECAY
    tags: tuple[str, ...] = ()
    paused: bool = False
    time_limit: timedelta = TIME_LIMIT
    options: Mapping[str, Any] = field(default_factory=dict)
    text_rules: TextRules = field(default_factory=TextRules)
    alert_times: AlertTimes = field(default_factory=AlertTimes)
    also: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others."""
        return self.source, self.url


def load(path: Path) -> list[Watch]:
    """Return the watches in a file, none where there is no file; raises WatchError."""
    try:
        text = path.read_text("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError) as error:
        raise WatchError(f"the watch list {path} cannot be read: {error}") from error
    return parsed(text, str(path))


def stores_of(path: Path) -> tuple[str, ...]:
    """Return the addresses of the stores that a list is meant for, none where it says none; raises WatchError."""
    load(path)  # what is wrong with it is said
    try:
        return _stores(tomllib.loads(path.read_text("utf-8")).get("stores", []))
    except (FileNotFoundError, NotADirectoryError):
        return ()


def parsed(text: str, where: str) -> list[Watch]:
    """Return the watches that a TOML text holds; raises WatchError, with `where` in it."""
    try:
        data = tomllib.loads(text)
    except ValueError as error:
        raise WatchError(f"the watch list {where} is no TOML: {error}") from error
    tables = data.pop("watch", [])
    data.pop("feed", None)  # see `pipeline.watch.feeds.feed_files`
    try:
        _stores(data.pop("stores", []))
    except ValueError as error:
        raise WatchError(f"{where}: {error}") from error
    if data or not isinstance(tables, list):
        wrong = next(iter(data), "watch")
        raise WatchError(f"{where}: {wrong!r} is no setting of a watch list; write one [[watch]] for each source")
    watches: list[Watch] = []
    for number, table in enumerate(tables, 1):
        try:
            watches.append(watch_of(table))
        except ValueError as error:
            raise WatchError(f"{where}: watch {number}: {error}") from error
        if watches[-1].key in {watch.key for watch in watches[:-1]}:
            raise WatchError(f"{where}: watch {number}: {watches[-1].url} is watched already; remove one of the two")
    return watches


def watch_of(table: object) -> Watch:
    """Return the watch that a table of the list describes; raises ValueError."""
    if not isinstance(table, dict):
        raise ValueError("it is no table; write [[watch]]")  # noqa: TRY004 - one error for whatever is wrong
    for name in table:
        if name not in _KEYS:
            raise ValueError(f"{name!r} is no key; known are {', '.join(sorted(_KEYS))}")
    named = [source for source in SOURCES if source in table]
    if len(named) != 1:
        raise ValueError(f"name one of {', '.join(SOURCES)}, with its URL")
    url = _url(_text(table, named[0]) or "")
    decay = _decay(table.get("decay", True), _SLOW if named[0] in {"sitemap", "site"} else DECAY)
    every, cron = _text(table, "every"), _text(table, "cron")
    if every and cron:
        raise ValueError("`every` and `cron` are two answers to one question; write one")
    if named[0] == "page" and table.get("decay") and (every or cron):
        raise ValueError("`decay` says when a page is due, and so does `every` or `cron`; write one")
    if not every and not cron and not (named[0] == "page" and table.get("decay")):
        every = _written(EVERY.get(named[0], _EVERY))
    paused = table.get("paused", False)
    if not isinstance(paused, bool):
        raise ValueError("`paused` is true or false")  # noqa: TRY004 - one error for whatever is wrong
    return Watch(
        source=named[0],
        url=url,
        name=_text(table, "name") or url,
        every=span(every) if every else None,
        cron=_cron(cron),
        decay=decay,
        tags=_texts(table, "tags"),
        paused=paused,
        time_limit=span(_text(table, "time_limit") or _written(TIME_LIMIT)),
        options=_options(table.get("options", {})),
        text_rules=text_rules_of(table),
        alert_times=alert_times_of(table, span),
        also=_also(table),
    )


def span(text: str, least: timedelta = _LEAST) -> timedelta:
    """Return a span of time as it is written here: 15m, 6h, 1d, 2w; raises ValueError."""
    match = _SPAN.match(text.strip())
    if not match:
        raise ValueError(f"{text!r} is no span of time; write 15m, 6h, 1d or 2w")
    found = timedelta(seconds=int(match[1]) * _SECONDS[match[2]])
    if not least <= found <= timedelta(days=3_660):
        raise ValueError(f"{text!r}: a span is {_written(least)} at least, and ten years at most")
    return found


def _written(found: timedelta) -> str:
    minutes = int(found.total_seconds()) // 60
    for unit, size in (("d", 1_440), ("h", 60)):
        if minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}m"


def schedule_of(watch: Watch) -> str:
    """When a watch is due, in a few words."""
    if watch.cron:
        zone = watch.alert_times.zone
        return f"cron {watch.cron}" + (f" {zone}" if zone != "UTC" else "")
    return f"every {_written(watch.every)}" if watch.every else "decay " + ", ".join(map(_written, watch.decay))


def _decay(value: object, default: tuple[timedelta, ...]) -> tuple[timedelta, ...]:
    if value is True:
        return default
    if value is False:
        return ()
    if not isinstance(value, list) or not value or not all(isinstance(step, str) for step in value):
        raise ValueError('`decay` is true, false, or spans that grow: ["15m", "1h", "3d"]')
    steps = tuple(span(step) for step in value)
    if list(steps) != sorted(set(steps)):
        raise ValueError("the spans of `decay` grow from one to the next")
    return steps


def _cron(text: str | None) -> str | None:
    if text is None:
        return None
    from datetime import UTC, datetime

    from cronsim import CronSim, CronSimError

    try:
        next(CronSim(text, datetime(2026, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration) as error:
        raise ValueError(f"{text!r} is no cron expression: {error}; write five fields, as 20 6 * * 1-5") from error
    return text


def _url(text: str) -> str:
    try:
        checked_url(text)
    except Failure as failure:
        raise ValueError(f"{text!r}: {failure.verdict.error or failure.verdict.name}") from None
    return text


def _stores(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError("`stores` is a list of addresses")
    return tuple(value)


def _text(table: Mapping[str, Any], name: str) -> str | None:
    value = table.get(name)
    if value is not None and (not isinstance(value, str) or not value or not value.isprintable()):
        raise ValueError(f"`{name}` is one line of text")
    return value


def _texts(table: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = table.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) and each.isprintable() for each in value):
        raise ValueError(f"`{name}` is a list of texts")
    return tuple(value)


def _also(table: Mapping[str, Any]) -> tuple[str, ...]:
    found = _texts(table, "also")
    for name in found:
        if name not in ARCHIVES:
            raise ValueError(f"`also`: {name!r} is no archive for second copies; known are {', '.join(ARCHIVES)}")
    return found


def _options(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("`options` is a table: [watch.options]")  # noqa: TRY004 - one error for whatever is wrong
    for name in value:
        if name not in OPTIONS:
            raise ValueError(f"`options.{name}` is no option of a watch; known are {', '.join(sorted(OPTIONS))}")
    return dict(value)
