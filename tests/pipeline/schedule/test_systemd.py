"""Units for the user's systemd: read by systemd itself where it is installed, and never written half."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.schedule import systemd
from pipeline.schedule.job import Job, ScheduleError, span

JOB = Job(
    "0123abcd",
    "/srv/100% odd",
    ("/bin/echo", "--store", '/srv/100% $HOME "odd" \\ it\'s', "run"),
    (("PATH", "/usr/bin:/bin"), ("ONRECORD_OPERATOR", 'Law $Clinic, 100% "quay"')),
)


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in the place of systemctl that writes down how it is called."""
    log = tmp_path / "calls"
    program = tmp_path / "bin" / "systemctl"
    program.parent.mkdir()
    broken = f'[ ! -e {tmp_path}/broken ] || {{ echo "no bus" >&2; exit 1; }}'
    program.write_text(f'#!/bin/sh\necho "$@" >> {log}\n{broken}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return log


def test_installed_twice_and_removed(calls: Path, tmp_path: Path) -> None:
    made = systemd.files(JOB, systemd.when(span("15m"), None, JOB.key), systemd.spread_of(span("15m")))
    assert systemd.install(JOB, made) is True
    assert systemd.install(JOB, made) is False
    assert "--user enable --now onrecord-0123abcd.timer" in calls.read_text()
    assert "--user daemon-reload" in calls.read_text()
    timer = (systemd.folder() / "onrecord-0123abcd.timer").read_text()
    assert "Persistent=true\nRandomizedDelaySec=90\n" in timer
    assert systemd.environment(JOB.key) == dict(JOB.environment)
    (unit,) = systemd.installed()
    assert (unit.key, unit.store, unit.when) == ("0123abcd", "/srv/100% odd", "*:7/15")
    assert systemd.remove(JOB.key) is True
    assert systemd.remove(JOB.key) is False
    assert list(systemd.folder().iterdir()) == []
    (tmp_path / "broken").touch()
    with pytest.raises(ScheduleError, match="no bus"):
        systemd.install(JOB, made)
    assert list(systemd.folder().iterdir()) == []


def test_no_systemctl_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ScheduleError, match="no systemctl here: use --cron"):
        systemd.install(JOB, {})


SPANS = {"1m": "*:0/1", "15m": "*:7/15", "1h": "*:37", "6h": "00/6:37", "1d": "06:37"}


@pytest.mark.parametrize("every", SPANS)
def test_systemd_understands_the_times(every: str) -> None:
    when = systemd.when(span(every), None, JOB.key)
    assert when == SPANS[every]
    if analyze := shutil.which("systemd-analyze"):
        command = [analyze, "calendar", "--iterations=3", when]
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"TZ": "UTC", "LC_ALL": "C"})
        assert done.returncode == 0, done.stderr
        assert "Iteration #3" in done.stdout or "Iter. #3" in done.stdout


def test_systemd_reads_the_units_as_they_were_meant(tmp_path: Path) -> None:
    made = systemd.files(JOB, "*:0/15", timedelta(seconds=90))
    service = next(text for path, text in made.items() if path.suffix == ".service")
    assert 'ExecStart=/bin/echo --store "/srv/100%% $$HOME \\"odd\\" \\\\ it\'s" run\n' in service
    assert 'Environment="ONRECORD_OPERATOR=Law $Clinic, 100%% \\"quay\\""\n' in service
    if analyze := shutil.which("systemd-analyze"):
        for path, text in made.items():
            (tmp_path / path.name).write_text(text)
        command = [analyze, "verify", "--man=no", *(str(tmp_path / path.name) for path in made)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert "onrecord-0123abcd" not in done.stderr


@pytest.mark.parametrize("calendar", ["", "daily\nExecStart=x", "\x1b", "*:0/15; rm"])
def test_calendars_that_are_none(calendar: str) -> None:
    with pytest.raises(ScheduleError, match="no time for systemd"):
        systemd.when(None, calendar, JOB.key)
