"""What the machine's scheduler is to start: this program, with its store and the environment that it needs."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from storage.errors import OnrecordError

# What a run reads from the environment. None of them holds a secret: these say where one is.
_NAMES = (
    "PATH", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "SSL_CERT_DIR", "SSL_CERT_FILE",
)  # fmt: skip
# By what a run reaches its store: with another value, or none, it talks to another server.
_STORE_NAME = re.compile(
    r"AWS_(?:ENDPOINT_URL(?:_[A-Z0-9_]+)?|IGNORE_CONFIGURED_ENDPOINT_URLS|CA_BUNDLE|CONFIG_FILE|SHARED_CREDENTIALS_FILE"
    r"|CREDENTIAL_FILE|DATA_PATH|LOGIN_CACHE_DIRECTORY|(?:DEFAULT_)?(?:REGION|PROFILE)|ACCOUNT_ID(?:_ENDPOINT_MODE)?"
    r"|EC2_METADATA_[A-Z0-9_]+|METADATA_SERVICE_[A-Z_]+|IMDS_USE_IPV6|ROLE_ARN|ROLE_SESSION_NAME"
    r"|WEB_IDENTITY_TOKEN_FILE|USE_(?:FIPS|DUALSTACK)_ENDPOINT|STS_REGIONAL_ENDPOINTS|S3_US_EAST_1_REGIONAL_ENDPOINT"
    r"|S3_USE_ARN_REGION|S3_DISABLE_[A-Z_]+|AUTH_SCHEME_PREFERENCE|SIGV4A_SIGNING_REGION_SET"
    r"|DISABLE_HOST_PREFIX_INJECTION|MAX_ATTEMPTS|RETRY_MODE|DEFAULTS_MODE)"
    r"|REQUESTS_CA_BUNDLE|BOTO_CONFIG"
    r"|(?:HTTPS?|ALL|NO)_PROXY|(?:https?|all|no)_proxy"
)
_IRRELEVANT = re.compile(  # to what a run does
    r"AWS_(?:PAGER|DEFAULT_OUTPUT|CLI_.*|EXECUTION_ENV|SDK_UA_APP_ID|LAMBDA_.*|SAM_.*|CSM_.*|CREDENTIAL_EXPIRATION"
    r"|REQUEST_.*|RESPONSE_.*|DISABLE_REQUEST_COMPRESSION|ENDPOINT_DISCOVERY_ENABLED)"
)
_USERINFO = re.compile(r"//[^/?#\s]*@")
_SECRETS = {
    "AWS_ACCESS_KEY_ID": "put the keys into ~/.aws/credentials and name them with AWS_PROFILE",
    "AWS_SECRET_ACCESS_KEY": "put the keys into ~/.aws/credentials and name them with AWS_PROFILE",
    "AWS_SECURITY_TOKEN": "it expires; put lasting keys into ~/.aws/credentials",
    "AWS_SESSION_TOKEN": "it expires; put lasting keys into ~/.aws/credentials",
    "ONRECORD_SMTP_PASSWORD": "use password_file in [alerts.mail]",
    "ONRECORD_WEBHOOK_SECRET": "use secret_file in [alerts.webhook]",
    "ONRECORD_NTFY_TOKEN": "use token_file in [alerts.ntfy]",
    "ONRECORD_SLACK_URL": "use url_file in [alerts.slack]",
    "ONRECORD_HEALTHCHECK": "put healthcheck into [alerts]",
}
_NOT_CARRIED = "name what it gives in ~/.aws/config or ~/.aws/credentials, and that by AWS_PROFILE"
_IN_URL = "its value holds a name and a password; use an address without them"
_PINNED = {"ONRECORD_STORE", "ONRECORD_CONFIG"}  # flags say these
_SPAN = re.compile(r"([1-9]\d{0,4})([mhd])\Z", re.ASCII)
_UNITS = {"m": 1, "h": 60, "d": 24 * 60}


class ScheduleError(OnrecordError):
    """The machine's scheduler cannot be used so; its text says what to do."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Job:
    """One command to be started again and again.

    `key` is eight hex digits that tell one store and watch list from another, `store` the archive's address.
    """

    key: str
    store: str
    argv: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()


