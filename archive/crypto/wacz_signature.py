"""Signatures of WACZ files, in the anonymous form of WACZ Signing and Verification 0.1.0.

What readers hold to: ECDSA over P-384 with SHA-256; of `datapackage.json` it is its digest, written as text, that is
signed; the signature is both numbers, 48 bytes each, one after the other; the key is a SubjectPublicKeyInfo.
"""

from __future__ import annotations

import base64
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)
from cryptography.x509 import DNSName, ExtensionNotFound, SubjectAlternativeName, load_pem_x509_certificates

from archive.errors import IntegrityError, KeyFileError
from archive.times import iso
from storage.private import private_folder

VERSION = "0.1.0"
_NUMBER = 48  # bytes of each of a signature's two numbers
_ALGORITHM = ec.ECDSA(SHA256())


class WaczSigner:
    """A private key for WACZ files; its public key stands in what it signs."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key

    @classmethod
    def beside(cls, signing_key: Path) -> WaczSigner:
        """Return the key in a file beside the signing key, made where it is missing; raises KeyFileError."""
        path = signing_key.with_name(f"{signing_key.name}.wacz.pem")
        try:
            if not path.exists():
                _create(path)
            key = load_pem_private_key(path.read_bytes(), None)
        except OSError as error:
            raise KeyFileError(f"the key for WACZ files {path} cannot be used: {error.strerror or error}") from error
        except (ValueError, TypeError) as error:
            raise KeyFileError(f"{path} holds no private key in PEM; move it away to have one made") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP384R1):
            raise KeyFileError(f"{path} holds no ECDSA key over P-384; move it away to have one made")
        return cls(key)

    @property
    def public(self) -> str:
        """The public key as it stands in a signed WACZ."""
        data = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(data).decode()

    def sign(self, digest: str, created: datetime, software: str) -> dict[str, str]:
        """Return the `signedData` of a package, by the digest of its `datapackage.json`."""
        one, other = decode_dss_signature(self._key.sign(digest.encode(), _ALGORITHM))
        return {
            "hash": digest,
            "created": iso(created),
            "software": software,
            "version": VERSION,
            "signature": base64.b64encode(one.to_bytes(_NUMBER) + other.to_bytes(_NUMBER)).decode(),
            "publicKey": self.public,
        }


def _create(path: Path) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    private_folder(path.parent, may_be_shared=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        os.fsync(file.fileno())


def check_signature(signed: dict[str, Any], digest: str) -> str:
    """See whether `signedData` is a signature over a digest; returns who signed, in words. Raises IntegrityError."""
    if signed.get("hash") != digest:
        raise IntegrityError("what is signed is the hash of another datapackage.json")
    if "publicKey" not in signed:
        return _check_domain(signed, digest)
    try:
        key = load_der_public_key(base64.b64decode(signed["publicKey"], validate=True))
        signature = base64.b64decode(signed["signature"], validate=True)
    except (KeyError, TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise IntegrityError("signedData holds no signature and public key that can be read") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP384R1):
        raise IntegrityError("signedData holds no signature and public key of ECDSA over P-384")
    if len(signature) != 2 * _NUMBER:
        raise IntegrityError("signedData holds no signature and public key of ECDSA over P-384")
    numbers = (int.from_bytes(signature[:_NUMBER]), int.from_bytes(signature[_NUMBER:]))
    try:
        key.verify(encode_dss_signature(*numbers), digest.encode(), _ALGORITHM)
    except InvalidSignature as error:
        raise IntegrityError("the signature does not hold: datapackage.json or the signature was altered") from error
    return f"the key {signed['publicKey']}"


def _check_domain(signed: dict[str, Any], digest: str) -> str:
    """See whether the key of a domain's certificate signed; its chain and its time stamp are not looked at."""
    try:
        leaf = load_pem_x509_certificates(str(signed["domainCert"]).encode())[0]
        key, signature = leaf.public_key(), base64.b64decode(str(signed["signature"]), validate=True)
        names = leaf.extensions.get_extension_for_class(SubjectAlternativeName).value.get_values_for_type(DNSName)
    except (KeyError, IndexError, ValueError, UnsupportedAlgorithm, ExtensionNotFound) as error:
        raise IntegrityError("signedData holds no signature and certificate of a domain that can be read") from error
    if str(signed.get("domain")) not in names or not isinstance(key, ec.EllipticCurvePublicKey):
        raise IntegrityError("signedData holds no certificate, with an ECDSA key, of the domain that it names")
    try:
        key.verify(signature, digest.encode(), _ALGORITHM)
    except InvalidSignature as error:
        raise IntegrityError("the signature does not hold: datapackage.json or the signature was altered") from error
    return f"the certificate of {signed['domain']} (its chain and time stamp were not checked: use py-wacz)"
