"""A time-stamping authority on loopback: `openssl ts` behind HTTP, and ways for it to be slow, mistaken or a liar."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

OPENSSL = shutil.which("openssl")

CONFIG = """
[tsa]
default_tsa = one
[one]
dir = {folder}
serial = $dir/serial
crypto_device = builtin
signer_cert = $dir/tsa.pem
signer_key = $dir/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


class Authority:
    """One authority with a root and a certificate of its own; `url` answers as RFC 3161 §3.4 has it."""

    def __init__(
        self, folder: Path, *, valid: tuple[datetime, datetime] | None = None, name: str = "stamps.example"
    ) -> None:
        assert OPENSSL is not None
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        _certificates(folder, name, valid or (datetime(2020, 1, 1, tzinfo=UTC), datetime(2060, 1, 1, tzinfo=UTC)))
        (folder / "ts.cnf").write_text(CONFIG.format(folder=folder))
        (folder / "serial").write_text("01\n")
        self._lock = threading.Lock()
        self.altered: Callable[[bytes], bytes] = lambda answer: answer  # what is sent in an answer's place
        self.asked: Callable[[bytes], bytes] = lambda query: query  # what is stamped in a query's place
        self.pause = 0.0  # seconds before each byte of an answer
        self.status = 200
        self.queries = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    @property
    def roots(self) -> Path:
        return self._folder / "root.pem"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def stamp(self, query: bytes) -> bytes:
        """The answer to a query, as `openssl ts` makes it."""
        with self._lock:
            (self._folder / "query").write_bytes(query)
            command = [
                OPENSSL,
                "ts",
                "-reply",
                "-config",
                self._folder / "ts.cnf",
                "-queryfile",
                self._folder / "query",
            ]
            subprocess.run([*command, "-chain", self._folder / "root.pem", "-out", self._folder / "answer"],
                           check=True, capture_output=True)  # fmt: skip
            return (self._folder / "answer").read_bytes()

    def query(self, data: bytes, *more: str) -> bytes:
        """A query of openssl's own."""
        (self._folder / "data").write_bytes(data)
        command = [OPENSSL, "ts", "-query", "-data", self._folder / "data", "-sha256", "-cert", *more]
        return subprocess.run(command, check=True, capture_output=True).stdout

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Type"] == "application/timestamp-query"
                authority.queries += 1
                answer = authority.altered(authority.stamp(authority.asked(query)))
                self.send_response(authority.status)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                if not authority.pause:
                    self.wfile.write(answer)
                    return
                for byte in answer:
                    time.sleep(authority.pause)
                    try:
                        self.wfile.write(bytes([byte]))
                    except OSError:
                        return

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler


def _certificates(folder: Path, name: str, valid: tuple[datetime, datetime]) -> None:
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A root")])
    root = (
        x509.CertificateBuilder()
        .subject_name(root_name)
        .issuer_name(root_name)
        .public_key(root_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2060, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    leaf = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(root_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    (folder / "root.pem").write_bytes(root.public_bytes(Encoding.PEM))
    (folder / "tsa.pem").write_bytes(leaf.public_bytes(Encoding.PEM))
    (folder / "tsa.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


EXPIRED = (datetime.now(UTC) - timedelta(days=30), datetime.now(UTC) - timedelta(days=1))
