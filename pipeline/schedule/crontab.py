"""A marked block in the user's crontab. Every other byte of it stays as it is, and removing the block puts all back."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from pathlib import Path

from pipeline.schedule.job import Job, ScheduleError, clock_pattern

LONGEST = 998  # bytes of a command: Debian's cron takes no more
_FIELDS = re.compile(r"[0-9A-Za-z*,/-]+(?: +[0-9A-Za-z*,/-]+){4}\Z", re.ASCII)
_BEGIN = rb"^# >>> onrecord (?P<key>[0-9a-f]{8})(?P<notes>(?: \[[a-z ]+\])*) (?P<store>[^\n]*)\n"
_BLOCK = re.compile(_BEGIN + rb"(?:(?!# >>> onrecord )[^\n]*\n)*?# <<< onrecord (?P=key)[^\n]*(?:\n|\Z)", re.MULTILINE)
_ONLY_BEGIN = re.compile(_BEGIN, re.MULTILINE)
_NONE_BEFORE = b" [no crontab before]"
_NO_NEWLINE = b" [no newline before]"
# What `crontab -l` says where there may be a crontab that it does not show: none may be put in its place.
_REFUSED = re.compile(
    rb"not allowed|denied|not permitted|permission|privilege|set-?[ug]?id|suid|must be|unauthori[sz]ed|authenticat|pam"
    rb"|input/output|i/o error|too many|no space|read-only|locked|try again|timed? ?out|temporar|unknown user|passwd"
    rb"|who you are|unknown option|invalid option|unrecogni[sz]ed|illegal option|usage:|not found|cannot execute"
)


@dataclass(frozen=True, slots=True)
class Installed:
    """A block that was found: whose it is, and its line."""

    key: str
    store: str
    line: str


def fields(every: timedelta | None, calendar: str | None, key: str) -> str:
    """Return the five fields of a crontab line; raises ScheduleError for what they cannot say."""
    if calendar is not None:
        from cronsim import CronSim, CronSimError

        try:
            if not _FIELDS.match(calendar.strip()):
                raise CronSimError
            CronSim(calendar.strip(), datetime(2024, 1, 1))
        except CronSimError:
            raise ScheduleError(
                f"{calendar!r} is no time for cron: write five fields, such as '20 6 * * mon-fri'"
            ) from None
        return calendar.strip()
    minutes, hour, minute = clock_pattern(every or timedelta(minutes=15), key)
    if minutes == 1:
        return "* * * * *"
    if minutes < 60:
        return f"{minute}-59/{minutes} * * * *"
    if minutes == 60:
        return f"{minute} * * * *"
    if minutes == 24 * 60:
        return f"{minute} {hour} * * *"
    return f"{minute} {hour}-23/{minutes // 60} * * *"


def quoted(value: str) -> str:
    r"""Return a word for the shell in a crontab line.

    cron ends a command at `%` unless a backslash stands before it, and crons differ in what they make of two
    backslashes. So `%` stands outside of quotes as `\%`, which is `%` to a cron that takes the backslash away and to a
    shell that is given it, and no backslash follows another.
    """
    if re.fullmatch(r"[A-Za-z0-9_@+=:,./-]+", value):
        return value
    inside = value.replace("'", "'\"'\"'").replace("\\\\", "\\''\\").replace("\\\\", "\\''\\")
    return "'" + inside.replace("%", "'\\%'") + "'"


def line(job: Job, when: str) -> str:
    """Return the crontab line of a job; raises ScheduleError for one that is too long for cron."""
    pairs = [f"{name}={quoted(value)}" for name, value in job.environment]
    words = [*(("/usr/bin/env", *pairs) if pairs else ()), *(quoted(word) for word in job.argv)]
    made = " ".join(words)
    if len(made.encode()) > LONGEST:
        raise ScheduleError(
            f"the command has {len(made.encode())} bytes and cron takes {LONGEST}: shorten PATH, put ONRECORD_* "
            "settings into the configuration file, or use --systemd"
        )
    return f"{when} {made}"


def environment(made: str) -> dict[str, str]:
    """Return the variables that a crontab line of ours sets."""
    try:
        words = shlex.split(made)[6:]  # after the times and /usr/bin/env
    except ValueError:  # somebody has changed it
        return {}
    pairs = takewhile(lambda word: "=" in word.partition("/")[0], words)
    return dict(pair.split("=", 1) for pair in pairs)


def block(job: Job, when: str, notes: bytes = b"") -> bytes:
    """Return the lines between and with the marks."""
    begin = b"# >>> onrecord " + job.key.encode() + notes + b" " + job.store.encode() + b"\n"
    body = f"{line(job, when)}\n# <<< onrecord {job.key} (onrecord schedule remove takes this block out)\n"
    return begin + body.encode()


def with_block(table: bytes | None, job: Job, when: str) -> bytes:
    """Return the crontab with the job's block.

    In place of the one that is there, or at the end. Raises ScheduleError.
    """
    before = table or b""
    found = _blocks(before, job.key)
    if found:
        first = found[0]
        without_others = before[: first.end()] + _cut(before[first.end() :], job.key)
        return before[: first.start()] + block(job, when, first["notes"]) + without_others[first.end() :]
    notes = _NONE_BEFORE if table is None else b""
    if before and not before.endswith(b"\n"):
        before, notes = before + b"\n", _NO_NEWLINE
    return before + block(job, when, notes)


def without_block(table: bytes | None, key: str) -> bytes | None:
    """Return the crontab as it was before the block of that key; None where there was none. Raises ScheduleError."""
    rest = table
    while rest is not None and (found := _blocks(rest, key)):
        rest = _without(rest, found[0])
    return rest


def installed(table: bytes | None) -> list[Installed]:
    """Return the blocks in a crontab; raises ScheduleError for one that has lost its end."""
    made = []
    for match in _blocks(table or b"", None):
        lines = match[0].decode("utf-8", "replace").splitlines()
        made.append(Installed(match["key"].decode(), match["store"].decode("utf-8", "replace"), "\n".join(lines[1:-1])))
    return made


def read() -> bytes | None:
    """Return the user's crontab, None if the user has no crontab; raises ScheduleError."""
    done = _crontab("-l")
    if done.returncode == 0:
        # Debian's prints a carriage return as these two characters; what an editor is given is the crontab itself
        return _as_edited() if b"\\r" in done.stdout else done.stdout
    if done.returncode in {1, 2} and not done.stdout.strip() and not _REFUSED.search(done.stderr.lower()):
        return None  # each cron has its own words for it: "no crontab for ida", "can't open 'ida': No such file ..."
    raise ScheduleError(f"crontab -l: {_said(done)}")


