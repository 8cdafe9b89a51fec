"""Tokens by which people may save pages, each of one person, kept as hashes in a file of this machine.

A token is 256 random bits, so a plain SHA-256 of it cannot be guessed, and checking one costs microseconds.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from archive.times import from_iso, iso, now
from storage.errors import OnrecordError
from storage.private import make_usable, open_private, private_folder

_PREFIX = "onr_"  # by which scanners for secrets, and people, know one
_BYTES = 32
_LONGEST = 200  # characters of what may be a token
_NAME = re.compile(r"[^\W_](?:[\w .@+'-]{0,98}[\w.])?", re.ASCII)
_ID = 12  # hex digits of the hash by which a token is named


class TokenError(OnrecordError):
    """The tokens cannot be used so; the message says what to do."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token: whose it is, a hash of it, and from when to when it holds."""

    name: str
    hash: str  # SHA-256, hex
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None

    @property
    def id(self) -> str:
        """Return what names the token without giving it away: the beginning of its hash."""
        return self.hash[:_ID]

    def holds(self, at: datetime) -> bool:
        """Return whether the token may be used at a time."""
        return self.revoked is None and (self.expires is None or at < self.expires)


class Tokens:
    """The tokens in a file. A change is seen by a process that has it open at its next question."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._by_hash: dict[str, Token] = {}

    def all(self) -> list[Token]:
        """Return all tokens, oldest first; raises TokenError."""
        self._reread()
        return list(self._by_hash.values())

    def owner(self, written: str) -> Token | None:
        """Return the token that somebody sent, if it holds now; raises TokenError."""
        self._reread()
        if not written.startswith(_PREFIX) or len(written) > _LONGEST:
            return None
        token = self._by_hash.get(_hash(written))  # what is compared is a hash: its timing says nothing of a token
        return token if token is not None and token.holds(now()) else None

    def add(self, name: str, expires: datetime | None) -> tuple[str, Token]:
        """Make a token; it is returned once, and only its hash is kept. Raises TokenError."""
        if not _NAME.fullmatch(name):
            raise TokenError(
                f"{name!r} is no name for a token: write up to 100 letters, digits, spaces and . @ + ' - _ in ASCII"
            )
        written = _PREFIX + secrets.token_urlsafe(_BYTES)
        token = Token(name, _hash(written), now().replace(microsecond=0), expires)
        with self._locked():
            self._write([*self.all(), token])
        return written, token

    def revoke(self, named: str) -> list[Token]:
        """End the tokens of a name, or one by its id; returns those that held until now. Raises TokenError."""
        at = now().replace(microsecond=0)
        with self._locked():
            known = self.all()
            ended = [each for each in known if named in {each.name, each.id} and each.holds(at)]
            if ended:
                self._write([replace(each, revoked=at) if each in ended else each for each in known])
        if not ended:
            raise TokenError(f"no token that holds has the name or id {named!r}; list them: onrecord tokens list")
        return ended

    def _reread(self) -> None:
        """Read the file again where it is another one than before."""
        try:
            about = self._path.stat()
            mark = (about.st_ino, about.st_mtime_ns, about.st_size)
            if mark == self._seen:
                return
            found = [_token(json.loads(line)) for line in self._path.read_text("utf-8").splitlines()]
        except FileNotFoundError:
            self._seen, self._by_hash = None, {}
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TokenError(
                f"{self._path} cannot be read ({error}); {make_usable(self._path)}; or delete it"
            ) from error
        self._seen, self._by_hash = mark, {each.hash: each for each in found}

    def _write(self, tokens: list[Token]) -> None:
        part = self._path.with_suffix(".part")
        try:
            with open_private(part, "wb") as file:
                file.writelines(json.dumps(_entry(each)).encode() + b"\n" for each in tokens)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._path)
        except OSError as error:
            raise TokenError(f"{self._path} cannot be written ({error.strerror}); {make_usable(part)}") from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Change the file while no other process does."""
        try:
            private_folder(self._path.parent)
            descriptor = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise TokenError(f"{self._path.parent} cannot be used ({error.strerror})") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _hash(written: str) -> str:
    return hashlib.sha256(written.encode("utf-8", "replace")).hexdigest()


def _entry(token: Token) -> dict[str, Any]:
    times = {name: value and iso(value) for name, value in asdict(token).items() if name not in {"name", "hash"}}
    return {"name": token.name, "hash": token.hash, **times}


def _token(entry: dict[str, Any]) -> Token:
    times = {name: from_iso(entry[name]) if entry[name] else None for name in ("expires", "revoked")}
    return Token(str(entry["name"]), str(entry["hash"]), from_iso(entry["created"]), **times)
