"""Texts made again: a run of its own, nothing else touched, the same bytes wherever they were made."""

from __future__ import annotations

import hashlib
import os
import random
import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from archive.archive import Archive
from archive.model import Article, Snapshot
from archive.runs.warc_files import RunSettings
from pipeline.extract.extractor_version import extractor_version
from storage.local import LocalStore
from tests.command import Command
from tests.exchanges import a_document, an_exchange
from tests.site import Site, answer

_WORDS = "quay bench crate tax train bell lock harbour verdict column reader night tide ledger clerk gull".split()


def essay(number: int) -> bytes:
    draw = random.Random(number)
    sentences = [" ".join(draw.choices(_WORDS, k=12)).capitalize() + f", number {number}." for _ in range(12)]
    paragraphs = "".join(f"<p>{' '.join(sentences[at : at + 4])}</p>" for at in (0, 4, 8))
    return (
        f"<html><head><title>Essay {number}</title></head><body><article>{paragraphs}</article></body></html>".encode()
    )


@pytest.fixture
def onrecord(tmp_path: Path) -> Command:
    return Command.at(tmp_path / "store", tmp_path / "home")


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


def archive_of(onrecord: Command, tmp_path: Path) -> Archive:
    return Archive(LocalStore(Path(onrecord.store)), spool=tmp_path / "no-spool")


def runs(onrecord: Command) -> list[str]:
    return sorted(path.name for path in Path(onrecord.store).glob("runs/*"))


def hashes(onrecord: Command) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in Path(onrecord.store).glob("runs/*/**/*.*")
    }


def only(snapshots: Iterator[Snapshot]) -> Snapshot:
    (snapshot,) = snapshots
    return snapshot


@pytest.mark.full
def test_new_texts_supersede_the_old_and_touch_nothing(onrecord: Command, site: Site, tmp_path: Path) -> None:
    site.answers |= {f"/{number}": answer(essay(number)) for number in range(4)}
    site.answers["/twin"] = site.answers["/1"]
    site.answers["/file"] = answer(b"GIF89a", kind="image/gif")
    paths = ["/0", "/1", "/2", "/3", "/twin", "/file"]
    assert onrecord.capture(*map(site.url, paths)).code == 0
    onrecord.next_second()
    assert onrecord.capture(site.url("/2")).code == 0  # a revisit in another run
    before = hashes(onrecord)
    texts = {path: onrecord("get", site.url(path)).out for path in paths if path != "/file"}
    idle = onrecord("extract")
    assert (idle.code, "0 texts made again" in idle.err) == (0, True), "texts of this version are left alone"
    assert len(runs(onrecord)) == 2
    done = onrecord("--json", "extract", "--force")
    assert done.code == 0, done.err
    assert sorted(line["title"] for line in done.lines) == [f"Essay {number}" for number in range(4)]
    new = runs(onrecord)[-1]
    assert before.items() <= hashes(onrecord).items(), "what was committed is as it was"
    archive = archive_of(onrecord, tmp_path)
    for path in ("/0", "/1", "/3", "/twin"):
        snapshot = only(archive.snapshots(site.url(path)))
        assert snapshot.document is not None
        assert snapshot.document.key.startswith(f"runs/{new}/")
        assert snapshot.run != new
    both = list(archive.snapshots(site.url("/2")))
    assert [snapshot.revisit for snapshot in both] == [False, True]
    assert both[0].document == both[1].document
    for path, text in texts.items():
        assert onrecord("get", site.url(path)).out == text
    assert onrecord("verify", "--deep").code == 0
    onrecord.next_second()
    (line,) = onrecord.capture(site.url("/0")).lines
    assert line["revisit"], "captures are compared with those of the runs before"


@pytest.mark.full
def test_some_runs_only_and_unknown_ones(onrecord: Command, site: Site) -> None:
    site.answers |= {f"/{number}": answer(essay(number)) for number in range(2)}
    assert onrecord.capture(site.url("/0")).code == 0
    onrecord.next_second()
    assert onrecord.capture(site.url("/1")).code == 0
    done = onrecord("--json", "extract", "--force", runs(onrecord)[1])
    assert [line["title"] for line in done.lines] == ["Essay 1"]
    unknown = onrecord("extract", "20200101T000000Z-00000000")
    assert (unknown.code, unknown.err.count("\n")) == (2, 1), unknown.err
    for spec in ("dask", "dask://", "dask://host", "slurm://host:1"):
        wrong = onrecord("extract", "--executor", spec)
        assert (wrong.code, "local, or dask://host:port" in wrong.err) == (2, True), wrong.err


