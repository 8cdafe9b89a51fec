"""`serve --write` as a user runs it: a process with two ports, a site to save, and a token."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.command import Command
from tests.pipeline.cli.conftest import post
from tests.site import Site, redirect
from tests.waiting import wait_for


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: str

    @property
    def entry(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass(frozen=True)
class Saving:
    """A server that is running, and a token for it."""

    onrecord: Command
    process: subprocess.Popen[str]
    port: int
    token: str

    def ask(self, method: str, path: str, body: bytes | str = b"", token: str | None = None, **headers: str) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            named["Authorization"] = f"Bearer {token}"
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        found = Answer(
            answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
        )
        connection.close()
        return found

    def capture(self, url: str) -> str:
        """Ask for a page; returns the id of the job."""
        done = self.ask("POST", "/capture", json.dumps({"url": url}), self.token, Content_Type="application/json")
        assert done.status == 202, done.body
        return str(done.entry["id"])

    def ended(self, job: str) -> dict[str, Any]:
        """Wait until a job is done; returns what came of it."""
        wait_for(lambda: "ended" in self.ask("GET", f"/saved/{job}").entry)
        return self.ask("GET", f"/saved/{job}").entry


@contextmanager
def serving(onrecord: Command, *, allow_private: bool = True, token: str = "") -> Iterator[Saving]:
    process = onrecord.start("serve", "--port", "0", "--write", *(["--allow-private"] if allow_private else []))
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        assert found is not None, line + process.stderr.read()
        token = token or onrecord("--json", "tokens", "add", "ida").lines[0]["token"]
        yield Saving(onrecord, process, int(found[1]), token)
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as running:
        running.answers |= {
            "/post": post("A post", "The first version of it."),
            "/other": post("Another", "Something else entirely."),
            "/moved": redirect("/post", "301 Moved"),
        }
        yield running


@pytest.fixture(scope="module")
def saving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Saving]:
    folder = tmp_path_factory.mktemp("saving")
    with serving(Command.at(folder / "store", folder / "home", ONRECORD_DELAY="0", ONRECORD_WORKERS="1")) as running:
        yield running


def manifests(onrecord: Command) -> list[dict[str, Any]]:
    return [json.loads(path.read_bytes()) for path in sorted(Path(onrecord.store).glob("runs/*/datapackage.json"))]
