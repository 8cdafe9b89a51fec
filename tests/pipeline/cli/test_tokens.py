"""`onrecord tokens`: made, listed, revoked, expiring; kept as hashes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from archive.times import from_iso, now
from pipeline.web.write.tokens import TokenError, Tokens
from tests.command import Command


def test_a_token_is_printed_once_listed_and_revoked(onrecord: Command) -> None:
    made = onrecord("--json", "tokens", "add", "ida", "--expires", "90d").lines[0]
    assert abs(from_iso(made["expires"]) - now() - timedelta(days=90)) < timedelta(minutes=5)
    again = onrecord("tokens", "add", "joost", "--expires", "never")
    assert (again.code, again.out.startswith("onr_"), len(again.out.splitlines())) == (0, True, 1)
    listed = onrecord("--json", "tokens", "list").lines
    assert [(each["name"], "expires" in each, "revoked" in each) for each in listed] == [
        ("ida", True, False),
        ("joost", False, False),
    ]
    (file,) = Path(onrecord.env["HOME"]).glob(".local/state/onrecord/saving/*/tokens.jsonl")
    assert made["token"] not in file.read_text()
    assert again.out.strip() not in file.read_text() + onrecord("tokens", "list").out
    assert file.stat().st_mode & 0o077 == 0

    tokens = Tokens(file)
    owner = tokens.owner(made["token"])
    assert owner is not None
    assert owner.name == "ida"
    assert onrecord("tokens", "revoke", "ida").code == 0
    assert tokens.owner(made["token"]) is None, "a process that has read the file before sees it"
    assert "revoked" in onrecord("tokens", "list").out
    assert onrecord("tokens", "revoke", "ida").code == 2
    assert onrecord("tokens", "revoke", listed[1]["id"]).code == 0


def test_tokens_end_when_they_should(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "tokens.jsonl")
    over, _ = tokens.add("over", now() - timedelta(seconds=1))
    held, _ = tokens.add("held", now() + timedelta(days=1))
    assert tokens.owner(over) is None
    assert tokens.owner(held) is not None
    for wrong in ("", "onr_", held[:-1], f"{held}x", held.upper(), "\udc80", "onr_" + "x" * 10_000):
        assert tokens.owner(wrong) is None, wrong


@pytest.mark.parametrize("arguments", [("", "30d"), ("a\nb", "30d"), ("ida", "2020-01-01"), ("ida", "soon")])
def test_what_makes_no_token_is_one_line(onrecord: Command, arguments: tuple[str, str]) -> None:
    done = onrecord("tokens", "add", arguments[0], "--expires", arguments[1])
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)


def test_a_damaged_file_lets_nobody_in(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "tokens.jsonl")
    held, _ = tokens.add("held", None)
    with (tmp_path / "tokens.jsonl").open("a") as file:
        file.write("{\n")
    with pytest.raises(TokenError, match="cannot be read"):
        tokens.owner(held)
