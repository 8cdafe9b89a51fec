"""One machine's scheduler, as a process that can be killed: what is due, again and again, by a rehearsed clock.

    python -m tests.pipeline.watch.scheduler STORE FOLDER WATCHES CLOCK ALERTS

The file CLOCK says by how many minutes the rehearsal's clock is ahead of the real one. Each round prints a line once it
is over. Alerts are appended to the file ALERTS by a command.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from archive import times
from archive.archive import Archive
from pipeline.alerts.notify import notify
from pipeline.alerts.settings import load_channels
from pipeline.cli.capture_options import options_of
from pipeline.extract.extractor_pool import ExtractorPool
from pipeline.ingest.capture_run import CaptureOptions, recover
from pipeline.watch import lease as turns
from pipeline.watch.history import Ledger
from pipeline.watch.run_due import Settings, run_due, told
from pipeline.watch.watch_list import load
from storage.location import open_store

DEFAULTS = {"allow_private": True, "delay": 0.0, "requisites": False, "timeout": 60.0}


def main(location: str, folder: Path, watches: Path, clock: Path, alerts: Path) -> None:
    turns.BEAT = 0.5  # seconds of the real clock: its silence is counted by the rehearsal's
    store = open_store(location)
    ledger = Ledger(folder / "state" / "ledger.db")
    channels = load_channels(
        {"command": {"argv": ["/bin/sh", "-c", f"cat >> '{alerts}'; echo >> '{alerts}'"], "digest": "each"}}
    )
    with ExtractorPool(1, time_limit=60, memory_limit=2_000_000_000) as pool:
        settings = Settings(_options, folder / "state", 600, pool)
        while True:
            times.rehearse(timedelta(minutes=int(clock.read_text())))
            archive = Archive(store, spool=folder / "spool", cache=folder / "cache")
            archive.prepare()
            for _ in recover(archive, _options({})):
                pass
            with suppress(turns.Elsewhere), turns.alone(folder / "state"), turns.turn(archive.marks) as mine:
                ran = run_due(archive, load(watches), ledger, settings, lambda *_: None, mine)
                if notify(ran.events, channels, folder / "outbox").kept:
                    told(ledger, ran.tellings)
            notify([], channels, folder / "outbox")
            print("a round", flush=True)


def _options(given: Any) -> CaptureOptions:
    return replace(options_of(DEFAULTS, given), apart=False)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]), Path(sys.argv[5]))
