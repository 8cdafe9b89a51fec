"""The watch list: sources in a TOML file that people edit by hand, and that keeps its comments when we do."""

from __future__ import annotations

import os
import re
import secrets
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.capture.urls import checked_url
from pipeline.capture.verdicts import Failure
from storage.errors import OnrecordError

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

SOURCES = ("page", "feed", "sitemap", "site")
# After publication: what is edited is mostly edited soon, and what disappears may do so at any time.
DECAY = tuple(timedelta(seconds=seconds) for seconds in (900, 3_600, 10_800, 259_200, 2_592_000))
EVERY = {"page": timedelta(hours=1), "feed": timedelta(minutes=30)}
_EVERY = timedelta(days=1)
_SLOW = tuple(timedelta(days=days) for days in (1, 7, 30))  # of pages that are old when they are found
TIME_LIMIT = timedelta(minutes=15)
_KEYS = {*SOURCES, "name", "every", "decay", "cron", "tags", "paused", "time_limit", "options"}
# The options of a capture that a watch can have of its own.
OPTIONS = {
    "browser", "delay", "depth", "embeds", "exclude", "include", "insecure", "limit", "linked_pdfs", "max_size",
    "requisites", "robots", "scope", "timeout",
}  # fmt: skip
_LEAST = timedelta(minutes=1)
_SPAN = re.compile(r"([1-9]\d{0,6})\s*(s|m|min|h|d|w)\Z", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_HEAD = """\
# What onrecord captures again and again. Edit it as you like: comments and order stay.
# A watch is a page, a feed, a sitemap or a site. It is due `every` so often ("15m", "6h", "1d"), at the times of a
# `cron` expression (UTC), or, a page with `decay = true`, at growing distances after it was found.
"""


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

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others."""
        return self.source, self.url


def load(path: Path) -> list[Watch]:
    """The watches in a file, none where there is no file; raises WatchError."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise WatchError(f"the watch list {path} cannot be read: {error}") from error
    return parsed(text, str(path))


def parsed(text: str, where: str) -> list[Watch]:
    """The watches that a TOML text holds; raises WatchError, with `where` in it."""
    try:
        data = tomllib.loads(text)
    except ValueError as error:
        raise WatchError(f"the watch list {where} is no TOML: {error}") from error
    tables = data.pop("watch", [])
    if data or not isinstance(tables, list):
        wrong = next(iter(data), "watch")
        raise WatchError(f"{where}: {wrong!r} is no setting of a watch list; write one [[watch]] for each source")
    watches: list[Watch] = []
    for number, table in enumerate(tables, 1):
        try:
            watches.append(_watch(table))
        except ValueError as error:
            raise WatchError(f"{where}: watch {number}: {error}") from error
        if watches[-1].key in {watch.key for watch in watches[:-1]}:
            raise WatchError(f"{where}: watch {number}: {watches[-1].url} is watched already; remove one of the two")
    return watches


def _watch(table: object) -> Watch:
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
    )


def span(text: str, least: timedelta = _LEAST) -> timedelta:
    """A span of time as it is written here: 15m, 6h, 1d, 2w; raises ValueError."""
    match = _SPAN.match(text.strip())
    if not match:
        raise ValueError(f"{text!r} is no span of time; write 15m, 6h, 1d or 2w")
    found = timedelta(seconds=int(match[1]) * _SECONDS[match[2]])
    if not least <= found <= timedelta(days=3_660):
        raise ValueError(f"{text!r}: a span is {least.total_seconds():.0f} seconds at least, and ten years at most")
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
        return f"cron {watch.cron}"
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


def _options(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("`options` is a table: [watch.options]")  # noqa: TRY004 - one error for whatever is wrong
    for name in value:
        if name not in OPTIONS:
            raise ValueError(f"`options.{name}` is no option of a watch; known are {', '.join(sorted(OPTIONS))}")
    return dict(value)


# Changes by command


def add(path: Path, table: Mapping[str, Any]) -> Watch:
    """Append a watch, by the keys of its table; what is there stays as it is. Raises WatchError."""
    import tomlkit

    before = _document(path).as_string()
    entry = tomlkit.dumps({"watch": [dict(table)]})
    _write(path, f"{before.rstrip()}\n\n{entry}")
    return load(path)[-1]


def remove(path: Path, urls: Iterable[str]) -> list[str]:
    """Take watches out, by URL or name; returns those that were there. Raises WatchError."""
    document = _document(path)
    tables = document.get("watch", [])
    wanted, found = set(urls), []
    for number in reversed(range(len(tables))):
        if named := _named(tables[number]) & wanted:
            found += sorted(named)
            del tables[number]
    if found:
        _write(path, document.as_string())
    return found


def pause(path: Path, urls: Iterable[str], *, paused: bool) -> list[str]:
    """Let watches rest, or go on, by URL or name; returns those that were there. Raises WatchError."""
    document = _document(path)
    wanted, found = set(urls), []
    for table in document.get("watch", []):
        if named := _named(table) & wanted:
            found += sorted(named)
            if paused:
                table["paused"] = True
            else:
                table.pop("paused", None)
    if found:
        _write(path, document.as_string())
    return found


def _named(table: Mapping[str, Any]) -> set[str]:
    return {str(table[name]) for name in (*SOURCES, "name") if name in table}


def _document(path: Path) -> TOMLDocument:
    import tomlkit

    load(path)  # what cannot be understood is not changed
    return tomlkit.parse(path.read_text("utf-8") if path.exists() else _HEAD)


def _write(path: Path, text: str) -> None:
    """Replace the file by one that is whole and can be understood, under the rights it had."""
    parsed(text, str(path))
    place = Path(os.path.realpath(path))
    part = place.with_name(f".{place.name}-{secrets.token_hex(4)}.part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8") as file:
            if place.exists():
                os.fchmod(file.fileno(), place.stat().st_mode & 0o7777)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(place)
    except OSError as error:
        raise WatchError(f"the watch list {path} cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
