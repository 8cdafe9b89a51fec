"""Captures of other archives, brought back: from one like the Internet Archive's, and from our own `serve`."""

from __future__ import annotations

import gzip
import re
import signal
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from archive.times import from_iso
from tests.command import Command, Done
from tests.site import Site, answer
from tests.waiting import wait_for
from tests.wayback import HTML, Kept, Wayback

URL = "http://gazette.example/post"
PAGE = "<html><head><title>The harbour</title></head><body><article><p>{}</p></article></body></html>"
WORDS = "The harbour court heard the case of {} today, and the town will hear of it again before the year is over."


def page(word: str) -> bytes:
    return PAGE.format(WORDS.format(word)).encode()


def kept(stamp: str, word: str, **more: object) -> Kept:
    return Kept(URL, stamp, page(word), **more)  # type: ignore[arg-type]


@pytest.fixture
def wayback() -> Iterator[Wayback]:
    with Wayback() as running:
        yield running


@pytest.fixture
def onrecord(tmp_path: Path) -> Command:
    return Command.at(tmp_path / "store", tmp_path / "home")


def recover(onrecord: Command, archive: str, *more: str, url: str = URL, flags: tuple[str, ...] = ()) -> Done:
    asked = ("--archive", archive, "--allow-private", "--delay", "0", "--searches", "6000", *more)
    return onrecord(*flags, "recover", url, *asked)


def test_captures_come_back_under_their_dates_labelled_and_read(onrecord: Command, wayback: Wayback) -> None:
    wayback.kept = [
        kept("20190301120000", "oysters"),
        kept("20200301120000", "lobsters", headers=(*HTML, ("Content-Length", str(len(page("lobsters")))))),
        Kept(URL, "20210301120000", b"no longer here", status="404 Not Found"),
    ]
    done = recover(onrecord, wayback.cdx, "--all")
    assert done.code == 0, done.err
    assert "3 captures recovered from 127.0.0.1" in done.err
    host = f"127.0.0.1:{wayback.site.port}"
    found = onrecord("--json", "snapshots", URL).lines
    assert [(each["timestamp"], each["status"], each["recovered_from"]) for each in found] == [
        ("2019-03-01T12:00:00Z", 200, host),
        ("2020-03-01T12:00:00Z", 200, host),
        ("2021-03-01T12:00:00Z", 404, host),
    ]
    read = onrecord("get", URL)
    assert "lobsters" in read.out
    assert f"snapshot of 2020-03-01T12:00:00Z, recovered from {host}" in read.err
    raw = onrecord("get", URL, "--at", "2020", "--format", "record").out
    assert "WARC-Type: response" in raw
    assert f"WARC-Source-URI: http://{host}/web/20200301120000id_/{URL}" in raw
    assert "\r\nserver: origin/1\r\n" in raw
    assert "memento" not in raw.lower()
    assert "oysters" in onrecord("get", URL, "--at", "2019").out
    diff = onrecord("diff", URL).out
    assert f"(recovered from {host})" in diff
    assert "[-oysters-]" in diff.replace("{-", "[-") or "oysters" in diff
    hit = onrecord("--json", "search", "lobsters").lines
    assert [each["recovered_from"] for each in hit] == [host]
    assert onrecord("verify", "--deep").code == 0


@pytest.mark.full
def test_one_is_asked_for_and_the_page_that_is_not_kept_names_the_command(onrecord: Command, wayback: Wayback) -> None:
    wayback.kept = [kept("20190301120000", "a"), kept("20200301120000", "b")]
    wayback.kept.append(Kept(URL, "20210301120000", b"gone", status="404 Not Found"))
    assert recover(onrecord, wayback.cdx).code == 0
    assert [each["timestamp"][:4] for each in onrecord("--json", "snapshots", URL).lines] == ["2020"], "no tombstone"
    missing = onrecord("get", "http://gazette.example/other")
    assert missing.code == 4
    assert "onrecord recover http://gazette.example/other" in missing.err
    assert recover(onrecord, wayback.cdx, "--at", "20190101").code == 0
    assert len(onrecord("--json", "snapshots", URL).lines) == 2
    assert recover(onrecord, wayback.cdx, url="http://gazette.example/other").code == 4
    assert recover(onrecord, wayback.cdx, "--at", "2019", "--all").code == 2
    assert recover(onrecord, "gazette").code == 2


