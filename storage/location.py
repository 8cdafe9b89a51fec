"""From an address to its stores; what only one kind of store needs is imported only for it.

An address names one store, or with `mirror:A,B` a primary store and its replicas.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from storage.base import ObjectStore, checked_key
from storage.errors import LocationError
from storage.local import LocalStore
from storage.memory import MemoryStore

SCHEME = "mirror:"
_ESCAPE = re.compile("%(25|2C)", re.IGNORECASE)
_TO_ESCAPE = re.compile("%(?=25|2C)|,", re.IGNORECASE)
_OPTIONS = {"endpoint", "region", "path_style"}
_FORMS = "a directory, file:///directory, or s3://bucket/prefix?endpoint=https://host&region=name&path_style=true"
_MIRROR = "write mirror: and at least two addresses with a comma between them, a comma in one as %2C"
_NO_CREDENTIALS = (
    "credentials do not belong in a store's address, which is printed and kept: "
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
)


def mirror_address(addresses: Sequence[str]) -> str:
    """Return `mirror:` and the addresses of stores, the primary first; a comma in one is written %2C."""
    return SCHEME + ",".join(_TO_ESCAPE.sub(lambda found: "%25" if found[0] == "%" else "%2C", it) for it in addresses)


def member_addresses(address: str) -> list[str]:
    """Return the addresses that `mirror_address` put into one."""
    parts = address.removeprefix(SCHEME).split(",")
    return [_ESCAPE.sub(lambda found: "%" if found[1] == "25" else ",", part).strip() for part in parts]


def address_of(stores: Sequence[ObjectStore]) -> str:
    """Return the address that `open_stores` opens these stores by, the primary first."""
    return stores[0].url if len(stores) == 1 else mirror_address([store.url for store in stores])


def open_stores(location: str) -> tuple[ObjectStore, ...]:
    """Return the stores that an address names, the primary first, then its replicas; nothing is asked of them yet.

    Raises as `open_store` does.
    """
    return _mirror(location) if location.startswith(SCHEME) else (open_store(location),)


def open_store(location: str) -> ObjectStore:
    """Return the one store that an address names; nothing is asked of it yet.

    `open_store(store.url)` opens the same store again (in memory: an empty one). Raises LocationError, and StoreDenied
    where the AWS configuration has half a credential or lacks the profile that it names.
    """
    if not location.strip():
        raise LocationError(f"the store has no address: write {_FORMS}")
    if not location.isprintable():
        raise LocationError(f"the store's address holds control characters: write {_FORMS}")
    scheme, separator, rest = location.partition(":")
    if location == "memory:":
        return MemoryStore()
    if location.startswith(SCHEME):
        raise LocationError(f"one store is meant here, and a mirror is several: write {_FORMS}")
    if scheme == "file" and separator:
        return LocalStore(_file(location))
    if scheme == "s3" and separator:
        return _s3(location)
    if rest.startswith("//"):
        raise LocationError(f"a store cannot be at {scheme}: write {_FORMS}")
    return LocalStore(_folder(location))


def _mirror(location: str) -> tuple[ObjectStore, ...]:
    """Open the different stores of a mirror: two in one place would be one copy."""
    if not location.isprintable():
        raise LocationError(f"the store's address holds control characters: write {_FORMS}")
    addresses = member_addresses(location)
    if len(addresses) < 2 or not all(addresses):
        raise LocationError(f"a mirror has two members or more: {_MIRROR}")
    if any(address.startswith(SCHEME) for address in addresses):
        raise LocationError(f"a mirror cannot be a member of a mirror: {_MIRROR}")
    stores = tuple(open_store(address) for address in addresses)
    if len({store.url for store in stores} - {"memory:"}) + addresses.count("memory:") < len(stores):
        raise LocationError(f"a mirror's members are all different places: {_MIRROR}")
    return stores


def _folder(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise LocationError(f"{path}: {error}: write the whole path") from None


def _file(location: str) -> Path:
    parts = urlsplit(location)
    if parts.netloc not in {"", "localhost"} or not parts.path.startswith("/") or parts.query or parts.fragment:
        raise LocationError("a file: address is file:///directory, with %3F and %23 for ? and #")
    return _folder(unquote(parts.path))


def _s3(location: str) -> ObjectStore:
    try:
        parts = urlsplit(location)
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise LocationError(f"the store's address cannot be read: write {_FORMS}") from None
    if "@" in parts.netloc:
        raise LocationError(_NO_CREDENTIALS)
    if not parts.netloc or parts.fragment:
        raise LocationError(f"the store's address names no bucket: write {_FORMS}")
    if ":" in parts.netloc:
        raise LocationError(f"a bucket has no port; its server is named behind it: write {_FORMS}")
    options = _options(pairs)

    from storage.s3 import S3Store

    return S3Store(
        parts.netloc,
        _prefix(parts.path),
        endpoint=_endpoint(options.get("endpoint")),
        region=options.get("region"),
        path_style=_flag(options.get("path_style")),
    )


def _options(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Return the query's options; values are not repeated in errors, as one could be a secret in the wrong place."""
    options = dict(pairs)
    if unknown := options.keys() - _OPTIONS:
        names = ", ".join(sorted(unknown))
        advice = _NO_CREDENTIALS if any(word in names.lower() for word in ("key", "secret", "token")) else ""
        raise LocationError(f"unknown in a store's address: {names}: {advice or f'write {_FORMS}'}")
    if len(options) < len(pairs) or not all(options.values()):
        raise LocationError(f"an option of the store's address is empty, or there twice: write {_FORMS}")
    return options


def _prefix(path: str) -> str:
    prefix = path.strip("/")
    try:
        return checked_key(prefix) if prefix else ""
    except ValueError:
        raise LocationError(f"{prefix!r} cannot be a prefix: use letters, digits, and . _ - between the /") from None


def _endpoint(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment:
        raise LocationError(
            "the endpoint is no http:// or https:// address of a server: write endpoint=https://host:port"
        )
    if "@" in parts.netloc:
        raise LocationError(_NO_CREDENTIALS)
    return value.rstrip("/")


def _flag(value: str | None) -> bool | None:
    if value in {None, "true", "false"}:
        return None if value is None else value == "true"
    raise LocationError("path_style is true or false")
