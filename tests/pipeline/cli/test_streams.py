"""Closed, full and broken streams, and places that cannot be written: what can be done is done, in one line or none."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from pipeline.cli.exit_codes import EXIT_CODES
from pipeline.cli.main import COMMANDS
from pipeline.cli.streams import READERS
from tests.command import Command
from tests.pipeline.ingest.test_record_ids import of_stranger

URL = "http://gazette.example/court"
# What each command is called with, in an archive that holds one page.
ARGUMENTS = {
    "alerts": ("test",), "capture": ("http://127.0.0.1:9/",), "compact": (), "diff": (URL,),
    "doctor": (),
    "embargo": ("list",), "evidence": ("key",), "export": ("-o", "-", "--help"), "extract": (), "gc": (),
    "get": (URL, "--format", "raw"), "import": ("{file}",), "redact": ("--finish",), "repair": ("--from", "{copy}"),
    "replicate": ("{copy}",), "restore": ("{copy}/other",), "run": (), "schedule": ("show",), "search": ("words",),
    "serve": ("--help",), "snapshots": (URL,), "status": (), "watch": ("list",), "verify": ("--deep",),
    "withhold": ("add", URL), "help": ("terms",), "list": (), "mcp": (), "tokens": ("list",),
    "recover": (URL, "--archive", "http://127.0.0.1:9/timegate/", "--allow-private"),
    "annotate": (URL, "--label", "read"),
}  # fmt: skip
SEVERAL = ("capture", "get", "import", "search", "verify")
BROKEN = {"no stdin": "<&-", "no stdout": ">&-", "no stderr": "2>&-", "full": ">/dev/full", "full log": "2>/dev/full"}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Command, Path]:
    folder = tmp_path_factory.mktemp("kept")
    file = folder / "a.warc"
    file.write_bytes(of_stranger("some words"))
    onrecord = Command.at(folder / "store", folder / "home")
    assert onrecord("import", str(file)).code == 0
    assert onrecord("replicate", str(folder / "copy")).code == 0
    return onrecord, folder


def through_shell(onrecord: Command, redirection: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    called = [sys.executable, "-P", "-c", "from pipeline.cli.main import main; main()", "--store", onrecord.store]
    return subprocess.run(
        ["bash", "-c", f'"$@" {redirection}', "bash", *called, *arguments],
        env=onrecord.env, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip


def test_every_command_is_tried() -> None:
    assert set(ARGUMENTS) == set(COMMANDS)


@pytest.fixture(scope="module")
def undisturbed(kept: tuple[Command, Path]) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """How commands end whose streams are as they should be."""
    return cache(lambda name: through_shell(kept[0], "", name, *_given(name, kept[1])))


def _given(name: str, folder: Path) -> list[str]:
    return [each.format(file=folder / "a.warc", copy=folder / "copy") for each in ARGUMENTS[name]]


@pytest.mark.parametrize(
    ("name", "how"),
    [
        pytest.param(name, how, marks=() if SEVERAL.index(name) == place else pytest.mark.full)
        for name in SEVERAL
        for place, how in enumerate(BROKEN)
    ],
)
def test_a_stream_that_is_gone_ends_no_command_with_a_bug(
    name: str, how: str, kept: tuple[Command, Path], undisturbed: Callable[[str], subprocess.CompletedProcess[str]]
) -> None:
    onrecord, folder = kept
    whole = undisturbed(name)
    done = through_shell(onrecord, BROKEN[how], name, *_given(name, folder))
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    assert "Exception ignored" not in done.stderr
    assert done.returncode in EXIT_CODES.keys() - {1}, (done.returncode, done.stderr)
    lost = how == "full" or (how == "no stdout" and name in READERS)
    if lost and whole.stdout and not whole.returncode:
        assert (done.returncode, "the output: " in done.stderr) == (2, True), done.stderr
    else:
        assert done.returncode == whole.returncode, done.stderr


@pytest.mark.parametrize("name", ["list", "get"])
def test_an_output_that_is_closed_is_called_so(name: str, kept: tuple[Command, Path]) -> None:
    onrecord, folder = kept
    done = through_shell(onrecord, ">&-", name, *_given(name, folder))
    assert (done.returncode, "the output: it is closed; name a file" in done.stderr) == (2, True), done.stderr
    assert "free space" not in done.stderr


def test_a_capture_goes_on_when_nobody_reads(kept: tuple[Command, Path], tmp_path: Path) -> None:
    files = []
    for number in range(3):
        files.append(tmp_path / f"{number}.warc")
        files[-1].write_bytes(of_stranger(f"page {number}", f"<urn:uuid:{number + 10}>", f"{URL}/{number}"))
    onrecord = Command.at(tmp_path / "store", tmp_path / "home")
    done = through_shell(onrecord, "| true; exit ${PIPESTATUS[0]}", "import", "--no-extract", *map(str, files))
    assert done.returncode == 0, done.stderr
    assert len(onrecord("--json", "snapshots", URL, "--match", "prefix").lines) == 3


def in_place(kept: tuple[Command, Path], **changes: str) -> Command:
    onrecord, _ = kept
    env = {name: value for name, value in onrecord.env.items() if name != "HOME" and not name.startswith("XDG_")}
    return Command(onrecord.store, env | changes)


@pytest.mark.parametrize("place", ["no HOME", "a file as HOME", "no place at all", "a file as cache"])
def test_places_that_cannot_be_written(place: str, kept: tuple[Command, Path], tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    changes = {
        "no HOME": {"HOME": "relative", "TMPDIR": str(tmp_path)},  # as without an entry of the user database
        "a file as HOME": {"HOME": str(file), "TMPDIR": str(tmp_path)},
        "no place at all": {"HOME": "/proc/1/nothing", "TMPDIR": str(tmp_path)},
        "a file as cache": {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(file)},
    }[place]
    onrecord = in_place(kept, **changes)
    for arguments in (("verify", "--deep"), ("search", "words"), ("snapshots", URL)):
        done = onrecord(*arguments)
        assert (done.code, "Traceback" in done.err) == (0, False), (arguments, done.err)
    assert "some words" in onrecord("search", "words").out.replace("[", "").replace("]", "")
    other = tmp_path / "other.warc"
    other.write_bytes(of_stranger("more words", "<urn:uuid:77>"))
    new = Command(str(tmp_path / "new"), onrecord.env)
    done = new("import", "--no-extract", str(other))
    assert (done.code, "Traceback" in done.err) == (0, False), done.err
    assert not Path("relative").exists()
