"""What every command is given: the settings, where output goes, and the archive, opened when it is asked for."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.logs import set_up_logs, to_log_file
from pipeline.cli.paths import cache_folder, config_file, data_folder, state_folder, tighten_folders
from pipeline.cli.setting_values import address, flag
from pipeline.cli.settings_file import read_settings, read_variables
from pipeline.outbound import ways

if TYPE_CHECKING:
    from archive.archive import Archive, Reader
    from archive.crypto import PublicKey, Signer
    from archive.runs import KnownStores
    from archive.verify import Readings
    from pipeline.ingest.timestamping import EvidenceSettings
    from pipeline.web.write.tokens import Tokens
    from storage.base import ObjectStore


_KEPT_BLOCKS = 256 << 20  # bytes of a bucket's index kept on this machine


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
    given: Mapping[str, Any] = field(default_factory=dict)  # the flags that it was loaded with

    @classmethod
    def load(
        cls, *, store: str | None, config: Path | None, verbosity: int, as_json: bool, log_json: bool = False
    ) -> Context:
        """Load settings by rank: flags, then ONRECORD_* variables, then the TOML file, then defaults.

        Raises click.UsageError for a key that no command knows.
        """
        variables = read_variables()
        explicit = config or (Path(os.environ["ONRECORD_CONFIG"]) if os.environ.get("ONRECORD_CONFIG") else None)
        tables = read_settings(explicit)
        defaults = {name: dict(table) for name, table in tables.items() if name}
        for (table, name), value in variables.items():
            if table:
                defaults.setdefault(table, {})[name] = value
        listed = tables.get("", {}).get("store")
        chosen = store or variables.get(("", "store")) or address(listed) or str(data_folder() / "store")
        top = tables.get("", {})
        form = variables.get(("", "log_format")) or top.get("log_format") or "text"
        if form not in {"json", "text"}:
            raise click.UsageError('log_format is "text" or "json"')
        file = variables.get(("", "log_file")) or top.get("log_file")
        set_up_logs(verbosity, as_json=log_json or form == "json", file=str(file) if file else None)
        if isinstance(sys.stdout, io.TextIOWrapper):  # a title that this terminal cannot show ends no command
            sys.stdout.reconfigure(errors="backslashreplace")
        for noisy in ("botocore", "boto3", "urllib3", "s3transfer"):
            logging.getLogger(noisy).setLevel(logging.ERROR)
        watches, key = (variables.get(("", name)) or top.get(name) for name in ("watches", "signing_key"))
        named = [str(value) if value else None for value in (watches, key)]
        read_back = flag("read_back", variables.get(("", "read_back")), top.get("read_back"))
        trusted = variables.get(("", "trusted_keys")) or top.get("trusted_keys") or ()
        others = tuple(trusted.split() if isinstance(trusted, str) else map(str, trusted))
        made = cls(str(chosen), as_json, verbosity, defaults, explicit, named[0], named[1], read_back, others)
        proxy = defaults.get("capture", {}).get("proxy")
        ways.chosen = str(proxy) if proxy else None
        made.given = {
            "store": store, "config": config, "verbosity": verbosity, "as_json": as_json, "log_json": log_json
        }  # fmt: skip
        return made

    def again(self, **given: Any) -> Context:
        """Return the context with other flags; raises as `load`."""
        made = Context.load(**{**self.given, **given})
        made.store_id, made.new_store = self.store_id, self.new_store
        return made

    @property
    def quiet(self) -> bool:
        """Whether nothing but errors is wanted."""
        return self.verbosity < 0

    @property
    def draws(self) -> bool:
        """Whether progress is shown to people."""
        return not self.quiet and not self.as_json

    def open_archive(self, *, look: bool = True) -> Archive:
        """Open the archive that the settings name.

        With `look`, check that the store holds the archive that it held before, in a layout that is known. Raises
        LocationError, StoreChanged, FormatError. A store that is out of reach or damaged is no error yet.
        """
        from archive.errors import IntegrityError
        from archive.runs import StoreChanged
        from storage.errors import StoreError
        from storage.location import open_stores

        stores = open_stores(self.store)
        archive = self.archive_at(*stores)
        keep = str(self.defaults.get("capture", {}).get("keep_tracking", "")).lower()
        archive.keeps_tracking = keep in {"true", "1", "yes", "on"}
        try:
            if look and len(stores) > 1:  # what one lacks is read from another
                archive.known.check_any(stores)
            elif look:
                archive.known.look(stores[0])
        except StoreChanged:
            raise
        except (StoreError, IntegrityError):  # the command's next question says so, or a replica answers
            pass
        return archive

    def open_reader(self, *, withheld: bool, sessions: bool = True) -> Reader:
        """Open that archive to read it; with `withheld`, its rules passed over. Raises LocationError.

        Without `sessions`, captures that were made with a reader's session are withheld.
        """
        archive = self.open_archive()
        reader: Reader = archive.unguarded() if withheld else archive
        reader.hides_sessions = not sessions
        return reader

    def archive_at(self, primary: ObjectStore, *replicas: ObjectStore) -> Archive:
        """Return the archive in some stores: those that the settings name, one of them alone, or a copy."""
        from archive.archive import Archive
        from storage.location import address_of

        tighten_folders()
        archive = Archive(
            primary,
            replicas,
            spool=state_folder() / "spool",
            cache=cache_folder(address_of((primary, *replicas))),
            kept_blocks=_KEPT_BLOCKS if primary.url.startswith("s3:") else 0,
            read_back=self.read_back,
            known=self.known_stores(),
        )
        archive.signer = self.signer
        return archive

    def known_stores(self) -> KnownStores:
        """Return what this machine remembers of which archive each store held."""
        from archive.runs import KnownStores

        return KnownStores(state_folder() / "stores", expected=self.store_id, anew=self.new_store)

    def address(self) -> str:
        """Return the archive's address as its stores write it; raises LocationError."""
        from storage.location import address_of, open_stores

        return address_of(open_stores(self.store))

    def cache_file(self, name: str) -> Path:
        """Return a file of this machine's own that is about the store, and can be lost."""
        return cache_folder(self.address()) / name

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
        """Return the file of watches."""
        return Path(self.watches).expanduser() if self.watches else config_file().with_name("watches.toml")

    def signing_key(self) -> Path:
        """Return the file of the private key by which this machine signs."""
        return Path(self.key).expanduser() if self.key else config_file().with_name("signing-key")

    def evidence(self) -> EvidenceSettings:
        """Return the table [evidence], and what it goes with; raises click.UsageError."""
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

    def signer(self) -> Signer | None:
        """Return this machine's signing key, None without one; raises KeyFileError for one that is damaged."""
        from archive.crypto import Signer

        return Signer.load(self.signing_key()) if self.signing_key().exists() else None

    def last_checkpoint(self) -> Path:
        """Where this machine keeps the checkpoint of the store that it signed last."""
        return self._state("evidence") / "checkpoint"

    def known_keys(self) -> list[PublicKey]:
        """Return the keys whose signatures are believed, this machine's own and those trusted; raises KeyFileError."""
        from archive.crypto import PublicKey, Signer

        own = [Signer.load(self.signing_key()).public] if self.signing_key().exists() else []
        return own + [PublicKey.parse(text) for text in self.trusted]

    def state_folder(self) -> Path:
        """Where this machine keeps what it knows of the watches of the store."""
        return self._state("watch")

    def readings(self, store: ObjectStore) -> Readings:
        """Return what this machine remembers of when a store's runs were read whole; the caller closes it."""
        from archive.verify import Readings
        from storage.errors import StoreUnavailable

        try:
            return Readings(state_folder() / "verify" / f"{cache_folder(store.url).name}.db")
        except StoreUnavailable as error:
            logging.getLogger("onrecord").warning("%s; when runs were read is not remembered", error)
            return Readings(None)

    def outbox_folder(self) -> Path:
        """Where this machine's alerts about the store wait until they are sent."""
        return self._state("outbox")

    def saving_folder(self) -> Path:
        """Where this machine keeps who may save pages through `serve --write`, and what waits to be saved."""
        return self._state("saving")

    def tokens(self) -> Tokens:
        """Return the tokens by which people save pages."""
        from pipeline.web.write.tokens import Tokens

        return Tokens(self.saving_folder() / "tokens.jsonl")

    def copies_folder(self) -> Path:
        """Where this machine keeps which captures of the store get a second copy elsewhere."""
        return self._state("copies")

    def interrupted_folder(self) -> Path:
        """Where this machine keeps what interrupted captures of the store had not reached."""
        return self._state("interrupted")

    def _state(self, kind: str) -> Path:
        """Return a folder of this machine's own that is about the store, and is to be kept."""
        return state_folder() / kind / cache_folder(self.address()).name

    def say(self, message: str) -> None:
        """Print a line for people, on stderr."""
        if not self.quiet:
            click.echo(f"onrecord: {message}", err=True)
        to_log_file(message, logging.INFO)


def _are_texts(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
