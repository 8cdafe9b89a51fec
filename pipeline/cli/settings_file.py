"""Settings from the TOML file and from ONRECORD_* variables."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from pipeline.cli.paths import config_file

# The settings a TOML file may hold, by table: each is the long option of that name.
SETTINGS: Mapping[str, frozenset[str]] = {
    "": frozenset({"log_file", "log_format", "read_back", "signing_key", "store", "trusted_keys", "watches"}),
    "alerts": frozenset({"command", "healthcheck", "mail", "metrics", "ntfy", "slack", "webhook"}),
    "also": frozenset({"wayback_keys_file", "wayback_server"}),
    "capture": frozenset(
        {
            "allow_private", "browser", "concurrency", "connections", "consent", "cookies", "credentials", "deadline",
            "delay", "depth", "embeds", "exclude", "expand", "include", "insecure", "keep_tracking", "limit",
            "linked_pdfs", "logins", "low_speed", "low_speed_time", "max_not_modified", "max_not_modified_days",
            "max_size", "operator", "page_limit", "pdf", "proxy", "requisites", "robots", "scope", "settle", "timeout",
            "user_agent", "workers",
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


def read_variables() -> dict[tuple[str, str], str]:
    """Return the variables that are set, by the table and the name of the setting."""
    settings = [(table, name) for table, names in SETTINGS.items() for name in names - _ONLY_TABLES]
    known = {f"ONRECORD_{name.upper()}": (table, name) for table, name in settings}
    found: dict[tuple[str, str], str] = {}
    for variable, value in os.environ.items():
        if variable in known:
            found[known[variable]] = value
        elif variable.startswith("ONRECORD_") and variable not in _OTHER_VARIABLES:
            raise click.UsageError(f"{variable} is no setting; {_meant(variable, known)}")
    return found


def read_settings(explicit: Path | None) -> dict[str, dict[str, Any]]:
    """Return the settings of a TOML file by table; raises click.UsageError."""
    path = explicit or config_file()
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
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
    """Return the names that one is like, or all of them."""
    from difflib import get_close_matches  # only where something is wrong: it has to be fast where nothing is

    known = sorted(known)
    near = get_close_matches(name, known, n=2, cutoff=0.75)
    return f"perhaps {' or '.join(near)}" if near else f"known are {', '.join(known)}"


def _names() -> Iterator[str]:
    for where, names in SETTINGS.items():
        yield from (f"{where}.{name}" if where else name for name in sorted(names))
