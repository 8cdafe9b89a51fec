"""Make an archive with the program of this tree, to be kept: `python -m tests.kept.make`, as root, on Linux.

Each release adds an archive of its own beside those that are there, and never changes one:

1. check out the release's tag, with a clean tree, and install `faketime`, `chromium` and `openssl`;
2. run `python -m tests.kept.make`: it writes `tests/kept/VERSION/`, and stops if that folder is there;
3. look at what is in `tests/kept/VERSION/expected/` (it must be what a user should be told), and commit the folder.

`test_kept.py` then finds the folder by itself. What a later version answers differently on purpose is changed in
`expected/` in the same commit as the program: `python -m tests.kept.answers VERSION` writes what the tree answers now,
so that the commit shows the difference.

The folder holds `store/` (the archive), `home/` (a throw-away signing key, made for this and used for nothing else; the
root certificate of the test authority; the watch list), `files/` (a bundle of evidence and a signed WACZ that were made
from it) and `expected/` (what the program answered). The pages are those of `paper.py`, served on port 80 of a loopback
address, and found by name through a `sitecustomize` that the program's processes load. The clock is libfaketime's: the
archive is of October 2025, so that no run of it is in the future of a machine that reads it. The program is unaltered.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.authority import Authority
from tests.command import Command
from tests.kept import answers, paper
from tests.kept.paper import BOARD, FEED, HOSTS, ORIGIN
from tests.site import Site

_ADDRESS = "127.8.4.1"
_CUSTOMIZE = f"""
import select, socket, threading, time
from multiprocessing.connection import Connection
# libfaketime refuses the call behind it at times.
time.sleep = lambda seconds: select.select([], [], [], seconds)
# 0.4.0 may close the connection to a worker in two threads at once, and ends with a traceback then.
_closing, _close = threading.RLock(), Connection.close
def close(self):
    with _closing:
        _close(self)
Connection.close = close
_asked = socket.getaddrinfo
def getaddrinfo(host, *more, **named):
    return _asked({_ADDRESS!r} if host in {HOSTS!r} else host, *more, **named)
socket.getaddrinfo = getaddrinfo
"""
_WATCHES = f"""[[watch]]
feed = "{ORIGIN}{FEED}"
every = "1d"
name = "lantern"
tags = ["press"]

