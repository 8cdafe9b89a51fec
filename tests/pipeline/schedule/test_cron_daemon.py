"""Debian's own cron daemon runs what was installed: captures happen, an overlap is refused, the crontab comes back.

The daemon and every `crontab` have a mount namespace of their own, in which the spool is a folder of the test: this
machine's crontabs are neither read nor written. It takes two or three turns of the minute, or more, until there are
TORTURE_CAPTURES of one page; leave it out with `-k 'not cron_daemon'`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.cli.conftest import post
from tests.site import Handler, Site, Talk
from tests.torture.scale import count
from tests.waiting import wait_for

CAPTURES = count("CAPTURES", 1, 10)
# What stands before: a carriage return, and two characters that `crontab -l` shows one as.
BEFORE = "# mine, \r\nODD='1'\n* * * * * echo $ODD 100\\% >> {folder}/mine # \\r"
PROGRAM = """#!{python}
from pipeline.cli.main import main
main()
"""
MOUNTS = """
mount --make-rprivate /
mount --bind {folder}/spool /var/spool/cron/crontabs
mount --bind {folder}/run /run
mount --bind {folder}/empty /etc/cron.d
mount --bind {folder}/crontab /etc/crontab
exec cron -f
"""


def _cannot() -> str | None:
    if shutil.which("cron") is None:
        return "no cron daemon here: install Debian's cron"
    if os.geteuid() != 0:
        return "only root can start a cron daemon"
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        return "no mount namespaces here, and this machine's own crontabs are left alone"
    return None


class Cron:
    """The daemon, and commands that see its spool."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._environment = environment
        for name in ("spool", "run", "empty"):
            (folder / name).mkdir()
        (folder / "crontab").touch()
        shutil.chown(folder / "spool", group="crontab")
        (folder / "spool").chmod(0o1730)
        command = ["unshare", "-m", "sh", "-e", "-c", MOUNTS.format(folder=folder)]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        wait_for((folder / "run" / "crond.pid").exists)
        time.sleep(1.1)  # it compares whole seconds, and would miss a crontab of the second in which it looked

    def __call__(self, *command: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        inside = ["nsenter", f"--mount=/proc/{self.process.pid}/ns/mnt", "--wd=/", *command]
        return subprocess.run(inside, input=stdin, capture_output=True, env=self._environment)

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path in (tmp_path, *tmp_path.parents):  # whoever runs the job may have to walk there
        if path.owner() == "root" and path != Path("/tmp") and Path("/tmp") in path.parents:
            path.chmod(0o755)
    return tmp_path


@pytest.fixture
def cron(folder: Path) -> Iterator[Cron]:
    reason = _cannot()
    if reason:
        if os.environ.get("CI") and os.geteuid() == 0 and shutil.which("cron") is None:  # it could be installed
            pytest.fail(reason)
        pytest.skip(reason)
    environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    environment |= {"HOME": str(folder / "home"), "ONRECORD_ALLOW_PRIVATE": "1", "ONRECORD_DELAY": "0"}
    environment |= {"ONRECORD_TIMEOUT": "200", "ONRECORD_LOG_FILE": str(folder / "log")}
    running = Cron(folder, environment)
    try:
        yield running
    finally:
        running.end()


@pytest.mark.full
@pytest.mark.torture
@pytest.mark.timeout(900)
def test_cron_daemon_runs_what_was_installed(cron: Cron, folder: Path) -> None:
    table, log = folder / "spool" / "root", folder / "log"
    with Site() as site:
        site.answers |= {"/slow": _slow(log), "/post": post("A post", "It is there at once.")}
        program = folder / "bin" / "onrecord"
        program.parent.mkdir()
        program.write_text(PROGRAM.format(python=sys.executable))
        program.chmod(0o755)
        assert cron("crontab", "-", stdin=BEFORE.format(folder=folder).encode() + b"\n").returncode == 0
        before = _lines(table)
        assert b"\r\n" in before
        store, watches = str(folder / "my store's 100%"), folder / "my watches.toml"
        onrecord = (str(program), "--store", store)
        assert (
            cron(*onrecord, "watch", "add", site.url("/slow"), "--every", "1d", "--watches", str(watches)).returncode
            == 0
        )
        assert (
            cron(*onrecord, "watch", "add", site.url("/post"), "--every", "1m", "--watches", str(watches)).returncode
            == 0
        )
        installed = cron(*onrecord, "schedule", "install", "--every", "1m", "--watches", str(watches))
        assert installed.returncode == 0
        assert _lines(table).startswith(before + b"# >>> onrecord ")
        wait_for(lambda: _refused(log), 280)
        wait_for(lambda: len(_captured(cron, onrecord, site.url("/post"))) >= CAPTURES, 280 * CAPTURES)
        assert cron(*onrecord, "schedule", "remove", "--watches", str(watches)).returncode == 0
        assert len(_captured(cron, onrecord, site.url("/slow"))) == 1
    assert _lines(table) == before
    assert set((folder / "mine").read_text().splitlines()) == {"1 100%"}
    assert cron("crontab", "-r").returncode == 0
    assert cron(*onrecord, "schedule", "install").returncode == 0
    assert cron(*onrecord, "schedule", "remove").returncode == 0
    assert not table.exists()


def _refused(log: Path) -> bool:
    return log.exists() and "another run of this store has not ended" in log.read_text()


def _captured(cron: Cron, onrecord: tuple[str, ...], url: str) -> list[str]:
    return cron(*onrecord, "snapshots", url).stdout.decode().splitlines()


def _slow(log: Path) -> Handler:
    """A page that comes only once a second run has been refused."""

    async def handle(talk: Talk) -> None:
        while not _refused(log):
            await asyncio.sleep(0.1)
        await talk.send(post("A slow page", "It took more than a minute to come."))

    return handle


def _lines(table: Path) -> bytes:
    """A crontab in the spool, without the three lines that `crontab` puts before it."""
    return table.read_bytes().split(b"\n", 3)[3]
