"""What every command is given: the settings, where output goes, and the archive, opened when it is asked for."""

from __future__ import annotations

import io
import logging
import os
import secrets
import stat
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.output import Terminal, plain
from pipeline.cli.setting_values import address, flag

if TYPE_CHECKING:
    from archive.archive import Archive
    from archive.crypto.signed_note import PublicKey
    from archive.runs.known_stores import KnownStores
    from archive.verify.history import Readings
    from pipeline.ingest.timestamping import EvidenceSettings
    from storage.base import ObjectStore

# The settings a TOML file may hold, by table: each is the long option of that name.
SETTINGS: Mapping[str, frozenset[str]] = {
    "": frozenset({"log_file", "log_format", "read_back", "signing_key", "store", "trusted_keys", "watches"}),
    "alerts": frozenset({"command", "healthcheck", "mail", "metrics", "ntfy", "slack", "webhook"}),
    "capture": frozenset(
        {
            "allow_private", "browser", "concurrency", "connections", "credentials", "deadline", "delay", "depth",
            "embeds", "exclude", "include", "insecure", "limit", "linked_pdfs", "max_size", "operator", "page_limit",
            "requisites", "robots", "scope", "settle", "timeout", "user_agent", "workers",
        }
    ),
    "evidence": frozenset({"authorities", "roots", "sign"}),
    "run": frozenset({"time_limit"}),
}  # fmt: skip
_OTHER_VARIABLES = {
    "ONRECORD_CHROMIUM", "ONRECORD_CONFIG",
    "ONRECORD_NTFY_TOKEN", "ONRECORD_SLACK_URL", "ONRECORD_SMTP_PASSWORD", "ONRECORD_WEBHOOK_SECRET",
}  # fmt: skip
_ONLY_TABLES = {"command", "mail", "ntfy", "slack", "webhook"}  # of [alerts]: no variable can hold them


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
    config: Path | None = None  # the file that was named, by flag or variable
    watches: str | None = None  # the watch list that is named, by variable or setting
    key: str | None = None  # the file of the signing key that is named, by variable or setting
    read_back: bool = True  # whether a run is read back from its store before its local copy goes
    trusted: tuple[str, ...] = ()  # public keys of others whose signatures are believed
    store_id: str | None = None  # the archive that the store must hold
    new_store: bool = False  # whether the store may hold another archive than before, or none

    @classmethod
    def load(
        cls, *, store: str | None, config: Path | None, verbosity: int, as_json: bool, log_json: bool = False
    ) -> Context:
        """Settings by rank: flags, then ONRECORD_* variables, then the TOML file, then defaults.

        Raises click.UsageError for a key that no command knows.
        """
        variables = _environment()
        explicit = config or (Path(os.environ["ONRECORD_CONFIG"]) if os.environ.get("ONRECORD_CONFIG") else None)
        tables = _read(explicit)
        defaults = {name: dict(table) for name, table in tables.items() if name}
        for (table, name), value in variables.items():
            if table:
                defaults.setdefault(table, {})[name] = value
        listed = tables.get("", {}).get("store")
        chosen = store or variables.get(("", "store")) or address(listed) or str(_data_folder() / "store")
        top = tables.get("", {})
        form = variables.get(("", "log_format")) or top.get("log_format") or "text"
        if form not in {"json", "text"}:
            raise click.UsageError('log_format is "text" or "json"')
        file = variables.get(("", "log_file")) or top.get("log_file")
        _set_up_logs(verbosity, as_json=log_json or form == "json", file=str(file) if file else None)
        if isinstance(sys.stdout, io.TextIOWrapper):  # a title that this terminal cannot show ends no command
            sys.stdout.reconfigure(errors="backslashreplace")
        for noisy in ("botocore", "boto3", "urllib3", "s3transfer", "trafilatura", "htmldate"):
            logging.getLogger(noisy).setLevel(logging.ERROR)
        watches, key = (variables.get(("", name)) or top.get(name) for name in ("watches", "signing_key"))
        named = [str(value) if value else None for value in (watches, key)]
        read_back = flag("read_back", variables.get(("", "read_back")), top.get("read_back"))
        trusted = variables.get(("", "trusted_keys")) or top.get("trusted_keys") or ()
        others = tuple(trusted.split() if isinstance(trusted, str) else map(str, trusted))
        return cls(str(chosen), as_json, verbosity, defaults, explicit, named[0], named[1], read_back, others)

    @property
    def quiet(self) -> bool:
        """Whether nothing but errors is wanted."""
        return self.verbosity < 0

    def open_archive(self, *, withheld: bool = False, look: bool = True) -> Archive:
        """The archive that the settings name; with `withheld`, its rules passed over.

        With `look` it is looked whether the store holds the archive that it held before, in a layout that is known.
        Raises LocationError, StoreChanged, FormatError. A store that is out of reach or damaged is no error yet.
        """
        from archive.errors import IntegrityError
        from archive.runs.known_stores import StoreChanged
        from storage.errors import StoreError
        from storage.location import open_store
        from storage.mirror import members

        archive = self.archive_at(open_store(self.store))
        try:
            first, *copies = members(archive.store)
            if look and copies:  # what one lacks is read from another
                archive.known.check_any((first, *copies))
            elif look:
                archive.known.look(first)
        except StoreChanged:
            raise
        except (StoreError, IntegrityError):  # what the command asks next says so, or another member answers
            pass
        return archive.unrestricted() if withheld else archive

    def archive_at(self, store: ObjectStore) -> Archive:
        """The archive in a store: the one that the settings name, a member of it, or a copy."""
        from archive.archive import Archive
        from storage.mirror import members

        remote = members(store)[0].url.startswith("s3:")
        return Archive(
            store,
            spool=spool_folder(),
            cache=cache_folder(store.url),
            kept_blocks=_KEPT_BLOCKS if remote else 0,
            read_back=self.read_back,
            known=self.known_stores(),
        )

    def known_stores(self) -> KnownStores:
        """Which archive each store held when this machine last used it."""
        import platformdirs

        from archive.runs.known_stores import KnownStores

        folder = Path(platformdirs.user_state_dir("onrecord")) / "stores"
        return KnownStores(folder, expected=self.store_id, anew=self.new_store)

    def cache_file(self, name: str) -> Path:
        """A file of this machine's own that is about the store, and can be lost."""
        from storage.location import open_store

        return cache_folder(open_store(self.store).url) / name

    @property
    def alerts(self) -> Mapping[str, Any]:
        """The table [alerts], for `pipeline.alerts.settings` to understand."""
        return self.defaults.get("alerts", {})

    def metrics_file(self) -> Path | None:
        """Where metrics of a run go, if anywhere."""
        value = self.alerts.get("metrics")
        if value is not None and not isinstance(value, str):
            raise click.UsageError('alerts.metrics is a path: write metrics = "/var/lib/.../onrecord.prom"')
        return Path(value).expanduser() if value else None

    def watch_list(self) -> Path:
        """The file of watches."""
        return Path(self.watches).expanduser() if self.watches else config_file().with_name("watches.toml")

    def signing_key(self) -> Path:
        """The file of the private key by which this machine signs."""
        return Path(self.key).expanduser() if self.key else config_file().with_name("signing-key")

    def evidence(self) -> EvidenceSettings:
        """The table [evidence], and what it goes with; raises click.UsageError."""
        from pipeline.ingest.timestamping import EvidenceSettings

        table = self.defaults.get("evidence", {})
        sign, roots, authorities = table.get("sign", False), table.get("roots"), table.get("authorities", ())
        if isinstance(authorities, str):  # of a variable
            authorities = authorities.split()
        sign = {"true": True, "1": True, "false": False, "0": False, "": False}.get(str(sign).lower())
        if sign is None or not isinstance(roots, str | None) or not _are_texts(authorities):
            raise click.UsageError(
                "[evidence] has sign = true or false, authorities = a list of addresses, and roots = a path"
            )
        try:
            return EvidenceSettings(
                self.signing_key(),
                self.last_checkpoint(),
                sign,
                tuple(authorities),
                Path(roots).expanduser() if roots else None,
            )
        except ValueError as error:
            raise click.UsageError(f"evidence.authorities: {error}") from error

    def last_checkpoint(self) -> Path:
        """Where this machine keeps the checkpoint of the store that it signed last."""
        return self._state("evidence") / "checkpoint"

    def known_keys(self) -> list[PublicKey]:
        """The keys whose signatures are believed, this machine's own and those trusted; raises KeyFileError."""
        from archive.crypto.signed_note import PublicKey, Signer

        own = [Signer.load(self.signing_key()).public] if self.signing_key().exists() else []
        return own + [PublicKey.parse(text) for text in self.trusted]

    def state_folder(self) -> Path:
        """Where this machine keeps what it knows of the watches of the store."""
        return self._state("watch")

    def readings(self, store: ObjectStore) -> Readings:
        """What this machine remembers of when a store's runs were read whole; the caller closes it."""
        import platformdirs

        from archive.verify.history import Readings

        name = cache_folder(store.url).name
        return Readings(Path(platformdirs.user_state_dir("onrecord")) / "verify" / f"{name}.db")

    def outbox_folder(self) -> Path:
        """Where this machine's alerts about the store wait until they are sent."""
        return self._state("outbox")

    def _state(self, kind: str) -> Path:
        """A folder of this machine's own that is about the store, and is to be kept."""
        import platformdirs

        from storage.location import open_store

        name = cache_folder(open_store(self.store).url).name
        return Path(platformdirs.user_state_dir("onrecord")) / kind / name

    def say(self, message: str) -> None:
        """A line for people, on stderr."""
        if not self.quiet:
            click.echo(f"onrecord: {message}", err=True)
        to_log_file(message, logging.INFO)


