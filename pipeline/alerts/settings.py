"""The table [alerts] of the settings, as channels. Whatever is wrong with it is said before anything is captured."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.alerts.channel import AlertSettingsError, Channel, Rules, Sender
from pipeline.alerts.event import KINDS
from pipeline.outbound.errors import DeliveryError

KINDS_OF_CHANNEL = ("mail", "webhook", "ntfy", "slack", "command")
# Secrets that may come from the environment: the channel, its key, and the variable.
VARIABLES = {
    ("mail", "password"): "ONRECORD_SMTP_PASSWORD",
    ("webhook", "secret"): "ONRECORD_WEBHOOK_SECRET",
    ("ntfy", "token"): "ONRECORD_NTFY_TOKEN",
    ("slack", "url"): "ONRECORD_SLACK_URL",
}
_RULES = {"name", "kinds", "tags", "digest", "digest_at", "timeout"}
_KEYS = {
    "mail": {"to", "from", "host", "port", "security", "user", "password", "password_file"},
    "webhook": {"url", "url_file", "secret", "secret_file"},
    "ntfy": {"url", "url_file", "token", "token_file", "priority"},
    "slack": {"url", "url_file"},
    "command": {"argv"},
}
_LIMITS = {"mail": 1000, "webhook": 200, "ntfy": 1000, "slack": 1000, "command": 1000}  # events a message
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+\Z")
_HOST = re.compile(r"[A-Za-z0-9.:-]+\Z")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\Z")

Secret = Callable[[], str]


def load_channels(settings: Mapping[str, Any]) -> list[Channel]:
    """Return the channels that the table [alerts] names, in its order.

    Raises AlertSettingsError, never with a secret in it.

    A channel is a table `[alerts.mail]`, or several `[[alerts.mail]]`. Files and variables that hold secrets are read
    when a message is sent: one that is missing then keeps alerts waiting, and no capture.
    """
    channels = [_channel(table) for table in tables(settings)]
    names = [channel.name for channel in channels]
    for name in names:
        if names.count(name) > 1:
            raise AlertSettingsError(f"two alert channels are named {name!r}: give each a name of its own")
    return channels


def tables(settings: Mapping[str, Any]) -> Iterator[Table]:
    """Each channel's table; raises AlertSettingsError for what is no table."""
    for kind in KINDS_OF_CHANNEL:
        found = settings.get(kind, [])
        for number, table in enumerate(found if isinstance(found, list) else [found], 1):
            if not isinstance(table, dict):
                raise AlertSettingsError(f"alerts.{kind} is no table: write [alerts.{kind}]")
            yield Table(kind, number, table)


