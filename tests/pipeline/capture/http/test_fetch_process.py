"""Fetching in a process of its own: the same results, and nothing left behind however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archive.digests import digest_of
from archive.model import Target
from archive.warc.payload_digest import measure
from pipeline.capture.http.fetch_process import fetch_apart
from pipeline.capture.http.settings import FetchSettings
from storage.errors import OnrecordError
from tests.site import ODD, Site, answer, silent, streamed

SETTINGS = FetchSettings("test/1", delay=0, allow_private=True, timeout=30, retries=0)


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


def children() -> set[int]:
    command = ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(os.getpid())]
    listed = subprocess.run(command, capture_output=True, text=True).stdout
    return {int(line.split()[0]) for line in listed.splitlines() if "http.fetch_process" in line}


def test_results_are_those_of_fetch(site: Site, tmp_path: Path) -> None:
    site.answers |= ODD | {"/large": streamed(3 << 20)}
    targets = [Target(site.url(path)) for path in [*ODD, "/large", "/missing"]] + [Target("ftp://x/"), Target("\ud800")]
    results = {found.target.url: found for found in fetch_apart(targets, SETTINGS, tmp_path) if found}
    assert len(results) == len(targets)
    assert results[site.url("/missing")].verdict.name == "http-error"
    assert results["ftp://x/"].verdict.name == "unsupported-scheme"
    assert results["\ud800"].verdict.name == "invalid-url"
    with results[site.url("/chunked")].exchanges[0].response.open() as stream:
        assert stream.read() == ODD["/chunked"]
    assert results[site.url("/large")].exchanges[0].response.path is not None


def test_many_targets_and_a_slow_consumer(site: Site, tmp_path: Path) -> None:
    for number in range(300):
        site.answers[f"/{number}"] = answer(b"x" * 40_000)
    seen = 0
    for found in fetch_apart((Target(site.url(f"/{number}")) for number in range(300)), SETTINGS, tmp_path):
        assert found is not None
        seen += 1
        if seen == 10:
            time.sleep(0.3)
            assert len(site.requests) < 300
    assert seen == 300


def test_a_target_is_fetched_as_soon_as_its_source_gives_it(site: Site, tmp_path: Path) -> None:
    site.answers["/a"] = answer(b"a")
    go_on = threading.Event()

    def source() -> Iterator[Target]:
        yield Target(site.url("/a"))
        go_on.wait(30)

    results = fetch_apart(source(), SETTINGS, tmp_path, tick=0.05)
    assert next(found for found in results if found is not None).verdict.ok
    assert next(results) is None
    go_on.set()
    assert all(found is None for found in results)


def test_closing_ends_the_process_and_its_files(site: Site, tmp_path: Path) -> None:
    site.answers |= {"/silent": silent, "/large": streamed(5 << 20)}
    before = children()
    results = fetch_apart([Target(site.url(path)) for path in ("/large", "/silent")], SETTINGS, tmp_path, tick=0.05)
    first = next(found for found in results if found is not None)
    first.exchanges[0].response.discard()
    assert len(children() - before) == 1
    results.close()
    assert children() <= before
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_fails_is_told_to_the_consumer(site: Site, tmp_path: Path) -> None:
    def source() -> Iterator[Target]:
        yield Target(site.url("/a"))
        raise LookupError("the list broke off")

    with pytest.raises(LookupError, match="the list broke off"):
        list(fetch_apart(source(), SETTINGS, tmp_path, tick=0.05))


def test_a_process_that_is_killed_is_told_in_one_line(site: Site, tmp_path: Path) -> None:
    site.answers |= {"/a": answer(b"a"), "/silent": silent}
    before = children()
    results = fetch_apart([Target(site.url(path)) for path in ("/a", "/silent")], SETTINGS, tmp_path, tick=0.05)
    assert next(found for found in results if found is not None).verdict.ok
    (child,) = children() - before
    os.kill(child, signal.SIGKILL)
    with pytest.raises(OnrecordError, match="was ended"):
        list(results)


PARENT = """
import sys
from pathlib import Path
from archive.digests import digest_of
from archive.model import Target
from archive.warc.payload_digest import measure
from pipeline.capture.http.fetch_process import fetch_apart
from pipeline.capture.http.settings import FetchSettings
settings = FetchSettings("test/1", delay=0, allow_private=True, timeout=300)
for found in fetch_apart(map(Target, sys.argv[2:]), settings, Path(sys.argv[1])):
    print(found.verdict.name, flush=True)
"""


def test_the_process_ends_with_its_parent(site: Site, tmp_path: Path) -> None:
    site.answers |= {"/a": answer(b"a"), "/silent": silent}
    command = [sys.executable, "-c", PARENT, str(tmp_path), site.url("/a"), site.url("/silent")]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "ok\n"
    parent.kill()
    parent.communicate(timeout=20)  # ends once nobody holds its output open any more: the child among them


def test_digests_come_with_the_exchanges(site: Site, tmp_path: Path) -> None:
    site.answers |= {"/chunked": ODD["/chunked"], "/large": streamed(3 << 20)}
    for found in fetch_apart([Target(site.url("/chunked")), Target(site.url("/large"))], SETTINGS, tmp_path):
        assert found is not None
        (exchange,) = found.exchanges
        assert exchange.digests == measure(replace(exchange, digests=None))
        with exchange.response.open() as stream:
            assert exchange.digests.block == digest_of(stream.read())
