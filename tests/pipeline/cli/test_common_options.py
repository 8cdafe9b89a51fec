"""Options of the program behind the command, and what is said of commands and options that there are not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.command import Command, Done


@pytest.fixture
def elsewhere(tmp_path: Path) -> Command:
    """A program whose store is not the one that the test names behind the command."""
    return Command.at(tmp_path / "none", tmp_path)


def of(done: Done) -> tuple[int, str]:
    return done.code, done.err.removeprefix("onrecord: ").strip()


def test_the_store_and_json_are_taken_behind_the_command(elsewhere: Command, tmp_path: Path) -> None:
    (tmp_path / "watches.toml").write_text("")
    listed = ("--watches", str(tmp_path / "watches.toml"))
    done = elsewhere("watch", "add", "--store", str(tmp_path / "there"), "-q", *listed, "https://quay.example/")
    assert of(done) == (0, "")
    (line,) = elsewhere("watch", "list", "--json", *listed).lines
    assert line["url"] == "https://quay.example/"
    assert json.loads(elsewhere("schedule", "install", "--log-json", "--every", "7m").err)["level"] == "error"


def test_the_store_behind_the_command_wins(elsewhere: Command, tmp_path: Path) -> None:
    assert f"no archive at {tmp_path / 'there'}" in elsewhere("status", "--store", str(tmp_path / "there")).err
    assert f"no archive at {tmp_path / 'none'}" in elsewhere("status").err


def test_a_configuration_behind_the_command_gives_its_defaults(elsewhere: Command, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("[capture]\nmax_size = 'much'\n")
    done = elsewhere("capture", "--config", str(tmp_path / "own.toml"), "https://quay.example/")
    assert (done.code, "is no size" in done.err) == (2, True)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("captrue", "x"), "did you mean: onrecord capture"),
        (("snapshot", "x"), "did you mean: onrecord snapshots"),
        (("ls",), "did you mean: onrecord list, snapshots, or watch list"),
        (("show", "x"), "did you mean: onrecord get"),
        (("https://quay.example/?a=1&b=2",), "did you mean: onrecord capture 'https://quay.example/?a=1&b=2'"),
        (("my file.wacz",), "did you mean: onrecord import 'my file.wacz'"),
        (("capture", "--allow", "x"), "did you mean --allow-private?"),
        (("capture", "--jsn", "x"), "did you mean --json?"),
        (("snapshots", "--since", "x"), "did you mean --from?"),
        (("capture", "--recursive", "x"), "did you mean --depth?"),
        (("get", "--depth", "3"), "it is one of: onrecord capture"),
        (
            ("run", "--allow-private"),
            "set allow_private in the table [capture] of the settings, or ONRECORD_ALLOW_PRIVATE",
        ),
        (("watch", "ad"), "'add'"),
    ],
)
def test_what_was_meant(elsewhere: Command, arguments: tuple[str, ...], meant: str) -> None:
    code, said = of(elsewhere(*arguments))
    assert code == 2
    assert meant in said


@pytest.mark.parametrize("arguments", [("frobnicate",), ("get", "--frobnicate")])
def test_nothing_is_suggested_where_nothing_is_like_it(elsewhere: Command, arguments: tuple[str, ...]) -> None:
    code, said = of(elsewhere(*arguments))
    assert (code, "did you mean" in said, "--help" in said) == (2, False, True)
