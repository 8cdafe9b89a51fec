"""Reading commands against hostile stores, terminals, full disks and readers that leave."""

from __future__ import annotations

import json
import os
import pty
import select
import stat
import subprocess
from pathlib import Path

import pytest

from archive import object_keys
from archive.archive import Archive
from archive.runs.warc_files import RunSettings
from pipeline.extract.worker_pool import TaskFailure, WorkerPool
from storage.local import LocalStore
from tests.archive.forged import DEEP, KEY, RUN, URL, block, forge, line
from tests.command import Command
from tests.exchanges import NOON, a_document, an_exchange
from tests.site import Site

ESCAPES = "\x1b]0;owned\x07 \x9b2J \u202e"
RAW = [each for each in ESCAPES if not each.isprintable() and each != " "]


@pytest.fixture
def store(onrecord: Command) -> LocalStore:
    return LocalStore(Path(onrecord.store))


def kept(store: LocalStore, tmp_path: Path, body: bytes, *, title: str = "T", text: str = "Text.") -> None:
    archive = Archive(store, spool=tmp_path / "own-spool")
    archive.prepare()
    session = archive.session(RunSettings("test/1"))
    session.add_document(a_document(session.add(an_exchange(body=body), page=True), text, title))
    session.commit()
    session.close()


def at_a_terminal(onrecord: Command, *arguments: str) -> str:
    """What a terminal is sent by a command."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(onrecord.argv(*arguments), env=onrecord.env, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    while select.select([ours], [], [], 60)[0]:
        try:
            piece = os.read(ours, 1 << 16)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    process.wait(60)
    return shown.decode("utf-8", "replace")


HOSTILE = {
    "idx": {"idx": b"k 2026\tx\t-1\t10\t1\n"},
    "deep": {"lines": [f"{KEY} 20261123120000 {DEEP.decode()}"]},
    "two words": dict(zip(("cdx", "idx"), block(line(), f"{KEY} 20261123130000"), strict=True)),
    "traversal": {"lines": [line(refers="../../../../etc/passwd 0 100 20261123120000 x http://x/", digest="")]},
    "no record": {"lines": [line()], "warc": b"no gzip at all"},
    "escapes": {"lines": [line(recordId=f"{ESCAPES}")], "warc": b""},
    "huge": {"lines": [line(document=f"runs/{RUN}/pages/pages.jsonl 0 99999999999999")]},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_store_ends_in_one_line_and_five(name: str, onrecord: Command, store: LocalStore) -> None:
    forge(store, **HOSTILE[name])  # type: ignore[arg-type]
    for form in ("text", "html"):
        done = onrecord("get", URL, "--format", form)
        if (done.code, name, form) == (4, "no record", "text"):  # the line names no document
            continue
        if (done.code, name, form) == (4, "escapes", "text"):
            continue
        assert done.code == 5, (form, done.err)
        assert len(done.err.splitlines()) == 1
        assert not set(RAW) & set(done.err)
    verified = onrecord("verify", "--deep")
    assert verified.code == 5
    assert "Traceback" not in verified.err


def test_damage_in_one_run_leaves_the_others_readable(onrecord: Command, store: LocalStore, tmp_path: Path) -> None:
    kept(store, tmp_path, b"<p>sound</p>")
    forge(store, idx=b"damaged")
    listed = onrecord("--json", "snapshots", URL)
    assert listed.code == 5
    assert [each["url"] for each in listed.lines] == [URL]


def test_a_cache_that_was_damaged_is_as_good_as_none(onrecord: Command, store: LocalStore, tmp_path: Path) -> None:
    kept(store, tmp_path, b"<p>sound</p>")
    assert onrecord("get", URL).code == 0
    files = [path for path in (tmp_path / "home" / ".cache").rglob("*") if path.is_file()]
    assert files
    for path in files:
        for damaged in (b"", b"x" + path.read_bytes()[1:], path.read_bytes()[:-1]):
            path.write_bytes(damaged)
            assert onrecord("get", URL).code == 0


@pytest.mark.parametrize("path", [object_keys.MANIFEST, object_keys.IDX])
def test_what_is_mended_in_the_store_is_seen_at_once(
    onrecord: Command, store: LocalStore, tmp_path: Path, path: str
) -> None:
    kept(store, tmp_path, b"<p>sound</p>")
    (run,) = Archive(store, spool=tmp_path).runs()
    whole = store.get(object_keys.run_key(run, path))
    for damaged in (
        whole[:-9],
        whole.replace(b"sha256:", b"sha256:0", 1).replace(b'",\n      "bytes"', b'"\n,"bytes"'),
    ):
        store.put(object_keys.run_key(run, path), damaged or b"x")
        onrecord("get", URL)
        store.put(object_keys.run_key(run, path), whole)
        assert onrecord("get", URL).code == 0


def test_a_manifest_that_was_altered_and_mended_is_seen_at_once(
    onrecord: Command, store: LocalStore, tmp_path: Path
) -> None:
    """An altered manifest that still reads as one is kept at hand; the index that does not fit it tells."""
    kept(store, tmp_path, b"<p>sound</p>")
    (run,) = Archive(store, spool=tmp_path).runs()
    key = object_keys.run_key(run, object_keys.MANIFEST)
    whole = store.get(key)
    package = json.loads(whole)
    for entry in package["resources"]:
        entry["hash"] = "sha256:" + "0" * 64
    store.put(key, json.dumps(package).encode())
    assert onrecord("get", URL).code == 5
    store.put(key, whole)
    assert onrecord("get", URL).code == 0


@pytest.mark.full
def test_a_damaged_run_keeps_no_new_capture_from_the_store(
    onrecord: Command, store: LocalStore, tmp_path: Path, site: Site
) -> None:
    kept(store, tmp_path, b"<p>sound</p>")
    archive = Archive(store, spool=tmp_path)
    (run,) = archive.runs()
    for path in (object_keys.MANIFEST, object_keys.IDX, object_keys.CDX):
        whole = store.get(object_keys.run_key(run, path))
        store.put(object_keys.run_key(run, path), b"damaged")
        done = onrecord.capture(site.url("/post"))
        store.put(object_keys.run_key(run, path), whole)
        assert done.code == 0, done.err
        assert "Traceback" not in done.err
        assert onrecord.spooled == []


@pytest.mark.full
def test_nothing_captured_reaches_a_terminal_raw(onrecord: Command, store: LocalStore, tmp_path: Path) -> None:
    body = f"<html><body><p>Word {ESCAPES} word.</p>".encode()
    kept(store, tmp_path, body, title=f"A {ESCAPES} title", text=f"A {ESCAPES} text")
    for arguments in (
        ["get", URL],
        *(["get", URL, "--format", form] for form in ("markdown", "json", "html", "raw", "record")),
        ["--json", "get", URL],
        ["snapshots", URL],
        ["--json", "snapshots", URL],
    ):
        shown = at_a_terminal(onrecord, *arguments)
        assert shown.strip(), arguments
        assert not set(RAW) & set(shown), arguments
    assert onrecord("get", URL, "--format", "html").out.encode() == body
    (entry,) = onrecord("--json", "snapshots", URL).lines
    assert entry["title"] == f"A {ESCAPES} title"


def test_a_url_is_shown_at_a_terminal_as_it_is(onrecord: Command, site: Site) -> None:
    site.answers["/:100:/" + "long/" * 40] = site.answers["/post"]
    url = site.url("/:100:/" + "long/" * 40)
    assert url in at_a_terminal(onrecord, "capture", "--allow-private", url)


@pytest.mark.full
def test_letters_and_spaces_of_all_scripts_stand(onrecord: Command, store: LocalStore, tmp_path: Path) -> None:
    """No-break spaces part words, and joiners are letters to those who write Persian, Hindi or Sinhala."""
    text = "10\u00a0000 می\u200cخواهم क्\u200dष 東京\u3000大阪"
    kept(store, tmp_path, b"<p>x</p>", title=text, text=text)
    assert onrecord("get", URL).out == text + "\n"
    assert text in onrecord("snapshots", URL).out


def test_half_characters_in_an_index_are_printed_as_something(onrecord: Command, store: LocalStore) -> None:
    forge(store, lines=[line(title="half \ud83d")])
    assert onrecord("snapshots", URL).code == 0
    assert onrecord("--json", "snapshots", URL).code == 0


@pytest.mark.full
def test_an_output_in_another_encoding_ends_no_command(onrecord: Command, store: LocalStore, tmp_path: Path) -> None:
    kept(store, tmp_path, b"<p>x</p>", title="“東京”")
    narrow = Command(onrecord.store, onrecord.env | {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"})
    done = subprocess.run(narrow.argv("snapshots", URL), env=narrow.env, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    listed = subprocess.run(narrow.argv("--json", "snapshots", URL), env=narrow.env, capture_output=True)
    assert json.loads(listed.stdout.decode())["title"] == "“東京”"


def test_a_failure_leaves_the_file_that_was_there(onrecord: Command, store: LocalStore, tmp_path: Path) -> None:
    kept(store, tmp_path, os.urandom(4 << 20))
    (warc,) = Path(onrecord.store).glob("runs/*/archive/*.warc.gz")
    data = bytearray(warc.read_bytes())
    data[-100_000] ^= 1
    warc.write_bytes(data)
    target = tmp_path / "out" / "page.html"
    target.parent.mkdir()
    target.write_text("what was there")
    assert onrecord("get", URL, "--format", "html", "-o", str(target)).code == 5
    assert target.read_text() == "what was there"
    assert [path.name for path in target.parent.iterdir()] == ["page.html"]


def test_output_goes_where_it_is_sent(onrecord: Command, store: LocalStore, tmp_path: Path) -> None:
    """A device or pipe is written to, never replaced; a link's target is written, nobody else's file on the way."""
    kept(store, tmp_path, b"<p>x</p>", text="What was kept.")
    assert onrecord("get", URL, "-o", "-").out == "What was kept.\n"
    (tmp_path / "stdout").symlink_to("/proc/self/fd/1")  # as /dev/stdout is, but ours to lose
    assert onrecord("get", URL, "-o", str(tmp_path / "stdout")).out == "What was kept.\n"
    assert (tmp_path / "stdout").is_symlink()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    descriptor = os.open(pipe, os.O_RDWR)  # so that neither end waits for the other
    assert onrecord("get", URL, "-o", str(pipe)).code == 0
    assert pipe.is_fifo()
    assert os.read(descriptor, 100) == b"What was kept.\n"
    os.close(descriptor)
    (tmp_path / "real").write_text("")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "victim").write_text("not yours")
    (tmp_path / ".link.part").symlink_to("victim")
    assert onrecord("get", URL, "-o", str(tmp_path / "link")).code == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "What was kept.\n"
    assert stat.S_IMODE((tmp_path / "real").stat().st_mode) == 0o640
    assert (tmp_path / "victim").read_text() == "not yours"
    assert onrecord("get", URL, "-o", str(tmp_path / ("n" * 250))).code == 0


def test_a_page_that_breaks_its_converter_ends_in_one_line(
    onrecord: Command, store: LocalStore, tmp_path: Path
) -> None:
    kept(store, tmp_path, b"<p>x</p>")
    (tmp_path / "trafilatura").mkdir()
    (tmp_path / "trafilatura" / "__init__.py").write_text("import os\nos.kill(os.getpid(), 9)")
    without = Command(onrecord.store, onrecord.env | {"PYTHONPATH": str(tmp_path)})
    done = without("get", URL, "--format", "markdown")
    assert (done.code, len(done.err.splitlines())) == (4, 1)
    assert "--format html" in done.err


@pytest.mark.parametrize("as_json", [True, pytest.param(False, marks=pytest.mark.full)])
def test_a_reader_that_leaves_does_not_end_a_capture(onrecord: Command, site: Site, as_json: bool) -> None:
    """`onrecord capture ... | head -1` must still capture and publish what it was asked for."""
    urls = [site.url("/post"), site.url("/other")]
    flags = ["--json"] if as_json else []
    process = onrecord.start(*flags, "capture", "--allow-private", "--delay", "0", *urls)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    assert process.wait(60) == 0
    assert "Traceback" not in err
    assert onrecord.spooled == []
    for url in urls:
        assert onrecord("get", url).code == 0


@pytest.mark.parametrize(
    ("end", "found"),
    [
        ("2026", True),
        ("202611", True),
        ("20261123", True),
        ("2026112312", True),
        ("2026-11-23", True),
        ("20261122", False),
        ("20261123115959", False),
        ("2025", False),
        ("2026-11-23T11:00:00", False),
    ],
)
def test_a_span_that_ends_with_a_day_holds_that_day(
    onrecord: Command, store: LocalStore, tmp_path: Path, end: str, found: bool
) -> None:
    kept(store, tmp_path, b"<p>x</p>")
    assert f"{NOON:%H%M%S}" == "120000"
    assert (onrecord("snapshots", URL, "--to", end).code == 0) == found


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9" * 5000, "0000"])
def test_times_beyond_all_times_are_usage_errors(onrecord: Command, time: str) -> None:
    for option in ("--from", "--to"):
        done = onrecord("snapshots", URL, option, time)
        assert (done.code, len(done.err.splitlines())) == (2, 1), done.err


@pytest.mark.full
def test_doctor_bears_a_spool_that_was_meddled_with(onrecord: Command, tmp_path: Path) -> None:
    spool = tmp_path / "home" / ".local" / "state" / "onrecord" / "spool"
    for number, content in enumerate((b"", b"[]", b"{}", b'{"url":5}', b"\xff", DEEP)):
        run = spool / f"{number:016x}" / RUN
        run.mkdir(parents=True)
        (run.parent / "store.json").write_bytes(content)
    done = onrecord("doctor")
    assert (done.code, "Traceback" in done.err) == (0, False)
    assert "an address that cannot be read" in done.out


def test_doctor_leaves_no_store_behind_that_it_only_looked_at(onrecord: Command) -> None:
    assert onrecord("doctor").code == 0
    assert [path for path in Path(onrecord.store).rglob("*") if path.is_file()] == []


def test_a_pool_that_cannot_start_its_workers_fails_its_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without processes or memory to spare must not leave a capture waiting for ever."""
    monkeypatch.setattr("sys.executable", str(tmp_path / "none"))
    with WorkerPool[object]("pipeline.nothing:run", 2, time_limit=5, memory_limit=10**9) as pool:
        futures = [pool.submit(number) for number in range(20)]
        for future in futures:
            with pytest.raises(TaskFailure) as failure:
                future.result(timeout=60)
            assert failure.value.kind == "failed"
        monkeypatch.undo()


@pytest.mark.full
def test_a_worker_that_never_gets_ready_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task larger than a socket's buffer must not wait for ever for a worker that does not read."""
    (tmp_path / "stuck_tasks.py").write_text("import time\ntime.sleep(3600)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr("pipeline.extract.worker_pool._START_LIMIT", 1.0)
    with WorkerPool[object]("stuck_tasks:run", 1, time_limit=5, memory_limit=10**9) as pool:
        future = pool.submit(b"x" * (16 << 20))
        with pytest.raises(TaskFailure):
            future.result(timeout=30)


def test_an_answer_that_cannot_be_sent_fails_its_task_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "odd_tasks.py").write_text("def run(task):\n    return (lambda: 1) if task else 'fine'\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with WorkerPool[object]("odd_tasks:run", 1, time_limit=20, memory_limit=10**9) as pool:
        bad, good, unsendable = pool.submit(1), pool.submit(0), pool.submit(lambda: 1)
        for future in (bad, unsendable):
            with pytest.raises(TaskFailure) as failure:
                future.result(timeout=60)
            assert failure.value.kind == "failed"
        assert good.result(timeout=60) == "fine"
        assert pool.submit(0).result(timeout=60) == "fine"
