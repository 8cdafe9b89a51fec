"""What is served, in the hands of those who ask for it: pywb and cdx_toolkit, unchanged."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Command
from tests.peers.conftest import there
from tests.servers import free_ports
from tests.site import Site, answer
from tests.waiting import wait_for

pytestmark = pytest.mark.full

PAGE = "<html><head><title>T</title></head><body><p>{}</p></body></html>"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


@pytest.fixture(scope="module")
def onrecord(tmp_path_factory: pytest.TempPathFactory, site: Site) -> Command:
    """Three captures of a page, the second unchanged."""
    folder = tmp_path_factory.mktemp("served")
    made = Command.at(folder / "store", folder / "home")
    for text in ("first", "first", "third"):
        site.answers["/post"] = answer(PAGE.format(text).encode())
        made.capture(site.url("/post"))
        made.next_second()
    return made


@pytest.fixture(scope="module")
def served(onrecord: Command) -> Iterator[str]:
    process = onrecord.start("serve", "--port", "0")
    try:
        assert process.stderr is not None
        said = process.stderr.readline()
        found = re.search(r"at (http://\S+)/", said)
        assert found, said + process.stderr.read()
        yield found[1]
    finally:
        process.send_signal(signal.SIGINT)
        try:
            _, rest = process.communicate(timeout=100)
        finally:
            process.kill()
    assert "Traceback" not in rest, rest
    assert process.returncode in {0, 130}


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def fetched(url: str, **headers: str) -> str:
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as reply:
        data: bytes = reply.read()
    return data.decode()


def test_pywb_replays_from_it(onrecord: Command, served: str, site: Site, tmp_path: Path) -> None:
    wayback = there("bin/wayback")
    (tmp_path / "pywb").mkdir()
    config = f"collections:\n  all:\n    index: cdx+{served}/index\n    archive_paths: {served}/warc/\n"
    (tmp_path / "pywb" / "config.yaml").write_text(config)
    (port,) = free_ports(1)
    stamps = [
        "".join(filter(str.isdigit, line["timestamp"]))
        for line in onrecord("--json", "snapshots", site.url("/post")).lines
    ]
    log = (tmp_path / "log").open("w")
    process = subprocess.Popen(
        [wayback, "-p", str(port), "-b", "127.0.0.1"], cwd=tmp_path / "pywb", stdout=log, stderr=log
    )
    try:
        wait_for(lambda: process.poll() is not None or _listens(port))
        requests = len(site.requests)
        for stamp, text in zip(stamps, ("first", "first", "third"), strict=True):
            page = fetched(f"http://127.0.0.1:{port}/all/{stamp}id_/{site.url('/post')}")
            assert page == PAGE.format(text)
        rewritten = fetched(f"http://127.0.0.1:{port}/all/{stamps[1]}mp_/{site.url('/post')}")
        assert "<p>first</p>" in rewritten
        assert "WB Insert" in rewritten
        with pytest.raises(urllib.error.HTTPError, match="404"):
            fetched(f"http://127.0.0.1:{port}/all/{stamps[1]}id_/{site.url('/nothing')}")
        assert len(site.requests) == requests, "nobody asked the live site"
    finally:
        process.terminate()
        process.wait(timeout=30)
        log.close()


def test_cdx_toolkit_iterates_over_it(served: str, site: Site) -> None:
    python = there("bin/python")
    program = (
        "import cdx_toolkit, json, sys\n"
        "fetcher = cdx_toolkit.CDXFetcher(source=sys.argv[1] + '/cdx')\n"
        "print(json.dumps([dict(each.data) for each in fetcher.iter(sys.argv[2])]))\n"
        "print(json.dumps([dict(each.data) for each in fetcher.get(sys.argv[2], limit=2)]))\n"
    )
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    done = subprocess.run(
        [python, "-c", program, served, site.url("/post*")],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    every, two = map(json.loads, done.stdout.splitlines())
    assert len(every) == 3
    assert len(two) == 2
    assert {each["url"] for each in every} == {site.url("/post")}


def test_many_readers_at_once_get_what_they_asked_for(served: str, site: Site) -> None:
    """Fifty at a time, twice each, here; `python -m tests.bench.serve` asks for a minute."""
    faults: list[str] = []
    counts = [0]

    def read(number: int) -> None:
        for _ in range(2):
            try:
                text = fetched(f"{served}/cdx?url={site.url('/post')}&limit={number % 3 + 1}")
                page = fetched(f"{served}/web/2030id_/{site.url('/post')}")
            except OSError as error:
                faults.append(str(error))
                return
            counts[0] += 1
            if len(text.splitlines()) != number % 3 + 1 or page != PAGE.format("third"):
                faults.append(text + page)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults[:3]
    assert counts[0] == 100


def test_new_runs_are_seen_while_it_serves(onrecord: Command, served: str, site: Site) -> None:
    site.answers["/new"] = answer(PAGE.format("new").encode())
    assert fetched(f"{served}/cdx?url={site.url('/new')}") == ""
    onrecord.capture(site.url("/new"))
    wait_for(lambda: fetched(f"{served}/cdx?url={site.url('/new')}"))
    assert len(fetched(f"{served}/cdx?url={site.url('/new')}").splitlines()) == 1


def test_a_memento_client_negotiates(onrecord: Command, served: str, site: Site) -> None:
    python = there("bin/python")
    stamps = [line["timestamp"] for line in onrecord("--json", "snapshots", site.url("/post")).lines]
    program = (
        "import json, sys\n"
        "from datetime import datetime\n"
        "from memento_client import MementoClient\n"
        "client = MementoClient(timegate_uri=sys.argv[1] + '/timegate/', check_native_timegate=False)\n"
        "for text in sys.argv[3:]:\n"
        "    at = datetime.strptime(text, '%Y-%m-%dT%H:%M:%SZ')\n"
        "    print(json.dumps(client.get_memento_info(sys.argv[2], at)['mementos']['closest']['uri']))\n"
    )
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    done = subprocess.run(
        [python, "-W", "ignore", "-c", program, served, site.url("/post"), *stamps],
        capture_output=True, text=True, timeout=120, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    digits = ["".join(filter(str.isdigit, stamp)) for stamp in stamps]
    expected = [f"{served}/web/{each}/{site.url('/post')}" for each in digits]
    found = [uri for line in done.stdout.splitlines() for uri in [json.loads(line)]]
    assert [each[0] if isinstance(each, list) else each for each in found] == expected
