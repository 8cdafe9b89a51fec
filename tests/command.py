"""The program as a user runs it: a process of its own, with a home and a store of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import forked


@dataclass(frozen=True)
class Done:
    """What a process printed and returned."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Command:
    """`onrecord` with one store."""

    store: str
    env: dict[str, str]

    @classmethod
    def at(cls, store: str | Path, home: Path, **extra: str) -> Command:
        env = {name: value for name, value in os.environ.items() if not name.startswith(("ONRECORD_", "XDG_"))}
        return cls(str(store), env | {"HOME": str(home)} | extra)

    def argv(self, *arguments: str) -> list[str]:
        return [
            sys.executable,
            "-P",
            "-c",
            "from pipeline.cli.main import main; main()",
            "--store",
            self.store,
            *arguments,
        ]

    def __call__(self, *arguments: str, stdin: str = "") -> Done:
        if forked.possible(self.env):
            ended = forked.run(("--store", self.store, *arguments), self.env, stdin.encode())
            return Done(ended.code, ended.out.decode(), ended.err.decode())
        done = subprocess.run(self.argv(*arguments), capture_output=True, env=self.env, input=stdin.encode())
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.argv(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.env
        )

    def capture(self, *urls: str, json_lines: bool = True, extra: tuple[str, ...] = ()) -> Done:
        flags = ["--json"] if json_lines else []
        return self(*flags, "capture", "--allow-private", "--delay", "0", *extra, "-i", "-", stdin="\n".join(urls))

    @staticmethod
    def next_second() -> None:
        """Wait until what is captured next has a timestamp of its own."""
        now = int(time.time())
        while int(time.time()) == now:
            time.sleep(1.0 - time.time() % 1.0)

    @property
    def spooled(self) -> list[Path]:
        return sorted(Path(self.env["HOME"]).glob(".local/state/onrecord/spool/*/2*"))
