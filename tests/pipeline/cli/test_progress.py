"""What long commands say meanwhile: a bar on a terminal, lines elsewhere, nothing with -q."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
from pathlib import Path

import pytest

from pipeline.cli.progress import Progress, amount, span
from tests.command import Command
from tests.pipeline.cli.conftest import post
from tests.site import Site


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1.0 kB"), (999_949, "999.9 kB"), (999_950, "1.0 MB")],
)
def test_bytes_are_written_as_people_read_them(size: int, words: str) -> None:
    assert amount(size) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "0 s"), (89, "89 s"), (90, "2 min"), (5300, "88 min"), (11_100, "3 h 5 min")]
)
def test_time_is_written_as_people_say_it(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_counts_are_words() -> None:
    bar = Progress(enabled=False, total=40)
    bar.advance(size=1200)
    bar.advance(failed=True)
    bar.add(300)
    assert bar.words() == "capturing: 2 of 40 pages, 1 failed, 1.5 kB"
    other = Progress(enabled=False, total=None, what="writing", unit="", measured=lambda: 5_000_000)
    assert other.words() == "writing: 5.0 MB"
    assert Progress(enabled=False, total=None, what="reading", unit="run").words() == "reading: 0 runs"


def test_where_there_is_no_terminal_a_line_comes_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for enabled, lines in ((True, True), (False, True), (True, False)):
        monkeypatch.setattr("pipeline.cli.progress._PAUSE", 0.0)
        bar = Progress(enabled=enabled, total=4, lines=lines)
        bar.advance()
        said = capsys.readouterr().err
        if enabled and lines:
            assert re.fullmatch(r"onrecord: capturing: 1 of 4 pages, about \d+ s left\n", said)
        else:
            assert said == ""


def _on_a_terminal(onrecord: Command, *arguments: str) -> str:
    """What a command draws on a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        onrecord.argv(*arguments), env=onrecord.env | {"TERM": "xterm", "COLUMNS": "120"}, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    drawn = b""
    while True:
        select.select([ours], [], [])
        try:
            piece = os.read(ours, 65_536)
        except OSError:  # nobody holds the other end any more
            break
        if not piece:
            break
        drawn += piece
    os.close(ours)
    process.wait()
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn.decode())


def test_on_a_terminal_there_is_a_bar_at_once(onrecord: Command, site: Site, tmp_path: Path) -> None:
    site.answers["/post"] = post("The harbour", "The mayor knew of it.")
    drawn = _on_a_terminal(onrecord, "capture", "--allow-private", "--no-requisites", "--delay", "0", site.url("/post"))
    assert "capturing: 0 of 1 page" in drawn
    assert "200 new" in drawn
    assert "capturing" not in _on_a_terminal(
        onrecord, "-q", "capture", "--allow-private", "--no-requisites", "--delay", "0", site.url("/post")
    )


@pytest.mark.full
@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("verify", "--deep"), "reading: 0 runs"),
        (("export", "FOLDER/all.wacz"), "writing"),
        (("replicate", "FOLDER/copy"), "copying: 0 runs"),
        (("extract", "--workers", "1", "--force"), "extracting texts: 0 pages"),
    ],
)
def test_other_long_commands_have_one_too(
    onrecord: Command, site: Site, tmp_path: Path, command: tuple[str, ...], says: str
) -> None:
    onrecord.capture(site.url("/post"))
    drawn = _on_a_terminal(onrecord, *(word.replace("FOLDER", str(tmp_path)) for word in command))
    assert says in drawn


@pytest.mark.full
def test_a_long_capture_ends_with_how_its_pages_ended(onrecord: Command, site: Site) -> None:
    for number in range(49):
        site.answers[f"/{number}"] = post(f"Number {number}", "The mayor knew of it.")
    done = onrecord.capture(*(site.url(f"/{number}") for number in range(49)), site.url("/none"))
    assert re.search(r"onrecord: 50 pages in .*, .*B stored: 49 ok, 1 http-error\n", done.err)