@pytest.mark.full
def test_a_list_in_pages_each_capture_once_and_nothing_twice(onrecord: Command, wayback: Wayback) -> None:
    wayback.kept = [kept(f"2019030112{minute:02}00", f"word{minute}") for minute in range(23)]
    wayback.page = 10
    assert recover(onrecord, wayback.cdx, "--from", "20190301120500", "--to", "20190301121900").code == 0
    assert len(wayback.searches) == 2
    assert len(wayback.replays) == len(set(wayback.replays)) == 15
    assert recover(onrecord, wayback.cdx, "--all").code == 0
    assert len(wayback.replays) == len(set(wayback.replays)) == 23, "what is here is not fetched again"
    assert len(onrecord("--json", "snapshots", URL).lines) == 23


@pytest.mark.full
def test_what_is_missing_broken_or_cut_is_told(onrecord: Command, wayback: Wayback) -> None:
    """A capture that is not there, one of another second, one that breaks off, one of which the archive has half."""
    wayback.kept = [kept(f"2019030112000{number}", f"word{number}") for number in range(6)]
    wayback.missing = {"20190301120001"}
    wayback.inexact = {"20190301120002"}  # redirects to the one a second before or after
    wayback.cut = {"20190301120003": 1, "20190301120004": 99}
    wayback.kept[5].headers = (*HTML, ("Content-Length", "100000"))
    done = recover(onrecord, wayback.cdx, "--all", flags=("--json",))
    assert done.code == 3
    outcomes = {each["via"].partition("id_")[0][-14:]: each for each in done.lines}
    assert {stamp[-1]: each["outcome"] for stamp, each in outcomes.items()} == {
        "0": "ok", "1": "http-error", "3": "ok", "4": "truncated", "5": "truncated",
    }  # fmt: skip
    assert all(each["role"] == "recovered" for each in outcomes.values())
    for second, reason in (("04", "disconnect"), ("05", "unspecified")):
        record = onrecord("get", URL, "--at", f"201903011200{second}", "--format", "record").out
        assert "WARC-Type: resource" in record
        assert f"WARC-Truncated: {reason}" in record
        assert "WARC-Target-URI: " + URL in record
    assert "word3" in onrecord("get", URL, "--at", "20190301120003").out


@pytest.mark.full
def test_codings_are_kept_or_said_to_be_undone(onrecord: Command, wayback: Wayback) -> None:
    packed = gzip.compress(page("oysters"), mtime=0)
    coded = (*HTML, ("Content-Encoding", "gzip"), ("Content-Length", str(len(packed))))
    wayback.kept = [
        Kept(URL, "20190301120000", packed, headers=coded),
        Kept(URL, "20200301120000", page("lobsters"), headers=(*HTML, ("Transfer-Encoding", "chunked"))),
    ]
    assert recover(onrecord, wayback.cdx, "--all").code == 0
    assert "oysters" in onrecord("get", URL, "--at", "2019").out
    assert "lobsters" in onrecord("get", URL).out
    (first,) = [each for each in onrecord("--json", "snapshots", URL).lines if each["timestamp"] < "2020"]
    record = onrecord("get", URL, "--at", "2019", "--format", "html").out
    assert "oysters" in record
    assert first["mime"] == "text/html"


@pytest.mark.full
def test_limits_are_waited_for_and_an_archive_that_wants_rest_is_left_alone(
    onrecord: Command, wayback: Wayback
) -> None:
    wayback.kept = [kept("20190301120000", "oysters"), kept("20200301120000", "lobsters")]
    wayback.busy = 2
    assert recover(onrecord, wayback.cdx, "--at", "2019").code == 0
    wayback.busy, wayback.retry_after = 1, "86400"
    asked = len(wayback.site.paths)
    done = recover(onrecord, wayback.cdx, "--all")
    assert done.code == 3
    assert "asks to be left alone for 86400 s" in done.err
    assert len(wayback.site.paths) == asked + 1
    done = recover(onrecord, wayback.cdx, "--all")
    assert done.code == 0, done.err
    assert "1 captures recovered" in done.err
    assert "1 were here already" in done.err