class Table:
    """One channel's settings, each checked as it is taken."""

    def __init__(self, kind: str, number: int, table: Mapping[str, Any]) -> None:
        self.kind = kind
        self.where = f"alerts.{kind}"
        self._table = table
        for key in table:
            if key not in _KEYS[kind] | _RULES:
                known = ", ".join(sorted(_KEYS[kind] | _RULES))
                raise AlertSettingsError(f"{self.where}.{key} is no setting; known are {known}")
        self.name = self.text("name") or (kind if number == 1 else f"{kind}-{number}")

    def wrong(self, key: str, wanted: str) -> AlertSettingsError:
        """Return what to raise for a value; it is not repeated, for it may be a secret."""
        return AlertSettingsError(f"{self.where}.{key} cannot be understood: write {wanted}")

    def text(self, key: str) -> str | None:
        """Return a text without controls, or None if it is not set."""
        value = self._table.get(key)
        if value is not None and (not isinstance(value, str) or not value or not value.isprintable()):
            raise self.wrong(key, "one line of text")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts, or one."""
        value = self._table.get(key, [])
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not all(isinstance(each, str) and each.isprintable() for each in values):
            raise self.wrong(key, "a list of texts")
        return tuple(values)

    def number(self, key: str, least: int, most: int) -> int | None:
        """Return a whole number between two, or None."""
        value = self._table.get(key)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most):
            raise self.wrong(key, f"a number from {least} to {most}")
        return value

    def one_of(self, key: str, known: tuple[str, ...]) -> str | None:
        """One of the words, or None."""
        value = self.text(key)
        if value is not None and value not in known:
            raise self.wrong(key, f"one of {', '.join(known)}")
        return value

    def secret(self, key: str) -> Secret | None:
        """Where a secret is to be had: from the file, the variable, or the settings themselves; None where nowhere."""
        path, variable = (
            self.text(f"{key}_file") if f"{key}_file" in _KEYS[self.kind] else None,
            VARIABLES.get((self.kind, key)),
        )
        if path is not None:
            return lambda: _from_file(Path(path).expanduser())
        value = self.text(key)
        if value is not None:
            return lambda: value
        if variable is not None and os.environ.get(variable):
            return lambda: os.environ.get(variable, "")
        return None


def _channel(table: Table) -> Channel:
    sender = _SENDERS[table.kind](table)
    return Channel(table.name, sender, _rules(table))


def _rules(table: Table) -> Rules:
    kinds = table.texts("kinds")
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise table.wrong("kinds", f"some of {', '.join(KINDS)}")
    at = table.text("digest_at") or "07:00"
    match = _TIME.match(at)
    if not match:
        raise table.wrong("digest_at", 'a time UTC such as "07:00"')
    digest = table.one_of("digest", ("each", "run", "daily")) or "run"
    minutes = int(match[1]) * 60 + int(match[2])
    return Rules(frozenset(kinds), frozenset(table.texts("tags")), digest, minutes, _LIMITS[table.kind])


def _timeout(table: Table, default: float) -> float:
    return float(table.number("timeout", 1, 600) or default)


def _mail(table: Table) -> Sender:
    from pipeline.alerts import mail

    to = table.texts("to")
    sender = table.text("from") or (to[0] if to else "")
    if not to or not all(_ADDRESS.match(each) for each in (*to, sender)):
        raise table.wrong("to", 'addresses such as ["ida@example.org"], and one in `from`')
    host = table.text("host") or "localhost"
    if not _HOST.match(host):
        raise table.wrong("host", "the mail server's name")
    default = "none" if host in _LOOPBACK else "starttls"
    security = table.one_of("security", tuple(mail.PORTS)) or default
    if security == "none" and host not in _LOOPBACK:
        raise table.wrong("security", '"starttls" or "ssl": without them mail goes to this machine only')
    user, password = table.text("user"), table.secret("password")
    if user and password is None:
        raise table.wrong("user", "also password_file, or set ONRECORD_SMTP_PASSWORD")
    port = table.number("port", 1, 65535) or mail.PORTS[security]
    return mail.Mail(to, sender, host, port, security, user, password, _timeout(table, mail.TIMEOUT))


def _url(table: Table) -> Secret:
    from pipeline.outbound.http import address

    url = table.secret("url")
    if url is None:
        raise table.wrong("url", "the address to post to, or url_file")
    if table.text("url_file") is None:
        try:
            address(url())
        except ValueError as error:
            raise AlertSettingsError(f"{table.where}.url cannot be used: {error}") from None
    return url


def _webhook(table: Table) -> Sender:
    from pipeline.alerts import webhook
    from pipeline.outbound import http

    return webhook.Webhook(_url(table), table.secret("secret"), _timeout(table, http.TIMEOUT))


def _ntfy(table: Table) -> Sender:
    from pipeline.alerts import webhook
    from pipeline.outbound import http

    priority = table.number("priority", 1, 5)
    return webhook.Ntfy(_url(table), table.secret("token"), priority, _timeout(table, http.TIMEOUT))


def _slack(table: Table) -> Sender:
    from pipeline.alerts import webhook
    from pipeline.outbound import http

    return webhook.Slack(_url(table), _timeout(table, http.TIMEOUT))


def _command(table: Table) -> Sender:
    from pipeline.alerts import command

    argv = table.texts("argv")
    if not argv or not argv[0]:
        raise table.wrong("argv", 'the program and its arguments: ["/usr/local/bin/tell", "--loud"]')
    program = str(Path(argv[0]).expanduser())
    return command.Command((program, *argv[1:]), _timeout(table, command.TIMEOUT))


_SENDERS: Mapping[str, Callable[[Table], Sender]] = {
    "mail": _mail,
    "webhook": _webhook,
    "ntfy": _ntfy,
    "slack": _slack,
    "command": _command,
}


def _from_file(path: Path) -> str:
    """Return the first line of a file; raises DeliveryError."""
    try:
        value = path.read_text("utf-8").partition("\n")[0].strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise DeliveryError(f"{path} cannot be read: {reason}", permanent=True) from None
    if not value:
        raise DeliveryError(f"{path} is empty", permanent=True)
    return value
