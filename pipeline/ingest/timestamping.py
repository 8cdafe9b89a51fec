"""Checkpoints after a commit: the log of runs signed, and authorities asked to say when they saw it.

A failure here harms no capture: it is reported, and the next checkpoint makes up for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from archive.archive import Archive
from archive.crypto import Signer
from archive.errors import ArchiveError
from archive.evidence import LIMIT, Made, Stamp, check_token, mark_of, query, read_roots
from archive.times import iso, now
from pipeline.outbound.errors import DeliveryError
from pipeline.outbound.http import TIMEOUT, address, ask
from storage.errors import StoreError

_HEADERS = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
_APART = timedelta(hours=1)  # between an authority's clock and this one: beyond it, one of them is wrong
_AT_ONCE = 8
_MOST = 16  # authorities


@dataclass(frozen=True, slots=True)
class EvidenceSettings:
    """The table [evidence], and where this machine keeps its key and its last checkpoint."""

    key: Path
    remembered: Path
    sign: bool = False  # after each commit
    authorities: tuple[str, ...] = ()
    roots: Path | None = None  # of the authorities, in PEM
    timeout: float = TIMEOUT  # seconds for an authority's whole answer

    def __post_init__(self) -> None:
        if len(self.authorities) > _MOST:
            raise ValueError(f"more than {_MOST} authorities: name fewer")
        for url in self.authorities:
            address(url)


@dataclass(frozen=True, slots=True)
class Token:
    """The result of asking an authority, named by its host: its answer, or why that is not kept."""

    host: str
    stamp: Stamp | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint that was made, and the answers of authorities that had not given one before."""

    made: Made
    tokens: tuple[Token, ...]


def sign_now(archive: Archive, settings: EvidenceSettings, *, everything: bool = True) -> Signed | None:
    """Make a checkpoint and have it stamped; None where the archive has no run.

    With `everything` each run is compared with the log, not only what is new entered.

    Raises KeyFileError, IntegrityError, StoreError; a failure of an authority is in its token.
    """
    signer = Signer.load(settings.key)
    roots = read_roots(settings.roots) if settings.roots else ()
    made = archive.checkpoint(signer, settings.remembered, everything=everything)
    if made is None:
        return None
    note = made.checkpoint.note.encode()
    have = archive.timestamp_authorities(made.key)
    wanted = [url for url in dict.fromkeys(settings.authorities) if mark_of(url) not in have]

    def stamped(url: str) -> Token:
        host = urlsplit(url).hostname or url
        asked = query(note)
        try:
            answer = ask(url, asked.der, _HEADERS, timeout=settings.timeout, limit=LIMIT + 1)
            stamp = check_token(answer, note, nonce=asked.nonce, roots=roots)
        except (DeliveryError, ArchiveError) as error:
            return Token(host, error=str(error))
        if abs(stamp.time - now()) > _APART:
            return Token(host, error=f"it says that it is {iso(stamp.time)}, and the clock here {iso(now())}")
        archive.keep_timestamp(made.key, url, answer)
        return Token(host, stamp)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return Signed(made, tuple(pool.map(stamped, wanted)))


def sign_after_commit(archive: Archive, settings: EvidenceSettings) -> Sequence[str]:
    """Do so after a commit, where that is set; returns a line for each thing that went wrong."""
    if not settings.sign:
        return ()
    try:
        signed = sign_now(archive, settings, everything=False)
    except (ArchiveError, StoreError) as error:
        return (f"no checkpoint was signed: {error}",)
    failed = signed.tokens if signed else ()
    return [f"no time stamp of {token.host}: {token.error}" for token in failed if token.error]