@pytest.mark.full
def test_a_capture_of_our_own_goes_before_one_recovered_near_it(onrecord: Command, wayback: Wayback) -> None:
    with Site() as site:
        url = site.url("/post")
        site.answers["/post"] = answer(page("ours"))
        onrecord.capture(url)
        ours = from_iso(onrecord("--json", "snapshots", url).lines[0]["timestamp"])
        stamp = f"{ours - timedelta(seconds=1):%Y%m%d%H%M%S}"
        wayback.kept = [Kept(url, stamp, page("theirs")), Kept(url, "20190301120000", page("older"))]
        assert recover(onrecord, wayback.cdx, "--all", url=url).code == 0
        assert len(onrecord("--json", "snapshots", url).lines) == 3
        assert "ours" in onrecord("get", url, "--at", stamp).out
        assert "ours" in onrecord("get", url).out
        assert "older" in onrecord("get", url, "--at", "2019").out
        site.answers["/post"] = answer(page("ours"))
        assert onrecord.capture(url).code == 0
        assert b"if-none-match" not in site.raw_requests[-1].lower()


def _until_killed(onrecord: Command, wayback: Wayback, replays: int) -> None:
    argv = ("--archive", wayback.cdx, "--allow-private", "--delay", "0", "--searches", "6000", "--all")
    process = onrecord.start("recover", URL, *argv)
    try:
        wait_for(lambda: len(wayback.replays) >= replays or process.poll() is not None)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()


def _killed(onrecord: Command, wayback: Wayback, count: int, kills: int) -> None:
    wayback.kept = [
        kept(f"20190301{number // 3600:02}{number // 60 % 60:02}{number % 60:02}", f"word{number}")
        for number in range(count)
    ]
    wayback.page = count // 3
    for number in range(1, kills + 1):
        _until_killed(onrecord, wayback, number * count // (kills + 1))
    done = recover(onrecord, wayback.cdx, "--all")
    assert done.code == 0, done.err
    found = onrecord("--json", "snapshots", URL).lines
    assert len(found) == len({each["timestamp"] for each in found}) == count
    for each in (found[0], found[count // 2], found[-1]):
        at = re.sub(r"\D", "", each["timestamp"])
        number = int(at[8:10]) * 3600 + int(at[10:12]) * 60 + int(at[12:])
        assert f"word{number} " in onrecord("get", URL, "--at", at).out
    assert onrecord("verify", "--deep").code == 0
    records = b""
    for file in sorted(Path(onrecord.store).glob("runs/*/archive/*.warc.gz")):
        records += gzip.decompress(file.read_bytes())
    assert len(re.findall(rb"\r\nWARC-Type: response\r\n", records)) == count, "nothing twice"


@pytest.mark.full
def test_killed_and_started_again_nothing_is_twice(onrecord: Command, wayback: Wayback) -> None:
    _killed(onrecord, wayback, 60, 2)


@pytest.mark.full
@pytest.mark.timeout(1200)
def test_a_thousand_captures_killed_five_times(onrecord: Command, wayback: Wayback) -> None:
    _killed(onrecord, wayback, 1000, 5)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, Command]]:
    """Our own `serve`, with two captures of a page."""
    folder = tmp_path_factory.mktemp("origin")
    origin = Command.at(folder / "store", folder / "home")
    with Site() as site:
        url = site.url("/post")
        for word in ("oysters", "lobsters"):
            site.answers["/post"] = answer(page(word), headers=(f"X-Word: {word}",))
            origin.capture(url)
            origin.next_second()
    process = origin.start("serve", "--port", "0")
    try:
        assert process.stderr is not None
        found = re.search(r"at (http://\S+)/", process.stderr.readline())
        assert found
        yield found[1], url, origin
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=100)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.mark.full
@pytest.mark.parametrize(
    "path", ["/cdx", "/index", "/cdx/search/cdx", "/timemap/link/", "/timemap/json/", "/timegate/", "/web/"]
)
def test_our_own_serve_gives_back_what_it_has(onrecord: Command, served: tuple[str, str, Command], path: str) -> None:
    base, url, origin = served
    done = recover(onrecord, base + path, "--all", url=url)
    assert done.code == 0, done.err
    theirs, ours = (each("--json", "snapshots", url).lines for each in (origin, onrecord))
    assert [(each["timestamp"], each["digest"], each["title"]) for each in ours] == [
        (each["timestamp"], each["digest"], each["title"]) for each in theirs
    ]
    record = onrecord("get", url, "--at", ours[0]["timestamp"], "--format", "record").out
    assert "x-word: oysters" in record.lower()
    assert onrecord("get", url).out == origin("get", url).out
