"""`verify`, `gc`, mirrors and the drill as a user meets them."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.command import Command
from tests.site import Site
from tests.waiting import wait_for

LONG_AGO = time.time() - 9 * 86_400


def flip(path: Path) -> bytes:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + bytes([whole[len(whole) // 2] ^ 1]) + whole[len(whole) // 2 + 1 :])
    return whole


def test_the_last_line_says_what_was_read_and_what_was_not(onrecord: Command, site: Site) -> None:
    onrecord.capture(site.url("/post"))
    (warc,) = Path(onrecord.store).glob("runs/*/archive/*")
    looked = onrecord("verify")
    assert (looked.code, looked.out) == (0, "")
    assert "what was captured was not read: for every byte, onrecord verify --deep" in looked.err
    whole = flip(warc)
    assert onrecord("verify").code == 0
    deep = onrecord("verify", "--deep")
    assert (deep.code, "its hash differs" in deep.err, "every byte was read" in deep.err) == (5, True, True)
    warc.write_bytes(whole[:-1])
    assert onrecord("verify").code == 5
    (line,) = onrecord("--json", "verify").lines
    assert (line["read"], line["records"], len(line["faults"])) == (False, 0, 1)


@pytest.mark.full
def test_a_reading_is_done_in_slices(onrecord: Command, site: Site, tmp_path: Path) -> None:
    for name in ("/post", "/other", "/moved"):
        onrecord.capture(site.url(name))
    report = tmp_path / "report.json"
    first = onrecord("--json", "verify", "--deep", "--time-limit", "1s", "--report", str(report))
    said = json.loads(report.read_text())
    assert (first.code, said["deep"], said["faults"]) == (0, True, 0)
    assert len(said["runs"]) == 3
    assert said["unread"] == sum(run["last_read"] is None for run in said["runs"])
    rest = onrecord("--json", "verify", "--deep", "--resume")
    assert sum(line["read"] for line in rest.lines) == said["unread"] or said["unread"] == 0
    assert sum(line["read"] for line in onrecord("--json", "verify", "--deep", "--older-than", "30d").lines) == 0
    assert "3 runs read before" in onrecord("verify", "--deep", "--older-than", "30d").err
    assert sum(line["read"] for line in onrecord("--json", "verify", "--deep", "--resume").lines) == 3


@pytest.mark.full
def test_a_reading_that_was_killed_goes_on_where_it_was(onrecord: Command, site: Site) -> None:
    for name in ("/post", "/other", "/moved"):
        onrecord.capture(site.url(name))
    running = onrecord.start("--json", "verify", "--deep")
    assert running.stdout is not None
    first = json.loads(running.stdout.readline())
    running.kill()
    running.communicate()
    rest = onrecord("--json", "verify", "--deep", "--resume")
    assert rest.code == 0
    assert first["run"] not in {line["run"] for line in rest.lines if line["read"]}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--resume"],
        ["--older-than", "30d"],
        ["--time-limit", "1h"],
        ["--deep", "--resume", "--older-than", "30d"],
        ["--deep", "--older-than", "a while"],
    ],
)
def test_options_that_make_no_sense_end_with_two(onrecord: Command, arguments: list[str]) -> None:
    done = onrecord("verify", *arguments)
    assert (done.code, len(done.err.splitlines())) == (2, 1)


def test_gc_says_what_goes_and_takes_nothing_else(onrecord: Command, site: Site) -> None:
    onrecord.capture(site.url("/post"))
    run = Path(onrecord.store) / "runs" / "20200101T000000Z-00000000"
    (run / "pages").mkdir(parents=True)
    (run / "pages" / "pages.jsonl").write_bytes(b"left by a killed upload")
    young = onrecord("gc")
    assert (young.code, young.out, "0 objects removed" in young.err) == (0, "", True)
    os.utime(run / "pages" / "pages.jsonl", (LONG_AGO, LONG_AGO))
    would = onrecord("gc", "--dry-run")
    assert would.out == "run 20200101T000000Z-00000000 would go, 1 object, 23 bytes\n"
    assert run.exists()
    (line,) = onrecord("--json", "gc").lines
    assert (line["kind"], line["removed"], line["bytes"]) == ("run", True, 23)
    assert not run.exists()
    assert onrecord("verify", "--deep").code == 0
    assert onrecord("gc", "--older-than", "1d").code == 2


@pytest.mark.full
def test_gc_ends_with_five_where_a_run_was_committed_and_lost_its_manifest(onrecord: Command, site: Site) -> None:
    onrecord.capture(site.url("/post"))
    (run,) = (Path(onrecord.store) / "runs").iterdir()
    onrecord.capture(site.url("/post"))  # which names the first one
    old = run.rename(run.with_name("20200101T000000Z-00000000"))
    (old / "datapackage.json").unlink()
    for path in old.rglob("*"):
        os.utime(path, (LONG_AGO, LONG_AGO))
    done = onrecord("gc")
    assert (done.code, "it was committed and has lost its manifest" in done.err) == (5, True)
    assert len(list(old.rglob("*.warc.gz"))) == 1


@pytest.fixture
def mirror(tmp_path: Path) -> Command:
    return Command.at(f"mirror:{tmp_path}/disk/one,{tmp_path}/other/two", tmp_path / "home")


@pytest.mark.full
def test_a_mirror_with_a_member_down_is_told_and_made_whole_later(mirror: Command, site: Site, tmp_path: Path) -> None:
    one, two = tmp_path / "disk" / "one", tmp_path / "other" / "two"
    assert mirror.capture(site.url("/post")).code == 0
    assert mirror("verify", "--deep").code == 0
    shutil.move(two.parent, tmp_path / "unmounted")
    (tmp_path / "other").write_text("not mounted")
    down = mirror.capture(site.url("/other"))
    assert down.code == 10
    assert [line["outcome"] for line in down.lines] == ["ok"]
    assert "and not yet in" in down.err
    assert len(mirror.spooled) == 1
    assert replace(mirror, store=str(one))("get", site.url("/other")).code == 0, "it is committed"
    assert mirror("doctor").code == 10
    (tmp_path / "other").unlink()
    shutil.move(tmp_path / "unmounted", two.parent)
    lacks = mirror("verify")
    assert (lacks.code, "another member of the mirror holds this run" in lacks.err) == (5, True)
    assert mirror.capture(site.url("/post")).code == 0
    assert mirror.spooled == []
    assert mirror("verify", "--deep").code == 0
    assert mirror("doctor").code == 0
    for store in (one, two):
        assert replace(mirror, store=str(store))("get", site.url("/other")).code == 0


@pytest.mark.full
def test_a_mirror_reads_on_and_mends_itself(mirror: Command, site: Site, tmp_path: Path) -> None:
    one, two = tmp_path / "disk" / "one", tmp_path / "other" / "two"
    mirror.capture(site.url("/post"))
    shutil.move(one, tmp_path / "away")
    read = mirror("get", site.url("/post"))
    assert (read.code, "which may lack what is newest" in read.err) == (0, True)
    unmounted = mirror.capture(site.url("/other"))
    assert unmounted.code == 10
    assert "see whether its disk is mounted" in unmounted.err
    assert not one.exists()
    shutil.move(tmp_path / "away", one)
    assert mirror.capture(site.url("/post")).code == 0
    for store in (one, two):
        for warc in sorted(store.glob("runs/*/archive/*"))[:1]:
            whole = flip(warc)
            assert mirror("verify", "--deep").code == 5
            assert mirror("repair").code == 0
            assert warc.read_bytes() == whole
    assert mirror("verify", "--deep").code == 0
    shutil.rmtree(min((two / "runs").iterdir()))
    assert mirror("replicate").code == 0
    assert mirror("verify", "--deep").code == 0
    assert mirror("gc", "--dry-run").code == 0


@pytest.mark.full
def test_a_mirror_can_be_a_list_of_settings(site: Site, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'store = ["{tmp_path}/one", "{tmp_path}/two"]\n')
    onrecord = Command.at("", tmp_path / "home", ONRECORD_CONFIG=str(config))
    assert onrecord.capture(site.url("/post")).code == 0
    assert len(list(tmp_path.glob("*/runs/*/datapackage.json"))) == 2
    config.write_text('store = ["one"]\n')
    assert onrecord("status").code == 2


@pytest.mark.full
def test_one_store_has_no_members_to_copy_from(onrecord: Command, site: Site) -> None:
    onrecord.capture(site.url("/post"))
    assert (onrecord("replicate").code, onrecord("repair").code) == (2, 2)


def until_some_files_are_there(running: subprocess.Popen[str], target: Path, files: int) -> None:
    def are_there() -> bool:
        return sum(len(names) for _, _, names in os.walk(target)) >= files  # passes over folders that go meanwhile

    wait_for(lambda: running.poll() is not None or are_there())


@pytest.mark.full
def test_the_drill_goes_on_after_kills_and_from_any_member(mirror: Command, site: Site, tmp_path: Path) -> None:
    for name in ("/post", "/other", "/moved"):
        mirror.capture(site.url(name))
    flip(next(iter((tmp_path / "disk" / "one").glob("runs/*/archive/*"))))
    target = tmp_path / "again"
    dice = random.Random(5)
    for _ in range(4):
        running = mirror.start("restore", str(target))
        until_some_files_are_there(running, target, dice.randrange(1, 12))
        running.kill()
        running.communicate()
    done = mirror("restore", str(target))
    if done.code == 2:  # the last kill came after its end
        assert not (target / "restoring.json").exists()
    else:
        assert (done.code, "every byte was read" in done.err) == (0, True)
    assert replace(mirror, store=str(target))("verify", "--deep").code == 0
    assert not (target / "restoring.json").exists()
    assert mirror("restore", str(target)).code == 2
    other = replace(mirror, store=str(tmp_path / "other-archive"))
    other.capture(site.url("/post"))
    assert mirror("restore", other.store).code == 2


@pytest.mark.full
def test_read_back_is_a_setting(onrecord: Command, site: Site) -> None:
    for value, code in (("false", 0), ("true", 0), ("maybe", 2)):
        told = replace(onrecord, env=onrecord.env | {"ONRECORD_READ_BACK": value})
        assert told.capture(site.url("/post")).code == code
