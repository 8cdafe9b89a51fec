"""Whether what starts the scheduled runs is itself running."""

from __future__ import annotations

import getpass
import subprocess
from contextlib import suppress
from pathlib import Path

_CRONS = {"cron", "crond", "fcron", "bcron-sched", "dcron", "anacron"}


def cron_runs(proc: Path = Path("/proc")) -> bool | None:
    """Whether a cron daemon runs here; None where that cannot be seen."""
    names = set()
    for path in proc.glob("[0-9]*/comm"):
        with suppress(OSError):  # it has ended since
            names.add(path.read_text(errors="replace").strip())
    if not names:
        return None
    return not names.isdisjoint(_CRONS)


def timer_runs(unit: str) -> bool:
    """Whether the user's systemd has the timer started."""
    try:
        done = subprocess.run(["systemctl", "--user", "is-active", "--quiet", unit], timeout=20, check=False)  # noqa: S603, S607
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def lingers() -> bool:
    """Whether the user's systemd runs while the user is not logged in (loginctl enable-linger)."""
    with suppress(OSError, KeyError):
        return (Path("/var/lib/systemd/linger") / getpass.getuser()).exists()
    return False
