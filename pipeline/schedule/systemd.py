"""A service and a timer of the user's own systemd: no root, missed runs are made up for, starts are spread."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pipeline.schedule.job import Job, ScheduleError, clock_pattern

_STORE = re.compile(r"^# onrecord store (?P<store>.*)$", re.MULTILINE)
_WHEN = re.compile(r"^OnCalendar=(?P<when>.*)$", re.MULTILINE)
_ENVIRONMENT = re.compile(r"^Environment=(?P<pair>.*)$", re.MULTILINE)
_CALENDAR = re.compile(r"[A-Za-z0-9*,./:~ +_-]+\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Unit:
    """A timer that was found, and the files that make it."""

    key: str
    store: str
    when: str


def folder() -> Path:
    """Where the user's units lie."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "systemd" / "user"


def when(every: timedelta | None, calendar: str | None, key: str) -> str:
    """Return the value of OnCalendar=; raises ScheduleError."""
    if calendar is not None:
        if not _CALENDAR.match(calendar):
            raise ScheduleError(f"{calendar!r} is no time for systemd: write one such as 'Mon..Fri 06:20'")
        return calendar
    minutes, hour, minute = clock_pattern(every or timedelta(minutes=15), key)
    if minutes < 60:
        return f"*:{minute}/{minutes}"
    if minutes == 60:
        return f"*:{minute:02}"
    return f"{hour:02}:{minute:02}" if minutes == 24 * 60 else f"{hour:02}/{minutes // 60}:{minute:02}"


def files(job: Job, calendar: str, spread: timedelta) -> dict[Path, str]:
    """Return the unit files of a job: a service that runs once, and its timer."""
    name = _name(job.key)
    lines = [f"Environment={_quoted(f'{key}={value}')}" for key, value in job.environment]
    command = " ".join(_quoted(word).replace("$", "$$") for word in job.argv)
    service = (
        f"# onrecord store {job.store}\n"
        "[Unit]\nDescription=Capture what onrecord watches\n\n"
        # 3: some targets failed, which the run has told; 11: the one before is still at it
        "[Service]\nType=oneshot\nSuccessExitStatus=3 11\n" + "".join(f"{each}\n" for each in lines)
    ) + f"ExecStart={command}\n"
    timer = (
        f"# onrecord store {job.store}\n"
        "[Unit]\nDescription=When onrecord captures what it watches\n\n"
        f"[Timer]\nOnCalendar={calendar}\nPersistent=true\nRandomizedDelaySec={int(spread.total_seconds())}\n\n"
        "[Install]\nWantedBy=timers.target\n"
    )
    return {folder() / f"{name}.service": service, folder() / f"{name}.timer": timer}


def spread_of(every: timedelta | None) -> timedelta:
    """How far starts are spread: a tenth of the span, at most five minutes."""
    return min((every or timedelta(minutes=15)) / 10, timedelta(minutes=5))


def install(job: Job, made: dict[Path, str]) -> bool:
    """Write the files and start the timer; whether anything was not as it should be. Raises ScheduleError."""
    _systemctl("daemon-reload")  # where there is no such systemd, nothing is written
    changed = [path for path, text in made.items() if _text(path) != text]
    try:
        for path in changed:
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f".{path.name}.part")
            part.write_text(made[path], "utf-8")
            part.replace(path)
    except OSError as error:
        raise ScheduleError(f"{error.filename} cannot be written: {error.strerror}") from error
    _systemctl("daemon-reload")
    _systemctl("enable", "--now", f"{_name(job.key)}.timer")
    if changed:  # a timer that runs keeps the times it was started with
        _systemctl("restart", f"{_name(job.key)}.timer")
    return bool(changed)


def remove(key: str) -> bool:
    """Stop the timer and delete the files; whether there were any. Raises ScheduleError."""
    paths = [folder() / f"{_name(key)}.{kind}" for kind in ("timer", "service")]
    if not any(path.exists() for path in paths):
        return False
    _systemctl("disable", "--now", f"{_name(key)}.timer")
    for path in paths:
        path.unlink(missing_ok=True)
    _systemctl("daemon-reload")
    return True


def installed() -> list[Unit]:
    """Return the timers whose files are there."""
    made = []
    for path in sorted(folder().glob("onrecord-????????.timer")):
        text = _text(path) or ""
        store, calendar = _STORE.search(text), _WHEN.search(text)
        if store and calendar:
            made.append(Unit(path.stem.removeprefix("onrecord-"), store["store"], calendar["when"]))
    return made


def environment(key: str) -> dict[str, str]:
    """Return the variables that the service of a timer of ours sets."""
    text = _text(folder() / f"{_name(key)}.service") or ""
    pairs = (_unquoted(match["pair"]) for match in _ENVIRONMENT.finditer(text))
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def _name(key: str) -> str:
    return f"onrecord-{key}"


def _quoted(word: str) -> str:
    """Return a word for a unit file.

    In double quotes, specifiers and escapes doubled (systemd.syntax, systemd.unit).
    """
    inside = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return inside if re.fullmatch(r"[A-Za-z0-9_@+=:,./%-]+", inside) else f'"{inside}"'


def _unquoted(word: str) -> str:
    inside = word[1:-1] if word[:1] == '"' else word
    return re.sub(r"\\(.)", r"\1", inside).replace("%%", "%")


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError):
        return None


def _systemctl(*arguments: str) -> None:
    command = ["systemctl", "--user", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60, check=False)  # noqa: S603
    except FileNotFoundError:
        raise ScheduleError("there is no systemctl here: use --cron") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ScheduleError(f"systemctl cannot be used: {error}") from None
    if done.returncode:
        said = " ".join(done.stderr.split())[:300] or f"it ended with {done.returncode}"
        hint = "; log in as this user, or use --cron" if "bus" in said else ""
        raise ScheduleError(f"{' '.join(command)}: {said}{hint}")
