"""Signed WACZ files: what was signed is known, what was altered is told, and strangers' files are one line each."""

from __future__ import annotations

import base64
import io
import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from archive.crypto.wacz_signature import WaczSigner
from archive.errors import KeyFileError
from archive.export.wacz import Package
from archive.export.wacz_check import wacz_steps
from tests.exchanges import NOON

DIGEST = "datapackage-digest.json"


def broken(path: Path, data: bytes) -> list[str]:
    path.write_bytes(data)
    return [step.text for step in wacz_steps(path) if step.holds is False]


@pytest.fixture
def signed(tmp_path: Path) -> bytes:
    file = io.BytesIO()
    with Package(file, software="test/1", created=NOON) as package:
        with package.entry("archive/one.warc.gz", stored=True) as entry:
            entry.write(bytes(range(256)))
        package.finish(title="A title", main=None, signer=WaczSigner.beside(tmp_path / "key"))
    return file.getvalue()


def changed(data: bytes, changes: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as whole, zipfile.ZipFile(file, "w") as target:
        for name in whole.namelist():
            target.writestr(name, changes.get(name, whole.read(name)))
        for name in changes.keys() - set(whole.namelist()):
            target.writestr(name, changes[name])
    return file.getvalue()


def test_what_was_signed_is_known_and_every_altered_byte_is_told(signed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "one.wacz"
    assert broken(path, signed) == []
    assert (tmp_path / "key.wacz.pem").stat().st_mode & 0o777 == 0o600
    dice = random.Random(384)
    with zipfile.ZipFile(io.BytesIO(signed)) as whole:
        for name in ("archive/one.warc.gz", "datapackage.json"):
            content = whole.read(name)
            for at in dice.sample(range(len(content)), 20):
                altered = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
                assert broken(path, changed(signed, {name: altered})), f"{name} at {at}"
    assert broken(path, changed(signed, {"more": b"x"})) == ["more is in it, and datapackage.json does not name it"]


def p256(_: dict[str, Any]) -> str:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def ed(_: dict[str, Any]) -> str:
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


CHANGES: list[tuple[str, Callable[[dict[str, Any]], Any], str]] = [
    ("signature", lambda said: base64.b64encode(bytes(96)).decode(), "the signature does not hold"),
    ("signature", lambda said: "AAAA", "no signature and public key of ECDSA over P-384"),
    ("signature", lambda said: [], "no signature and public key that can be read"),
    ("signature", lambda said: None, "no signature and public key that can be read"),
    ("publicKey", lambda said: "AAAA", "no signature and public key that can be read"),
    ("publicKey", lambda said: 7, "no signature and public key that can be read"),
    ("publicKey", ed, "no signature and public key of ECDSA over P-384"),
    ("publicKey", p256, "no signature and public key of ECDSA over P-384"),
    ("hash", lambda said: "sha256:" + "0" * 64, "the hash of another datapackage.json"),
]


@pytest.mark.parametrize(("field", "change", "told"), CHANGES)
def test_another_signature_is_told(
    signed: bytes, tmp_path: Path, field: str, change: Callable[[dict[str, Any]], Any], told: str
) -> None:
    digest = json.loads(zipfile.ZipFile(io.BytesIO(signed)).read(DIGEST))
    digest["signedData"][field] = change(digest["signedData"])
    (line,) = broken(tmp_path / "one.wacz", changed(signed, {DIGEST: json.dumps(digest).encode()}))
    assert told in line


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP256K1(), ec.BrainpoolP384R1()], ids=lambda curve: curve.name)
def test_a_signature_that_holds_over_another_curve_is_none(signed: bytes, tmp_path: Path, curve: Any) -> None:
    """Readers hold to P-384: what they refuse is not called signed here."""
    digest = json.loads(zipfile.ZipFile(io.BytesIO(signed)).read(DIGEST))
    key = ec.generate_private_key(curve)
    one, other = decode_dss_signature(key.sign(digest["hash"].encode(), ec.ECDSA(SHA256())))
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    digest["signedData"] |= {
        "signature": base64.b64encode(one.to_bytes(48) + other.to_bytes(48)).decode(),
        "publicKey": base64.b64encode(public).decode(),
    }
    (line,) = broken(tmp_path / "one.wacz", changed(signed, {DIGEST: json.dumps(digest).encode()}))
    assert "no signature and public key of ECDSA over P-384" in line


def test_what_is_not_signed_or_no_wacz_is_one_line(signed: bytes, tmp_path: Path) -> None:
    digest = json.loads(zipfile.ZipFile(io.BytesIO(signed)).read(DIGEST))
    path = tmp_path / "one.wacz"
    del digest["signedData"]
    assert broken(path, changed(signed, {DIGEST: json.dumps(digest).encode()})) == ["it is not signed"]
    domain = {"signedData": {"hash": digest["hash"], "domain": "x.example", "domainCert": "…"}}
    (line,) = broken(path, changed(signed, {DIGEST: json.dumps(digest | domain).encode()}))
    assert "no signature and certificate of a domain" in line
    for data in (b"", b"nothing", changed(signed, {DIGEST: b"["}), changed(signed, {"datapackage.json": b"[]"})):
        assert len(broken(path, data)) == 1
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as target:
        package = {"resources": [{"path": "bomb", "hash": "sha256:" + "0" * 64}]}
        target.writestr("datapackage.json", json.dumps(package))
        target.writestr(DIGEST, "{}")
        with target.open("bomb", "w", force_zip64=True) as entry:
            for _ in range(200):
                entry.write(bytes(1 << 20))
    assert "it is a bomb" in broken(path, bomb.getvalue())[-1]


def test_a_key_that_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / "key.wacz.pem"
    for text in ("", "-----BEGIN PRIVATE KEY-----\n"):
        path.write_text(text)
        with pytest.raises(KeyFileError, match="holds no private key in PEM"):
            WaczSigner.beside(tmp_path / "key")
