"""Changes of the watch list by command: comments and whatever else is in the file stay as they are."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.watch.watch_list import SOURCES, Watch, WatchError, load, parsed, watch_of
from storage.private import private_folder

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

_WRITTEN_BY_OTHERS = 0o022  # rights to change a file that a list does not begin with
_HEAD = """\
# What onrecord captures again and again. Edit it as you like: comments and order stay.
# A watch is a page, a feed, a sitemap or a site. It is due `every` so often ("15m", "6h", "1d"), at the times of a
# `cron` expression (UTC, or in its `zone`), or, a page with `decay = true`, at growing distances after it was found.
# `stores` names the archives that the list is meant for: a run for another one says so.
"""


def add(path: Path, table: Mapping[str, Any], store: str | None = None) -> Watch:
    """Append a watch, by the keys of its table; what is there stays as it is. Raises WatchError.

    A new list says that it is meant for `store`.
    """
    import tomlkit

    try:
        made = watch_of(dict(table))
    except ValueError as error:
        raise WatchError(str(error)) from error
    with _alone(path):
        if made.key in {watch.key for watch in load(path)}:
            raise WatchError(f"{made.url} is watched already; to change how, edit {path}")
        entry = tomlkit.dumps({"watch": [dict(table)]})
        if store is not None and not path.exists():
            entry = f"{tomlkit.dumps({'stores': [store]})}\n{entry}"
        _write(path, f"{_document(path).as_string().rstrip()}\n\n{entry}")
    return made


def add_listed(
    path: Path, tables: Iterable[Mapping[str, Any]], store: str | None = None
) -> tuple[list[Watch], list[str], list[str]]:
    """Append the watches of a list in one write; raises WatchError. A new list says that it is meant for `store`.

    Returns those that were added, the URLs that were watched already, and what is wrong with each that is left out.
    """
    import tomlkit

    made: list[Watch] = []
    already: list[str] = []
    wrong: list[str] = []
    with _alone(path):
        known = {watch.key for watch in load(path)}
        entries: list[dict[str, Any]] = []
        for table in tables:
            try:
                watch = watch_of(dict(table))
            except ValueError as error:
                wrong.append(str(error))
                continue
            if watch.key in known:
                already.append(watch.url)
                continue
            known.add(watch.key)
            made.append(watch)
            entries.append(dict(table))
        if entries:
            text = "\n".join(tomlkit.dumps({"watch": [entry]}) for entry in entries)
            if store is not None and not path.exists():
                text = f"{tomlkit.dumps({'stores': [store]})}\n{text}"
            _write(path, f"{_document(path).as_string().rstrip()}\n\n{text}")
    return made, already, wrong


def remove(path: Path, urls: Iterable[str]) -> list[str]:
    """Take watches out, by URL or name; returns those that were there. Raises WatchError."""
    with _alone(path):
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
    with _alone(path):
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


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One command at a time changes the list, or one of two changes would be lost."""
    folder = Path(os.path.realpath(path)).parent
    try:
        private_folder(folder, may_be_shared=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise WatchError(f"the watch list {path} cannot be written: {error.strerror or error}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


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
        with part.open("w", encoding="utf-8") as file:
            mode = (place if place.exists() else part).stat().st_mode & 0o7777
            os.fchmod(file.fileno(), mode if place.exists() else mode & ~_WRITTEN_BY_OTHERS)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(place)
    except OSError as error:
        raise WatchError(f"the watch list {path} cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