def test_a_damaged_record_keeps_the_text_it_has(onrecord: Command, site: Site) -> None:
    site.answers |= {f"/{number}": answer(essay(number)) for number in range(3)}
    (first, *_) = onrecord.capture(*(site.url(f"/{number}") for number in range(3))).lines
    warc = Path(onrecord.store) / first["key"]
    data = bytearray(warc.read_bytes())
    data[first["offset"] + first["length"] // 2] ^= 0xFF
    warc.write_bytes(data)
    text = onrecord("get", first["url"]).out
    done = onrecord("--json", "extract", "--force")
    assert done.code == 3
    assert sorted(line["outcome"] for line in done.lines) == ["extraction-failed", "ok", "ok"]
    assert onrecord("get", first["url"]).out == text


@pytest.mark.full
def test_killed_and_taken_up_again(onrecord: Command, site: Site) -> None:
    site.answers |= {f"/{number}": answer(essay(number)) for number in range(400)}
    urls = [site.url(f"/{number}") for number in range(400)]
    assert onrecord.capture(*urls).code == 0
    process = onrecord.start("--json", "extract", "--force")
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(120)]
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert all(told)
    done = onrecord("extract")
    assert done.code == 0, done.err
    assert "published run" in done.err
    assert not onrecord.spooled
    assert onrecord("verify", "--deep").code == 0
    taken_up = runs(onrecord)[1]
    pages = (Path(onrecord.store) / "runs" / taken_up / "pages" / "pages.jsonl").read_text().splitlines()
    assert len(pages) - 1 >= len(told), "what was told is there"


@pytest.mark.full
def test_a_cluster_gives_the_same_bytes_though_a_worker_dies(onrecord: Command, site: Site) -> None:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed")
    site.answers |= {f"/{number}": answer(essay(number)) for number in range(1000)}
    urls = [site.url(f"/{number}") for number in range(1000)]
    assert onrecord.capture(*urls, extra=("--no-requisites",)).code == 0
    assert onrecord("extract", "--force").code == 0
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address.removeprefix("tcp://")
        process = onrecord.start("--json", "extract", "--force", "--executor", f"dask://{address}")
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(200)]
        victim = next(iter(cluster.workers.values())).pid
        os.kill(victim, signal.SIGKILL)
        rest, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors
        assert len(told) + len(rest.splitlines()) == 1000
    first, second = (
        (Path(onrecord.store) / "runs" / run / "pages" / "pages.jsonl").read_bytes() for run in runs(onrecord)[1:]
    )
    assert first == second
    assert first.count(b"\n") == 1001


@pytest.mark.full
def test_a_cluster_that_is_not_there(onrecord: Command, site: Site) -> None:
    pytest.importorskip("distributed", reason="Dask is not installed")
    site.answers["/0"] = answer(essay(0))
    assert onrecord.capture(site.url("/0")).code == 0
    done = onrecord("extract", "--force", "--executor", "dask://127.0.0.1:9")
    assert (done.code, done.err.count("\n")) == (10, 1), done.err


def test_texts_of_a_version_with_faults_are_found_and_made_again(onrecord: Command, tmp_path: Path) -> None:
    url, other = "http://example.org/a", "http://example.org/b"
    body = essay(1).replace(b"</p>", b"<o:p></o:p></p>")
    archive = archive_of(onrecord, tmp_path)
    archive.prepare()
    with closing(archive.session(RunSettings("onrecord/0.4.0"))) as session:
        for at, extractor in ((url, "trafilatura 2.3.1, onrecord 0.4.0"), (other, extractor_version())):
            snapshot = session.add(an_exchange(at, body), page=True)
            document = a_document(snapshot)
            session.add_document(replace(document, article=Article(title="Essay 1", extractor=extractor)))
        session.commit()
    assert "number 1." not in onrecord("get", url).out
    done = onrecord("--json", "extract")
    assert (done.code, [line["url"] for line in done.lines]) == (0, [url]), done.err
    assert "number 1." in onrecord("get", url).out
    assert onrecord("extract").err.startswith("onrecord: 0 texts made again")
    assert onrecord("verify", "--deep").code == 0
