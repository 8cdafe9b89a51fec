"""What every bench needs: pages, their server in a process of its own, and what a program took, by the system."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LARGEST = 300_000  # bytes of a page: beyond it extraction takes seconds a page, the same for everyone
WORDS = "court press harbour column ruling reader tax train council quay minister paper night page word law".split()


@dataclass(frozen=True)
class Cost:
    """What a process and its children took."""

    wall: float  # seconds
    cpu: float  # seconds
    peak: int  # bytes of the process itself, not of its children

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.wall + other.wall, self.cpu + other.cpu, max(self.peak, other.peak))


class Bench:
    """The pages, the servers and a folder for everything that is made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pages = folder / "pages"
        self.edition = folder / "edition"
        self.edition.write_text("0 0")
        self.port = _free_port()
        self.env = os.environ | {"HOME": str(folder / "home")}
        (folder / "home").mkdir()

    def make_pages(self) -> None:
        source = next(iter(sorted(Path("/usr/share/doc").glob("python3.*/html"))), None)
        if source is None:
            _made_up_pages(self.pages)
            print("pages: made up, for python3-doc is not installed")
        else:
            for path in source.rglob("*.html"):
                if path.stat().st_size < LARGEST:
                    target = self.pages / path.relative_to(source)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, target)
        self.paths = sorted(f"/{path.relative_to(self.pages)}" for path in self.pages.rglob("*.html"))
        size = sum(path.stat().st_size for path in self.pages.rglob("*.html"))
        print(f"pages: {len(self.paths)}, {size / len(self.paths) / 1000:.0f} kB each on average")

    @contextmanager
    def serving(self, *, hosts: int = 1, latency: float = 0.0) -> Iterator[None]:
        command = [
            "-m",
            "tests.bench.server",
            str(self.pages),
            str(self.port),
            str(hosts),
            str(latency),
            str(self.edition),
        ]
        server = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE)
        try:
            assert server.stdout is not None
            server.stdout.readline()
            yield
        finally:
            server.kill()
            server.wait()

    def urls(self, name: str, *, copies: int = 1, hosts: int = 1, most: int = 10**9) -> Path:
        file = self.folder / name
        lines = [
            f"http://127.0.0.{host + 1}:{self.port}{path}?copy={copy}"
            for copy in range(copies)
            for host in range(hosts)
            for path in self.paths[:most]
        ]
        file.write_text("\n".join(lines) + "\n")
        return file

    def fresh(self, name: str) -> Path:
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        return path

    def run(self, *command: str, cwd: Path | None = None, may_fail: bool = False) -> Cost:
        """Run to the end and measure, by what the system accounts to the process."""
        log = (self.folder / "log").open("ab")
        begun = time.monotonic()
        process = subprocess.Popen(command, cwd=cwd, env=self.env, stdout=log, stderr=log)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - begun
        if process.returncode and not may_fail:
            sys.exit(f"{command[0]} ended with {process.returncode}; see {log.name}")
        return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


def _made_up_pages(folder: Path) -> None:
    folder.mkdir()
    dice = random.Random(1)
    for number in range(300):
        paragraphs = "".join(f"<p>{' '.join(dice.choices(WORDS, k=60))}.</p>" for _ in range(40))
        (folder / f"{number}.html").write_text(
            f"<html><title>Page {number}</title><article>{paragraphs}</article></html>"
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
