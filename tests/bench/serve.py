"""`python -m tests.bench.serve [--seconds N]`: fifty readers at once ask a served archive of a thousand pages."""

from __future__ import annotations

import argparse
import random
import re
import signal
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from archive.archive import Archive
from archive.runs.warc_files import RunSettings
from storage.location import open_store
from tests.command import Command
from tests.exchanges import an_exchange

PAGES = 1000
READERS = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory(prefix="onrecord-bench-") as folder:
        work = Path(folder)
        archive = Archive(open_store(str(work / "store")), spool=work / "spool")
        archive.prepare()
        session = archive.session(RunSettings("bench/1"))
        for number in range(PAGES):
            session.add(an_exchange(f"http://example.org/{number}", b"%d " % number * 2000), page=True)
        session.commit()
        process = Command.at(work / "store", work / "home").start("serve", "--port", "0")
        assert process.stderr is not None
        found = re.search(r"at (http://\S+)/", process.stderr.readline())
        assert found, "it says where it listens"
        times, faults = ask(found[1], seconds)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
    times.sort()
    middle, late = times[len(times) // 2], times[len(times) * 99 // 100]
    print(f"{READERS} readers, {seconds:.0f} s: {len(times):,} requests, {len(faults)} errors, "
          f"p50 {middle * 1e3:.0f} ms, p99 {late * 1e3:.0f} ms")  # fmt: skip
    for fault in faults[:5]:
        print(fault)


def ask(base: str, seconds: float) -> tuple[list[float], list[str]]:
    times: list[float] = []
    faults: list[str] = []
    until = time.monotonic() + seconds

    def read(seed: int) -> None:
        chance = random.Random(seed)
        while time.monotonic() < until:
            page = f"http://example.org/{chance.randrange(PAGES)}"
            path = chance.choice([f"/cdx?url={page}", f"/web/20261123120000id_/{page}", f"/timemap/link/{page}"])
            started = time.perf_counter()
            try:
                with urllib.request.urlopen(base + path, timeout=30) as reply:
                    reply.read()
            except OSError as error:
                faults.append(f"{path}: {error}")
            times.append(time.perf_counter() - started)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(READERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times, faults


if __name__ == "__main__":
    main()