def write(table: bytes | None) -> None:
    """Replace the user's crontab; None removes it. Raises ScheduleError."""
    done = _crontab("-r") if table is None else _crontab("-", table)
    if done.returncode and table and not table.endswith(b"\n"):
        done = _crontab("-", table + b"\n")  # most crons take no crontab without a last newline
    if done.returncode:
        raise ScheduleError(f"crontab refuses it: {_said(done)}")


def _blocks(table: bytes, key: str | None) -> list[re.Match[bytes]]:
    found = list(_BLOCK.finditer(table))
    whole = {match.start() for match in found}
    for match in _ONLY_BEGIN.finditer(table):
        if match.start() not in whole:
            raise ScheduleError(
                f"the block onrecord {match['key'].decode()} in the crontab has lost its end: repair it with crontab -e"
            )
    return [match for match in found if key is None or match["key"] == key.encode()]


def _cut(table: bytes, key: str) -> bytes:
    for match in reversed(_blocks(table, key)):
        table = table[: match.start()] + table[match.end() :]
    return table


def _without(table: bytes, found: re.Match[bytes]) -> bytes | None:
    head, tail, notes = table[: found.start()], table[found.end() :], found["notes"]
    following = _ONLY_BEGIN.match(tail)
    if following:  # what was noted of the crontab before is now for the next block to keep
        return head + tail[: following.start("notes")] + notes + tail[following.end("notes") :]
    if notes == _NONE_BEFORE and not head and not tail:
        return None
    if notes == _NO_NEWLINE and not tail:
        return head.removesuffix(b"\n")
    return head + tail


def _as_edited() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        script, copy = Path(folder) / "copy.sh", Path(folder) / "copy"
        script.write_text(f"cat \"$1\" > '{copy}'\n")
        editor = f"sh {script}"
        done = _crontab("-e", VISUAL=editor, EDITOR=editor)
        if done.returncode or not copy.exists():
            raise ScheduleError(f"crontab -e: {_said(done)}")
        return copy.read_bytes()


def _crontab(argument: str, table: bytes | None = None, **more: str) -> subprocess.CompletedProcess[bytes]:
    environment = os.environ | {"LC_ALL": "C", "CRONTAB_NOHEADER": "Y"} | more
    command = ["crontab", argument]
    try:
        return subprocess.run(  # noqa: S603
            command, input=table or b"", capture_output=True, env=environment, timeout=60, check=False
        )
    except FileNotFoundError:
        raise ScheduleError("there is no crontab here: install cron, or use --systemd") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ScheduleError(f"crontab cannot be used: {error}") from None


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    words = " ".join(done.stderr.decode("utf-8", "replace").split())
    return words[:300] or f"it ended with {done.returncode}"
