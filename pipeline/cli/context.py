"""What every command is given: the settings, where output goes, and the archive, opened when it is asked for."""

from __future__ import annotations

import io
import logging
import os
import secrets
import stat
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.output import Terminal, plain

if TYPE_CHECKING:
    from archive.archive import Archive

# The settings a TOML file may hold, by table: each is the long option of that name.
SETTINGS: Mapping[str, frozenset[str]] = {
    "": frozenset({"store"}),
    "capture": frozenset(
        {
            "allow_private", "browser", "concurrency", "connections", "deadline", "delay", "depth", "embeds",
            "exclude", "include", "insecure", "limit", "linked_pdfs", "max_size", "operator", "page_limit",
            "requisites", "robots", "scope", "settle", "timeout", "user_agent", "workers",
        }
    ),
}  # fmt: skip
_OTHER_VARIABLES = {"ONRECORD_CHROMIUM", "ONRECORD_CONFIG"}


_KEPT_BLOCKS = 256 << 20  # bytes of a bucket's index kept on this machine

_STDOUT = {"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}


class _PlainLines(logging.Formatter):
    """Warnings in one line each: what they quote may come from a hostile store."""

    def format(self, record: logging.LogRecord) -> str:
        return plain(" ".join(super().format(record).split()))


@dataclass
class Context:
    """One invocation's settings."""

    store: str
    as_json: bool
    verbosity: int
    defaults: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def load(cls, *, store: str | None, config: Path | None, verbosity: int, as_json: bool) -> Context:
        """Settings by rank: flags, then ONRECORD_* variables, then the TOML file, then defaults.

        Raises click.UsageError for a key that no command knows.
        """
        variables = _environment()
        explicit = config or (Path(os.environ["ONRECORD_CONFIG"]) if os.environ.get("ONRECORD_CONFIG") else None)
        tables = _read(explicit)
        defaults = {name: dict(table) for name, table in tables.items() if name}
        for name, value in variables.items():
            if name != "store":
                defaults.setdefault("capture", {})[name] = value
        chosen = store or variables.get("store") or tables.get("", {}).get("store") or str(_data_folder() / "store")
        handler = logging.StreamHandler()
        handler.setFormatter(_PlainLines("onrecord: %(message)s"))
        level = [logging.ERROR, logging.WARNING, logging.INFO, logging.DEBUG][min(verbosity, 2) + 1]
        logging.basicConfig(level=level, handlers=[handler])
        if isinstance(sys.stdout, io.TextIOWrapper):  # a title that this terminal cannot show ends no command
            sys.stdout.reconfigure(errors="backslashreplace")
        for noisy in ("botocore", "boto3", "urllib3", "s3transfer", "trafilatura", "htmldate"):
            logging.getLogger(noisy).setLevel(logging.ERROR)
        return cls(str(chosen), as_json, verbosity, defaults)

    @property
    def quiet(self) -> bool:
        """Whether nothing but errors is wanted."""
        return self.verbosity < 0

    def open_archive(self) -> Archive:
        """The archive that the settings name; raises LocationError."""
        from archive.archive import Archive
        from storage.location import open_store

        store = open_store(self.store)
        remote = store.url.startswith("s3:")
        return Archive(
            store, spool=spool_folder(), cache=cache_folder(store.url), kept_blocks=_KEPT_BLOCKS if remote else 0
        )

    def cache_file(self, name: str) -> Path:
        """A file of this machine's own that is about the store, and can be lost."""
        from storage.location import open_store

        return cache_folder(open_store(self.store).url) / name

    def say(self, message: str) -> None:
        """A line for people, on stderr."""
        if not self.quiet:
            click.echo(f"onrecord: {message}", err=True)


def spool_folder() -> Path:
    """Where runs lie while they are written."""
    import platformdirs

    return Path(platformdirs.user_state_dir("onrecord")) / "spool"


def cache_folder(store_url: str) -> Path:
    """Where what never changes in a store is kept at hand."""
    import hashlib

    import platformdirs

    return Path(platformdirs.user_cache_dir("onrecord")) / hashlib.sha256(store_url.encode()).hexdigest()[:16]


def config_file() -> Path:
    """Where settings are looked for unless --config names a file."""
    import platformdirs

    return Path(platformdirs.user_config_dir("onrecord")) / "config.toml"


def _data_folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir("onrecord"))


def _environment() -> dict[str, str]:
    known = {f"ONRECORD_{name.upper()}": name for names in SETTINGS.values() for name in names}
    found: dict[str, str] = {}
    for variable, value in os.environ.items():
        if variable in known:
            found[known[variable]] = value
        elif variable.startswith("ONRECORD_") and variable not in _OTHER_VARIABLES:
            raise click.UsageError(f"{variable} is no setting; known are {', '.join(sorted(known))}")
    return found


def _read(explicit: Path | None) -> dict[str, dict[str, Any]]:
    path = explicit or config_file()
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if explicit is None:
            return {}
        raise click.UsageError(f"no configuration file {path}") from None
    except (OSError, ValueError) as error:
        raise click.UsageError(f"{path} cannot be read: {error}") from error
    tables: dict[str, dict[str, Any]] = {"": {}}
    for name, value in data.items():
        if isinstance(value, dict):
            tables[name] = value
        else:
            tables[""][name] = value
    for where, table in tables.items():
        for name in table:
            if name not in SETTINGS.get(where, frozenset()):
                full = f"{where}.{name}" if where else name
                raise click.UsageError(f"{path}: {full} is no setting; known are {', '.join(_names())}")
    return tables


def _names() -> Iterator[str]:
    for where, names in SETTINGS.items():
        yield from (f"{where}.{name}" if where else name for name in sorted(names))


@contextmanager
def to_file(path: Path | None) -> Iterator[Any]:
    """A binary stream to a file that appears whole or not at all, to a pipe or device, or to stdout.

    What goes to a terminal is text, and what would steer the terminal is left out.
    """
    if path is None or str(path) in _STDOUT:
        yield Terminal(sys.stdout.buffer) if sys.stdout.isatty() else sys.stdout.buffer
        return
    try:
        mode = path.stat().st_mode if path.exists() else None
        if mode is not None and not stat.S_ISREG(mode):  # a device is written to, not replaced by a file
            with path.open("wb") as device:
                yield device
            return
        with _whole(Path(os.path.realpath(path)), mode) as file:
            yield file
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}") from error


@contextmanager
def _whole(path: Path, mode: int | None) -> Iterator[Any]:
    """A file that is put in its place once it is whole, under the rights of the one it replaces."""
    part = path.with_name(f".onrecord-{secrets.token_hex(8)}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor: no file that was there is opened
            if mode is not None:
                os.fchmod(descriptor, stat.S_IMODE(mode))
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