[[watch]]
page = "{ORIGIN}{paper.FERRY}"
every = "12h"
"""


class _Paper(Site):
    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, _ADDRESS, 80)


@dataclass
class _Maker:
    """The program at a time that is set, before the paper."""

    folder: Path  # what is kept
    work: Path  # what is not
    site: Site

    def at(self, time: str, *arguments: str, code: int = 0, day: int = 1) -> str:
        """Run the program as if it were that time, on that day of the paper; return its output."""
        self.site.answers = paper.site(day)
        offset = int(datetime.fromisoformat(time).replace(tzinfo=UTC).timestamp() - datetime.now(UTC).timestamp())
        clock = {
            "LD_PRELOAD": _libfaketime(), "FAKETIME": f"{offset}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "TZ": "UTC",
        }  # fmt: skip
        os.environ.update(clock)  # of openssl, which the authority starts, too
        try:
            done = Command.at(
                self.folder / "store", self.work / "home", ONRECORD_CONFIG=str(self.work / "onrecord.toml"),
                PYTHONPATH=f"{self.work}{os.pathsep}{Path(__file__).parents[2]}",
            )(*arguments)  # fmt: skip
        finally:
            for name in clock:
                del os.environ[name]
        if done.code != code:
            sys.exit(f"{' '.join(arguments)}: {done.code}, not {code}\n{done.out}\n{done.err}")
        return done.out


def _libfaketime() -> str:
    found = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    return str(found) if found else sys.exit("libfaketime is missing: apt-get install faketime")


def make(folder: Path) -> None:
    """Make the archive of this version in a folder that is not there yet."""
    with tempfile.TemporaryDirectory() as name, _Paper() as site:
        work = Path(name)
        (work / "sitecustomize.py").write_text(_CUSTOMIZE)
        authority = Authority(work / "authority")
        keys = folder / "home"
        keys.mkdir(parents=True)
        (folder / "files").mkdir()
        shutil.copy(authority.roots, keys / "roots.pem")
        (keys / "watches.toml").write_text(_WATCHES)
        (work / "onrecord.toml").write_text(
            f'signing_key = "{keys}/signing-key"\nwatches = "{keys}/watches.toml"\n'
            f'[evidence]\nsign = false\nauthorities = ["{authority.url}"]\nroots = "{keys}/roots.pem"\n'
            '[capture]\nallow_private = true\ndelay = 0\nworkers = 1\noperator = "The Lantern\'s own archive"\n'
        )
        try:
            _story(_Maker(folder, work, site), work)
        finally:
            authority.close()


def _story(maker: _Maker, work: Path) -> None:
    """Fill the archive, in order."""
    named = [ORIGIN + path for path in (
        paper.FERRY, paper.RECIPE, paper.DRAFT, paper.WITNESS, paper.OLD_NOTICE, paper.MISSING,
    )]  # fmt: skip
    feed = ("--feed", ORIGIN + FEED)
    maker.at("2025-10-06 06:30", "capture", *feed, *named, code=3)  # one of them was never there
    maker.at("2025-10-07 06:30", "capture", *feed, *named, code=3, day=2)  # revisits, and an edit
    maker.at("2025-10-08 09:00", "capture", "--browser", BOARD + "/board", day=2)
    maker.at("2025-10-09 07:00", "capture", "--max-size", "500", ORIGIN + paper.TABLE, code=3, day=2)
    maker.at("2025-10-09 08:00", "compact", "--all")
    public = maker.at("2025-10-10 05:00", "evidence", "key", "--new", "lantern.example")
    (maker.folder / "home" / "public-key").write_text(public.splitlines()[0] + "\n")
    maker.at("2025-10-10 06:30", "run", day=3)
    maker.at("2025-10-10 08:00", "evidence", "checkpoint")
    maker.at("2025-10-13 06:30", "capture", ORIGIN + paper.LETTER, ORIGIN + paper.FERRY, code=3, day=4)
    maker.at("2025-10-14 06:30", "capture", ORIGIN + paper.LETTER, ORIGIN + paper.FERRY, code=3, day=4)
    (work / "tidings.warc.gz").write_bytes(paper.foreign())
    maker.at("2025-10-15 10:00", "import", str(work / "tidings.warc.gz"))
    maker.at("2025-10-16 10:00", "withhold", "add", ORIGIN + "/people/", "--match", "prefix",
             "--reason", "Asked by a witness", "--note", "Until the hearing is over")  # fmt: skip
    maker.at("2025-10-16 10:05", "embargo", "add", ORIGIN + paper.DRAFT, "--until", "2099-01-01")
    maker.at("2025-10-16 10:10", "embargo", "add", ORIGIN + paper.NOTICE, "--until", "2025-11-01",
             "--reason", "Sealed until the offers are opened")  # fmt: skip
    holding, referring = sorted(path.name for path in (maker.folder / "store" / "runs").iterdir())[:2]
    recipe = ("--url", ORIGIN + paper.RECIPE, "--reason", "Asked by its author", "--yes")
    maker.at("2025-10-17 10:00", "redact", referring, *recipe)
    maker.at("2025-10-17 10:10", "evidence", "checkpoint")
    maker.at("2025-10-17 10:20", "redact", holding, *recipe)
    maker.at("2025-10-17 11:00", "compact")
    maker.at("2025-10-18 07:00", "evidence", "checkpoint")
    maker.at("2025-10-19 06:30", "run", day=4)  # signed by no checkpoint, and merged into no index
    files = maker.folder / "files"
    ferry = ORIGIN + paper.FERRY
    maker.at("2025-10-20 07:00", "evidence", "create", ferry, "--at", "2025-10-07", "-o", str(files / "ferry.zip"))
    maker.at("2025-10-20 07:10", "export", str(files / "ferry.wacz"), "--url", ferry, "--sign")


def main() -> None:
    """Make the archive and record what is answered about it."""
    shown = subprocess.run([*answers.PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout
    folder = Path(__file__).parent / shown.split()[-1]
    if folder.exists():
        sys.exit(f"{folder} is there: an archive that is kept is never made again")
    make(folder)
    answers.record(folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {size:,} bytes")


if __name__ == "__main__":
    main()
