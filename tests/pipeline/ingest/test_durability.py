"""What was acknowledged is never lost, and what is visible is whole: doubled, cut off. Kills: `tests/torture`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from archive import object_keys
from archive.archive import Archive
from storage.location import open_store
from tests.command import Command
from tests.site import Site
from tests.torture.kills import PAGES, change


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        running.latency = 0.01
        yield running


def opened(onrecord: Command, tmp_path: Path) -> Archive:
    return Archive(open_store(onrecord.store), spool=tmp_path / "no-spool")


@pytest.mark.full
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
    assert len(archive.runs()) == 2
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


@pytest.mark.full
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
    archive.spool.create(object_keys.new_run_id(__import__("archive.times").times.now()), {}).close()
    assert len(onrecord.spooled) == 1
    done = onrecord.capture(change(site, 0)[0])
    assert (done.code, "without a capture" in done.err) == (0, True)
    assert onrecord.spooled == []
