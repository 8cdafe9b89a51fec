"""What would stop a run in the night: the clock, the schedule and its daemon, the alerts and where they wait."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from pipeline.cli.check import Check
from pipeline.cli.context import Context
from storage.errors import OnrecordError

_REFUSED_SKEW = 15 * 60  # seconds: S3 servers refuse what is signed by a clock that is further off
_TRY = 120.0  # seconds
_SEEN_SKEW = 60  # seconds: times of captures are evidence


def checks(context: Context) -> Iterator[Check]:
    """Each thing looked at; nothing is sent to anybody."""
    yield _clock(context)
    yield _watches(context)
    yield from _schedule(context)
    yield from _alerts(context)


def _clock(context: Context) -> Check:
    from archive.times import iso, now
    from pipeline.monitoring.clock_skew import endpoint, skew
    from storage.location import open_stores

    try:
        servers = [endpoint(store.url) for store in open_stores(context.store)]
        server = next((found for found in servers if found), None)
        if server is None:
            return Check("clock", "ok", f"{iso(now())}, which no server was asked to confirm")
        ahead = skew(server)
    except (OSError, ValueError, OnrecordError) as error:
        return Check("clock", "warning", f"{iso(now())}; the store's server cannot be asked: {error}")
    if ahead is None:
        return Check("clock", "ok", f"{iso(now())}; the store's server does not say what time it has")
    told = f"{iso(now())}, {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the store's server"
    if abs(ahead) > _REFUSED_SKEW:
        return Check("clock", "failed", f"{told}, which refuses that: set the clock, and keep it by NTP")
    if abs(ahead) > _SEEN_SKEW:
        return Check("clock", "warning", f"{told}: the times of captures are wrong; keep the clock by NTP")
    return Check("clock", "ok", told)


def _watches(context: Context) -> Check:
    from pipeline.watch.watch_list import load

    path = context.watch_list()
    try:
        found = load(path)
    except OnrecordError as error:
        return Check("watches", "failed", str(error))
    paused = sum(watch.paused for watch in found)
    return Check("watches", "ok", f"{len(found)} in {path}" + (f", {paused} of them paused" if paused else ""))


def _schedule(context: Context) -> Iterator[Check]:
    from archive.times import now
    from pipeline.schedule import crontab, systemd
    from pipeline.schedule.skipped_hours import skipped

    try:
        store = context.address()
        lines = [
            it.line
            for it in (crontab.installed(crontab.read()) if shutil.which("crontab") else [])
            if it.store == store
        ]
    except OnrecordError as error:
        yield Check("schedule", "warning", str(error))
        return
    timers = [it for it in systemd.installed() if it.store == store]
    for line in lines:
        yield _cron(line)
        yield from _environment(store, crontab.environment(line))
    for timer in timers:
        yield _timer(f"onrecord-{timer.key}.timer")
        if missed := skipped(timer.when, now().date()):
            yield Check("schedule", "warning", f"{missed}: nothing is captured then; choose another --calendar")
        yield from _environment(store, systemd.environment(timer.key))
    if not (lines or timers):
        yield Check("schedule", "ok", "nothing is scheduled for this store; see: onrecord schedule install --help")


def _environment(store: str, scheduled: dict[str, str]) -> Iterator[Check]:
    """Each variable by which a scheduled run reaches another server than a command does that is given here."""
    from pipeline.schedule.job import differing, withheld

    if "s3://" in store:
        for each in differing(os.environ, scheduled):
            yield Check("schedule environment", "warning", f"{each}: onrecord schedule install writes it anew")
        for each in withheld(os.environ):
            yield Check("schedule environment", "warning", each)
        yield _tried(store, scheduled)


def _tried(store: str, scheduled: dict[str, str]) -> Check:
    """Try the store in a process of its own that has what the schedule gives a run, and nothing of this shell's."""
    command = [sys.executable, "-P", "-c", "from pipeline.cli.main import main; main()"]
    command += ["--store", store, "--json", "doctor", "--store-only"]
    environment = {"PATH": os.defpath, "HOME": str(Path.home()), **scheduled}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_TRY, check=False)  # noqa: S603
        found = [json.loads(line) for line in done.stdout.splitlines()]
        worst = next((check for check in found if check["state"] == "failed"), None)
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        return Check("schedule store", "warning", f"whether a scheduled run reaches the store cannot be tried: {error}")
    if worst is not None:
        return Check("schedule store", "failed", f"with the environment of the schedule: {worst['detail']}")
    if done.returncode or not found:
        why = " ".join(done.stderr.split())[-300:] or f"exit code {done.returncode}"
        return Check("schedule store", "failed", f"with the environment of the schedule: {why}")
    return Check("schedule store", "ok", "can be reached with the environment that the schedule has")


def _cron(line: str) -> Check:
    from pipeline.monitoring.scheduler_daemons import cron_runs

    words = [word for word in shlex.split(line)[5:] if "=" not in word and word != "/usr/bin/env"]
    if not words or not os.access(words[0], os.X_OK):
        return Check(
            "schedule",
            "failed",
            f"cron starts {words[0] if words else 'nothing'}, which is not there: schedule it again",
        )
    running = cron_runs()
    if running is None:
        return Check("schedule", "warning", "in the crontab; whether cron runs cannot be seen here")
    if not running:
        return Check("schedule", "failed", "in the crontab, but no cron daemon runs: start it (systemctl start cron)")
    return Check("schedule", "ok", "in the crontab, and cron runs")


def _timer(unit: str) -> Check:
    from pipeline.monitoring.scheduler_daemons import lingers, timer_runs

    if not timer_runs(unit):
        return Check(
            "schedule", "failed", f"{unit} is not active: schedule it again, or start it with systemctl --user"
        )
    if not lingers():
        return Check("schedule", "warning", f"{unit} runs only while you are logged in: loginctl enable-linger")
    return Check("schedule", "ok", f"{unit} is active")


def _alerts(context: Context) -> Iterator[Check]:
    from pipeline.alerts.outbox import Outbox
    from pipeline.alerts.settings import load_channels
    from pipeline.alerts.webhook import secret_note
    from pipeline.monitoring.healthchecks import healthcheck
    from pipeline.outbound.errors import DeliveryError

    try:
        channels = load_channels(context.alerts)
        healthcheck(context.alerts.get("healthcheck"))
    except OnrecordError as error:
        yield Check("alerts", "failed", str(error))
        return
    if not channels:
        yield Check("alerts", "ok", "no channel is set up: nobody gets an alert when a page disappears")
    for channel in channels:
        try:
            channel.sender.probe()
        except DeliveryError as error:
            yield Check(f"alerts by {channel.name}", "warning", f"{error}; alerts wait until this is mended")
        else:
            note = secret_note(channel.sender)
            detail = "can be reached; to send one: onrecord alerts test" + (f"; {note}" if note else "")
            yield Check(f"alerts by {channel.name}", "ok", detail)
    try:
        waiting = Outbox(context.outbox_folder()).waiting()
    except OnrecordError as error:
        yield Check("outbox", "failed", str(error))
    else:
        yield Check("outbox", "warning" if waiting else "ok", f"{waiting} alerts wait to be sent")
    yield from _metrics(context)


def _metrics(context: Context) -> Iterator[Check]:
    path = context.metrics_file()
    if path is None:
        return
    if os.access(path.parent, os.W_OK):
        yield Check("metrics", "ok", str(path))
    else:
        yield Check("metrics", "warning", f"{path} cannot be written: make its folder, and let this user write there")
