"""Chromium as a process: started so that it reaches nothing but a page's proxy, ended with everything it started."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import shlex
import shutil
import signal
import socket
import ssl
import tempfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from storage.errors import OnrecordError
from storage.extras import install_command

if TYPE_CHECKING:
    from playwright.async_api import Browser as Chromium
    from playwright.async_api import Playwright

LOOPBACK_TOO = "<-loopback>"  # in a list of what passes a proxy by: not even this machine's own addresses do
_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_STARTING = 60.0  # seconds
_ENDING = 5.0
_STEP = 0.05

_ARGUMENTS = [
    # A page's context has its own proxy; what is of no page finds a closed port, and names resolve to nothing.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--disable-quic",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--dns-prefetch-disable",
    "--no-pings",
    "--disable-domain-reliability",
    "--disable-client-side-phishing-detection",
    # Which addresses may be reached is decided by the recorder. One process for all frames of a page: its memory is
    # bounded then, and when a frame dies the page is known to have died.
    "--disable-site-isolation-trials",
]


class BrowserUnavailable(OnrecordError):
    """The browser is not installed, or does not start."""

    exit_code = 2


class Process:
    """A running Chromium, and the driver that speaks with it."""

    def __init__(self, folder: Path, max_memory: int) -> None:
        self._folder = folder
        self._max_memory = max_memory
        self._home: Path | None = None
        self._sockets: Path | None = None
        self._group = 0
        self._driver: Playwright | None = None
        self._launching: asyncio.Task[Chromium] | None = None
        self._chromium: Chromium | None = None
        self._closed_port: socket.socket | None = None
        self.certificate: ssl.SSLContext | None = None

    @property
    def alive(self) -> bool:
        """Whether there is a browser that answers."""
        return self._chromium is not None and self._chromium.is_connected()

    async def start(self) -> Chromium:
        """Return the browser, started when it does not run; raises BrowserUnavailable."""
        if self._chromium is not None and self._chromium.is_connected():
            return self._chromium
        await self.kill()
        binary = find_chromium()
        if self._driver is None:
            self._driver = await _driver()
        try:
            self._launching = asyncio.ensure_future(self._launch(self._driver, binary))
            self._launching.add_done_callback(lambda launch: launch.cancelled() or launch.exception())
            self._chromium = await asyncio.shield(self._launching)
        except Exception as error:  # the driver's errors share no tree with those of its transport
            await self.kill()
            raise BrowserUnavailable(f"{binary} does not start: {_reason(error)}") from error
        self._group = _group_in(self._home)
        return self._chromium

    async def _launch(self, driver: Playwright, binary: str) -> Chromium:
        home = self._home = Path(tempfile.mkdtemp(dir=self._folder, prefix="browser-"))
        self._sockets = Path(
            tempfile.mkdtemp(prefix="onrecord-")
        )  # not in `home`: a socket's path has 108 bytes at most
        self.certificate, fingerprint = _certificate(home)
        starter = home / "start"
        starter.write_text(
            _STARTER.format(kib=self._max_memory >> 10, home=shlex.quote(str(home)), binary=shlex.quote(binary))
        )
        starter.chmod(0o700)
        self._closed_port = socket.socket()
        self._closed_port.bind(("127.0.0.1", 0))  # and not listening: nobody else can
        return await driver.chromium.launch(
            executable_path=starter,
            args=[*_ARGUMENTS, f"--ignore-certificate-errors-spki-list={fingerprint}"],
            ignore_default_args=["--disable-popup-blocking"],
            chromium_sandbox=os.getuid() != 0,  # Chromium has no sandbox for root and would not start
            proxy={"server": f"http://127.0.0.1:{self._closed_port.getsockname()[1]}", "bypass": LOOPBACK_TOO},
            env=_environment(home, self._sockets),
            handle_sigint=False,
            handle_sigterm=False,
            handle_sighup=False,
            timeout=_STARTING * 1000,
        )

    async def kill(self) -> None:
        """End the browser at once, with every process it started, and clear away its files."""
        self._chromium = None
        if self._closed_port is not None:
            self._closed_port.close()
            self._closed_port = None
        if self._home is not None:
            await self._end_launch(self._home)
            await _end_group(self._group or _group_in(self._home))
            self._group = 0
            _clear_profile(self._home)
            await _clear(self._home)
            self._home = None
        if self._sockets is not None:
            await _clear(self._sockets)
            self._sockets = None

    async def _end_launch(self, home: Path) -> None:
        """Wait for a launch that nobody waits for any more: the driver cannot be told to stop it half-way."""
        launching, self._launching = self._launching, None
        for _ in range(int(_ENDING / _STEP)):
            if launching is None or launching.done():
                return
            await _end_group(_group_in(home))
            await asyncio.wait([launching], timeout=_STEP)

    async def close(self) -> None:
        """End the browser and its driver."""
        if self._chromium is not None:
            with suppress(Exception):  # it may have died, or hang: what is left is killed
                await asyncio.wait_for(self._chromium.close(), _ENDING)
        await self.kill()
        if self._driver is not None:
            driver, self._driver = self._driver, None
            with suppress(Exception):
                await asyncio.wait_for(driver.stop(), _ENDING)


# The limit is each process's own, so that a page cannot take all memory; the driver makes the browser the leader of a
# process group, so that its number is the group's.
_STARTER = """#!/bin/sh
ulimit -d {kib} 2>/dev/null
ulimit -c 0 2>/dev/null
for argument; do
  case $argument in --user-data-dir=*) printf %s "${{argument#*=}}" > {home}/profile;; esac
