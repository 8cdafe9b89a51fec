"""RFC 3161: asking an authority when bytes were there, and what its answer is worth.

The whole answer (TimeStampResp) is kept, so that `openssl ts -verify -in` reads it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from archive.crypto.der_order import in_order
from archive.errors import IntegrityError, KeyFileError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from rfc3161_client import TimeStampResponse

LIMIT = 64 << 10  # bytes of an answer
_SHA256 = "2.16.840.1.101.3.4.2.1"
_STATUS = ("granted", "granted with changes", "refused", "to be had later", "to be revoked", "revoked")


@dataclass(frozen=True, slots=True)
class Query:
    """What is sent to an authority, and the number its answer must repeat."""

    der: bytes
    nonce: int


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an answer says: when, and by whom.

    `is_trusted` says that the signature leads to a root that was given; otherwise it may be anybody's. `is_signed` says
    that it leads to the root that came with the answer, at least.
    """

    time: datetime
    authority: str
    is_trusted: bool
    is_signed: bool


def query(data: bytes) -> Query:
    """Ask about bytes by their SHA-256, with a nonce, and for the authority's certificates (RFC 3161 §2.4.1)."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    made = TimestampRequestBuilder(data, HashAlgorithm.SHA256, nonce=True, cert_req=True).build()
    assert made.nonce is not None, "asked for one"
    return Query(made.as_bytes(), made.nonce)


def read_roots(path: Path) -> tuple[Certificate, ...]:
    """Return the certificates of a PEM file, as roots to trust; raises KeyFileError."""
    from cryptography import x509

    try:
        return tuple(x509.load_pem_x509_certificates(path.read_bytes()))
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise KeyFileError(
            f"{path} holds no certificates in PEM; name the root of the authority, as it has it"
        ) from error


def check_token(answer: bytes, data: bytes, *, nonce: int | None = None, roots: Sequence[Certificate] = ()) -> Stamp:
    """See whether an answer is about these bytes, and rightly signed; raises IntegrityError that says what is wrong."""
    try:
        return _checked(answer, data, nonce, roots)
    except IntegrityError:
        raise
    except Exception as error:  # a stranger's certificate makes parsers raise what they will
        raise IntegrityError(f"the token cannot be understood: {type(error).__name__} {_line(error)}") from error


def _checked(answer: bytes, data: bytes, nonce: int | None, roots: Sequence[Certificate]) -> Stamp:
    parsed = _parsed(answer)
    info = parsed.tst_info
    imprint = info.message_imprint
    if imprint.hash_algorithm.dotted_string != _SHA256 or imprint.message != hashlib.sha256(data).digest():
        raise IntegrityError("the token is about something else: it names the hash of other bytes")
    if nonce is not None and info.nonce != nonce:
        raise IntegrityError("the token answers another question: its nonce is not the one that was sent")
    certificates = _certificates(parsed)
    anchors = list(roots) or [each for each, own in certificates if own]
    if anchors:
        _verify(parsed, anchors, hashlib.sha256(data).digest())
    return Stamp(info.gen_time, _name(parsed, [each for each, _ in certificates]), bool(roots), bool(anchors))


def _parsed(answer: bytes) -> TimeStampResponse:
    from rfc3161_client import decode_timestamp_response

    if len(answer) > LIMIT:
        raise IntegrityError("this is no time-stamp answer: it is too long")
    try:
        parsed = decode_timestamp_response(in_order(answer))
        status = parsed.status
    except ValueError as error:
        raise IntegrityError(f"this is no time-stamp answer: {_line(error)}") from error
    if status != 0:
        word = _STATUS[status] if 0 <= status < len(_STATUS) else f"answered by status {status}"
        raise IntegrityError(
            f"the time stamp was {word}: {_line(' '.join(parsed.status_string)) or 'without a reason'}"
        )
    try:
        parsed.tst_info  # noqa: B018 - asked for to see whether it is there
    except ValueError as error:
        raise IntegrityError(f"the answer holds no token: {_line(error)}") from error
    return parsed


def _certificates(parsed: TimeStampResponse) -> list[tuple[Certificate, bool]]:
    """Return the certificates, each with whether it is its own issuer.

    Their names are not looked at before they are asked.
    """
    from cryptography import x509

    try:
        found = [x509.load_der_x509_certificate(each) for each in sorted(parsed.signed_data.certificates)]
        return [(each, each.issuer == each.subject) for each in found]
    except (ValueError, KeyError, x509.InvalidVersion) as error:
        raise IntegrityError(f"a certificate in the token is damaged: {_line(error)}") from error


def _verify(parsed: TimeStampResponse, anchors: Sequence[Certificate], digest: bytes) -> None:
    """Verify the signature, its chain to a root at the token's time, and the right to stamp (RFC 3161 §2.3)."""
    from rfc3161_client import VerificationError, VerifierBuilder

    try:
        VerifierBuilder(roots=list(anchors)).build().verify(parsed, digest)
    except (VerificationError, ValueError) as error:
        raise IntegrityError(f"the token's signature does not hold: {_reason(error)}") from error


def _name(parsed: TimeStampResponse, certificates: Sequence[Certificate]) -> str:
    try:
        (signer,) = parsed.signed_data.signer_infos
        for each in certificates:
            if (each.issuer, each.serial_number) == (signer.issuer, signer.serial_number):
                return each.subject.rfc4514_string()
        return f"{signer.issuer.rfc4514_string()}, number {signer.serial_number}"
    except (ValueError, KeyError) as error:  # the latter for text of a kind that X.509 has not
        raise IntegrityError(f"the token does not say who signed it: {_line(error)}") from error


def _reason(error: Exception) -> str:
    """OpenSSL's own word for it, where there is one."""
    return (
        str(error).rpartition("Verify error: ")[2].partition('"')[0] if "Verify error: " in str(error) else _line(error)
    )


def _line(error: object) -> str:
    return " ".join(str(error).split())[:160]