def job_of(
    store: str,
    *,
    config: Path | None,
    arguments: tuple[str, ...],
    environment: Mapping[str, str],
    home: str | None,
    store_id: str | None = None,
) -> Job:
    """Return the job for a store; raises ScheduleError for what no scheduler can be given.

    `store_id` is the archive that the store must hold at each start. `arguments` stand after the store: the command and
    its options, files among them absolute. `home` is the user's folder, for an environment without HOME.
    """
    flags = ("--config", str(config.absolute())) if config is not None else ()
    pairs = [(name, environment[name]) for name in _NAMES if environment.get(name)]
    pairs += sorted(store_variables(environment).items())
    pairs += sorted(
        (name, value)
        for name, value in environment.items()
        if name.startswith("ONRECORD_") and name not in _PINNED | _SECRETS.keys() and not _has_password(name, value)
    )
    if folder := environment.get("HOME") or home:  # a crontab may say HOME= for its own lines
        pairs.append(("HOME", folder))
    must_hold = ("--store-id", store_id) if store_id is not None else ()
    argv = (*program(), "--store", store, *must_hold, *flags, *arguments)
    for value in (*argv, *(value for _, value in pairs)):
        if not value.isprintable():
            raise ScheduleError(f"no scheduler can be given {value!r}, which holds control characters: rename it")
    return Job(key_of(store, arguments), store, argv, tuple(pairs))


def key_of(store: str, arguments: tuple[str, ...]) -> str:
    """Eight hex digits for a store and what is run on it."""
    return hashlib.sha256("\0".join((store, *arguments)).encode("utf-8", "surrogateescape")).hexdigest()[:8]


def withheld(environment: Mapping[str, str]) -> list[str]:
    """Return what this environment holds and a schedule does not get, each with the way to provide it."""
    hints = {name: hint for name in environment if environment[name] and (hint := _why_withheld(name, environment))}
    return [f"{name} is not written into the schedule: {hints[name]}" for name in sorted(hints)]


def store_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which a run reaches its store, without those whose value holds a password."""
    return {
        name: value
        for name, value in environment.items()
        if value and _STORE_NAME.fullmatch(name) and not _has_password(name, value)
    }


def differing(environment: Mapping[str, str], scheduled: Mapping[str, str]) -> list[str]:
    """Return in words how a schedule's way to its store differs from that of an environment."""
    here, there = store_variables(environment), store_variables(scheduled)
    return [
        f"{name} is "
        + ("set here and not in the schedule" if name not in there else "in the schedule and not set here")
        if name not in here or name not in there
        else f"{name} has another value in the schedule than here"
        for name in sorted(here.keys() | there.keys())
        if here.get(name) != there.get(name)
    ]


def _why_withheld(name: str, environment: Mapping[str, str]) -> str | None:
    if name in _SECRETS:
        return _SECRETS[name]
    carried = _STORE_NAME.fullmatch(name) or (name.startswith("ONRECORD_") and name not in _PINNED)
    if carried:
        return _IN_URL if _has_password(name, environment[name]) else None
    return _NOT_CARRIED if name.startswith("AWS_") and not _IRRELEVANT.fullmatch(name) else None


def _has_password(name: str, value: str) -> bool:
    """Whether a value names a user before its host; a proxy may be written without a scheme."""
    return bool(_USERINFO.search(value)) or (name.lower().endswith("_proxy") and "@" in value)


def program() -> tuple[str, ...]:
    """How this program is started from anywhere: its own file, or this Python with its name."""
    for path in (Path(sys.argv[0]), Path(sys.executable).with_name("onrecord")):
        if path.name == "onrecord" and path.is_file():
            return (str(path.absolute()),)
    return (sys.executable, "-P", "-c", "from pipeline.cli.main import main; main()")


def span(words: str) -> timedelta:
    """Return the time between two runs, from words such as 15m, 2h or 1d; raises ScheduleError."""
    match = _SPAN.match(words)
    if not match:
        raise ScheduleError(f"{words!r} is no span of time: write 15m, 2h or 1d")
    return timedelta(minutes=int(match[1]) * _UNITS[match[2]])


def clock_pattern(every: timedelta, key: str) -> tuple[int, int, int]:
    """Return a span as a clock repeats it: minutes between runs, and the hour and minute of the first.

    Raises ScheduleError.

    The first is not on the hour: the key spreads stores and machines over the span.
    """
    minutes = int(every.total_seconds()) // 60
    if minutes > 24 * 60 or not ((minutes < 60 and 60 % minutes == 0) or (minutes % 60 == 0 and 1440 % minutes == 0)):
        raise ScheduleError(
            "a schedule repeats every 1, 2, 3, 4, 5, 6, 10, 12, 15, 20 or 30 minutes, 1, 2, 3, 4, 6, 8 or 12 hours, or "
            "1 day: choose one, or give a --calendar"
        )
    hour, minute = divmod(int(key, 16) % minutes, 60)
    return minutes, hour, minute
