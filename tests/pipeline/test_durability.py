"""What was acknowledged is never lost, and what is visible is whole: killed, doubled, cut off."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from archive import keys
from archive.archive import Archive
from storage.location import open_store
from tests.command import Command
from tests.pipeline.cli.conftest import post
from tests.site import Site

PAGES = 40
KILLS = 50


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        running.latency = 0.01
        yield running


def change(site: Site, edition: int) -> list[str]:
    """A new edition of every second page."""
    for number in range(PAGES):
        if number % 2 == edition % 2 or not edition:
            site.answers[f"/{number}"] = post(f"Page {number}", f"Edition {edition} of page {number}.")
    return [site.url(f"/{number}") for number in range(PAGES)]


def opened(onrecord: Command, tmp_path: Path) -> Archive:
    return Archive(open_store(onrecord.store), spool=tmp_path / "no-spool")


def kill(process: subprocess.Popen[str], dice: random.Random) -> list[dict[str, str]]:
    """Kill a process, at a random moment or behind a random acknowledgement; returns what it acknowledged."""
    assert process.stdout is not None
    lines = []
    if dice.random() < 0.5:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(dice.uniform(0.1, 1.2))
    else:
        lines = [process.stdout.readline() for _ in range(dice.randrange(1, PAGES))]
    process.kill()
    out = process.stdout.read()  # what readline took ahead with it: `communicate` knows nothing of that
    process.communicate()
    return [json.loads(line) for line in [*lines, *out.splitlines()] if line.rstrip().endswith("}")]


def test_fifty_kills_lose_nothing_that_was_acknowledged(tmp_path: Path, site: Site) -> None:
    onrecord = Command.at(tmp_path / "store", tmp_path / "home")
    dice = random.Random(50)
    acknowledged: list[str] = []
    change(site, 0)
    killed = edition = 0
    while killed < KILLS:
        edition += 1
        urls = change(site, edition)
        process = onrecord.start("--json", "capture", "--allow-private", "--delay", "0", "--workers", "1", *urls)
        acknowledged += [line["record_id"] for line in kill(process, dice)]
        killed += process.returncode == -9
        whole_or_absent(onrecord, tmp_path)
    assert acknowledged
    final = onrecord.capture(*change(site, edition + 1))
    assert final.code == 0
    assert onrecord.spooled == []
    archive = opened(onrecord, tmp_path)
    kept = Counter(snapshot.record_id for snapshot in archive.snapshots(site.url("/"), match="host"))
    assert set(acknowledged) <= set(kept)
    assert set(kept.values()) == {1}
    assert [fault for finding in archive.verify() for fault in finding.faults] == []
    for snapshot in archive.snapshots(site.url("/"), match="host"):
        assert archive.document(snapshot) is not None


def whole_or_absent(onrecord: Command, tmp_path: Path) -> None:
    """Every run that can be seen has every file that its manifest names, whole."""
    if not Path(onrecord.store).exists():  # killed before there was anything to put into it
        return
    archive = opened(onrecord, tmp_path)
    files = archive.catalog.files()
    for run in archive.catalog.runs():
        for resource in archive.manifest(run).resources:
            assert files[run].get(resource.path) == resource.bytes


def test_two_runs_at_once_into_one_store(tmp_path: Path, site: Site) -> None:
    onrecord = Command.at(tmp_path / "store", tmp_path / "home")
    urls = change(site, 0)
    running = [
        onrecord.start("--json", "capture", "--allow-private", "--delay", "0", *half)
        for half in (urls[: PAGES // 2 + 5], urls[PAGES // 2 - 5 :])
    ]
    outs = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    acknowledged = {json.loads(line)["record_id"] for out in outs for line in out.splitlines()}
    archive = opened(onrecord, tmp_path)
    assert {snapshot.record_id for snapshot in archive.snapshots(site.url("/"), match="host")} == acknowledged
    assert len(acknowledged) == PAGES + 10
    assert len(archive.catalog.runs()) == 2
    assert not any(finding.faults for finding in archive.verify())


def test_a_store_out_of_reach_loses_nothing(tmp_path: Path, site: Site) -> None:
    store = tmp_path / "mount" / "store"
    onrecord = Command.at(store, tmp_path / "home")
    urls = change(site, 0)[:5]
    assert onrecord.capture(*urls).code == 0
    # What the store's disk was mounted at is a file now: nothing can be put there.
    shutil.move(tmp_path / "mount", tmp_path / "unmounted")
    (tmp_path / "mount").write_text("not mounted")
    change(site, 2)
    refused = onrecord.capture(*urls)
    assert refused.code == 10
    shutil.rmtree(tmp_path / "home" / ".cache", ignore_errors=True)
    (tmp_path / "mount").unlink()
    shutil.move(tmp_path / "unmounted", tmp_path / "mount")
    assert onrecord.capture(*urls).code == 0
    assert "Edition 2" in onrecord("get", urls[0]).out


def test_an_s3_store_that_stops_answering_gets_the_run_later(
    tmp_path: Path, site: Site, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = urlsplit(s3_bucket)
    endpoint = parts.query.partition("endpoint=")[2]
    with Site() as relay:
        gone = f"s3://{parts.netloc}?endpoint={relay.url('')}"
    onrecord = Command.at(gone, tmp_path / "home")
    urls = change(site, 0)[:5]
    captured = onrecord.capture(*urls)
    assert captured.code == 10, captured.err
    assert [line["outcome"] for line in captured.lines] == ["ok"] * 5
    assert len(captured.err.splitlines()) <= 3
    assert len(onrecord.spooled) == 1
    # The same store answers again: here under its address of old, by naming the spooled run's store so.
    spool = onrecord.spooled[0].parent
    back = f"s3://{parts.netloc}?endpoint={endpoint}"
    renamed = spool.with_name(_spool_name(back))
    shutil.move(spool, renamed)
    again = Command.at(back, tmp_path / "home").capture(urls[0])
    assert again.code == 0, again.err
    assert "published run" in again.err
    assert onrecord.spooled == []
    archive = Archive(open_store(back), spool=tmp_path / "no-spool")
    kept = {snapshot.record_id for snapshot in archive.snapshots(site.url("/"), match="host")}
    assert {line["record_id"] for line in captured.lines} <= kept
    assert "Edition 0" in Command.at(back, tmp_path / "home")("get", urls[3]).out


def _spool_name(location: str) -> str:
    import hashlib

    return hashlib.sha256(open_store(location).url.encode()).hexdigest()[:16]


def test_a_denied_bucket_is_told_before_anything_is_fetched(
    tmp_path: Path, site: Site, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-on-purpose")
    done = Command.at(s3_bucket, tmp_path / "home").capture(*change(site, 0))
    assert done.code == 10
    assert site.requests == []
    assert "wrong-on-purpose" not in done.err
    assert len(done.err.splitlines()) == 1


def test_a_missing_bucket_is_told_before_anything_is_fetched(tmp_path: Path, site: Site, s3_bucket: str) -> None:
    missing = s3_bucket.replace("s3://", "s3://no-such-bucket-", 1)
    done = Command.at(missing, tmp_path / "home").capture(*change(site, 0))
    assert done.code == 10
    assert site.requests == []


def test_a_run_killed_before_its_first_checkpoint_is_cleared_away(tmp_path: Path, site: Site) -> None:
    onrecord = Command.at(tmp_path / "store", tmp_path / "home")
    archive = Archive(open_store(onrecord.store), spool=tmp_path / "home" / ".local" / "state" / "onrecord" / "spool")
    archive.spool.create(keys.new_run_id(__import__("archive.times").times.now()), {}).close()
    assert len(onrecord.spooled) == 1
    done = onrecord.capture(change(site, 0)[0])
    assert (done.code, "without a capture" in done.err) == (0, True)
    assert onrecord.spooled == []