def _are_texts(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)


def _set_up_logs(verbosity: int, *, as_json: bool, file: str | None) -> None:
    """Warnings in plain lines on stderr, or in JSON with all else that is said there; and the log file, if any."""
    level = [logging.ERROR, logging.WARNING, logging.INFO, logging.DEBUG][min(verbosity, 2) + 1]
    said = logging.StreamHandler()
    said.setFormatter(_PlainLines("onrecord: %(message)s"))
    said.setLevel(level)
    handlers: list[logging.Handler] = [said]
    if as_json or file:
        from pipeline.monitoring.json_log import JsonLines, Lines, log_file

        if as_json:
            said.setFormatter(JsonLines())
            sys.stderr = Lines(sys.stderr)
        if file:
            handlers.append(log_file(file))
    logging.basicConfig(level=min(level, logging.INFO) if file else level, handlers=handlers)


def to_log_file(message: str, level: int) -> None:
    """A line for the log file, if there is one, of what was said on stderr."""
    entry = {"name": "onrecord", "msg": message, "levelno": level, "levelname": logging.getLevelName(level)}
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.FileHandler):
            handler.handle(logging.makeLogRecord(entry))


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


def _environment() -> dict[tuple[str, str], str]:
    """The variables that are set, by the table and the name of the setting."""
    settings = [(table, name) for table, names in SETTINGS.items() for name in names - _ONLY_TABLES]
    known = {f"ONRECORD_{name.upper()}": (table, name) for table, name in settings}
    found: dict[tuple[str, str], str] = {}
    for variable, value in os.environ.items():
        if variable in known:
            found[known[variable]] = value
        elif variable.startswith("ONRECORD_") and variable not in _OTHER_VARIABLES:
            raise click.UsageError(f"{variable} is no setting; {_meant(variable, known)}")
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
        reason = error.strerror if isinstance(error, OSError) else error
        raise click.UsageError(f"{path} cannot be read: {reason}") from error
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
                raise click.UsageError(f"{path}: {full} is no setting; {_meant(full, _names())}")
    return tables


def _meant(name: str, known: Iterable[str]) -> str:
    """The names that one is like, or all of them."""
    from difflib import get_close_matches  # only where something is wrong: it has to be fast where nothing is

    known = sorted(known)
    near = get_close_matches(name, known, n=2, cutoff=0.75)
    return f"perhaps {' or '.join(near)}" if near else f"known are {', '.join(known)}"


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