done
echo $$ > {home}/pid
exec {binary} "$@"
"""


def _reason(error: Exception) -> str:
    """Return the line that tells most of what the driver and the browser have said."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return next((line for line in lines if "FATAL" in line or "sandbox!" in line), lines[0])[:200]


def find_chromium() -> str:
    """Where Chromium is: what ONRECORD_CHROMIUM names, or what is on the path; raises BrowserUnavailable."""
    named = os.environ.get("ONRECORD_CHROMIUM")
    if named:
        found = shutil.which(named)
        if found is None:
            raise BrowserUnavailable(f"ONRECORD_CHROMIUM names {named}, which cannot be run")
        return found
    for name in _NAMES:
        found = shutil.which(name)
        if found is not None:
            return found
    raise BrowserUnavailable(
        "Chromium is not installed; install it (apt-get install chromium), or name it in ONRECORD_CHROMIUM"
    )


async def _driver() -> Playwright:
    try:
        import cryptography  # noqa: F401 - needed a moment later: what is missing is said at once
        from playwright.async_api import async_playwright
    except ImportError as error:
        raise BrowserUnavailable(f"captures in a browser need more packages: {install_command('browser')}") from error
    return await async_playwright().start()


def _environment(home: Path, sockets: Path) -> dict[str, str | float | bool]:
    """Return what the browser's processes see: no credentials of this program's, and a home that is cleared away."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ") if name in os.environ}
    return {**kept, **dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), str(home)), "TMPDIR": str(sockets)}


def _certificate(home: Path) -> tuple[ssl.SSLContext, str]:
    """Return a certificate for every host, which this one browser takes for good, and its key's fingerprint."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "onrecord")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    encoded = serialization.Encoding
    private = key.private_bytes(encoded.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = home / "key"
    file.touch(0o600)
    file.write_bytes(private + certificate.public_bytes(encoded.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    context.set_alpn_protocols(["http/1.1"])
    file.unlink()
    public = key.public_key().public_bytes(encoded.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return context, base64.b64encode(hashlib.sha256(public).digest()).decode()


def _group_in(home: Path | None) -> int:
    """Return the process group that the starter has written down, 0 when it has not come so far."""
    try:
        return int((home / "pid").read_text()) if home else 0
    except (OSError, ValueError):
        return 0


def _clear_profile(home: Path) -> None:
    """Remove the browser's profile, which the driver has made, and leaves where it is when it is ended in a hurry."""
    with suppress(OSError):
        profile = Path((home / "profile").read_text())
        if profile.name.startswith("playwright_"):
            shutil.rmtree(profile, ignore_errors=True)


async def _clear(folder: Path) -> None:
    """Remove a folder, again when a process that is ending has put a file into it meanwhile."""
    for _ in range(int(_ENDING / _STEP)):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        await asyncio.sleep(_STEP)


async def _end_group(group: int) -> None:
    if not group:  # which would be our own
        return
    with suppress(ProcessLookupError, PermissionError):
        for _ in range(int(_ENDING / _STEP)):
            os.killpg(group, signal.SIGKILL)  # none escapes by starting another: a fork is not finished under a signal
            await asyncio.sleep(_STEP)  # until all have ended: the last to go may still write files
