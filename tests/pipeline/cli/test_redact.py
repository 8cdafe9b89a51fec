"""`onrecord redact`: what it says before and after, what it asks for, and what others say of it then."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive.access.unfinished_redactions import unfinished
from archive.crypto.signed_note import Signer
from archive.redaction.apply import finish
from archive.redaction.plan import plan_redaction, redact
from storage.errors import StoreUnavailable
from storage.local import LocalStore
from tests.archive.redaction.test_redaction import Failing, archive_of
from tests.command import Command
from tests.pipeline.withheld import ALIAS, OPEN, SECRET, WORD, furnish

NAME = "clinic.example"


@pytest.fixture
def runs(onrecord: Command, tmp_path: Path) -> list[str]:
    return furnish(LocalStore(Path(onrecord.store)), tmp_path)


def test_it_takes_out_what_was_named_and_says_so(onrecord: Command, runs: list[str], tmp_path: Path) -> None:
    arguments = ("redact", runs[0], "--url", SECRET, "--reason", "Court order 3 O 17/26")
    done = onrecord(*arguments)
    assert (done.code, "onrecord evidence key" in done.err) == (2, True), "without a key nothing is done"
    signer = Signer.create(Path(onrecord.env["HOME"]) / ".config/onrecord/signing-key", NAME)
    dry = onrecord("--json", *arguments, "--dry-run")
    assert (dry.code, dry.lines[0]["done"], dry.lines[0]["runs"]) == (0, False, runs[:2])
    assert [each["url"] for each in dry.lines[0]["lose_their_payload"]] == [ALIAS, SECRET]
    done = onrecord(*arguments)
    assert (done.code, "This cannot be undone" in done.err) == (130, True)
    assert "nothing was redacted" in done.err
    assert WORD in onrecord("get", SECRET, "--at", "20261123120000").out, "nobody said yes"
    done = onrecord(*arguments, "--yes")
    assert done.code == 0, done.err
    assert f"loses its payload: 2026-11-23T12:00:00Z {ALIAS}" in done.err
    for asked in (("get", SECRET, "--at", "20261123120000"), ("get", SECRET, "--at", "20261123120000", "--withheld")):
        gone = onrecord(*asked)
        assert (gone.code, "is redacted: Court order 3 O 17/26" in gone.err) == (4, True)
    assert "Someone" in onrecord("get", OPEN, "--at", "20261123120000").out
    whole = onrecord("verify")
    assert whole.code == 0, whole.err
    assert f"{runs[0]}: redacted by {NAME} on 20" in whole.out
    elsewhere = Command.at(onrecord.store, tmp_path / "elsewhere")
    doubtful = elsewhere("verify")
    assert (doubtful.code, "was deleted" in doubtful.err) == (5, True)
    trusting = Command.at(onrecord.store, tmp_path / "elsewhere", ONRECORD_TRUSTED_KEYS=str(signer.public))
    assert trusting("verify").code == 0


@pytest.mark.full
def test_what_is_missing_is_asked_for(onrecord: Command, runs: list[str]) -> None:
    Signer.create(Path(onrecord.env["HOME"]) / ".config/onrecord/signing-key", NAME)
    for arguments, code, said in (
        (("redact",), 2, "name a run"),
        (("redact", runs[0], "--reason", "x"), 2, "name a run, and what of it"),
        (("redact", runs[0], "--url", SECRET), 2, "say why"),
        (("redact", runs[0], "--url", SECRET, "--reason", "x" * 2000, "--yes"), 2, "one line of text"),
        (("redact", runs[0], "--record", "urn:uuid:none", "--reason", "x"), 4, "holds no capture"),
        (("redact", "20200101T000000Z-00000000", "--url", SECRET, "--reason", "x"), 4, "there is no run"),
    ):
        done = onrecord(*arguments)
        assert (done.code, said in done.err) == (code, True), (arguments, done.err)
    trusting = Command(onrecord.store, onrecord.env | {"ONRECORD_TRUSTED_KEYS": "nonsense"})
    assert trusting("verify").code == 2


def test_what_broke_off_is_finished_by_the_next(onrecord: Command, runs: list[str], tmp_path: Path) -> None:
    signer = Signer.create(Path(onrecord.env["HOME"]) / ".config/onrecord/signing-key", NAME)
    store = LocalStore(Path(onrecord.store))
    archive = archive_of(Failing(store, 14), tmp_path)  # type: ignore[arg-type]
    with pytest.raises(StoreUnavailable):
        redact(archive, plan_redaction(archive, runs[0], [SECRET], ()), signer, "Order")
    assert unfinished(store)
    begun = onrecord("verify")
    assert (begun.code, "run `onrecord redact --finish`" in begun.out) == (0, True), begun.err
    elsewhere = Command.at(onrecord.store, tmp_path / "elsewhere")("redact", "--finish")
    assert (elsewhere.code, "nobody who is known here signed it" in elsewhere.err) == (0, True)
    done = onrecord("redact", "--finish")
    assert (done.code, "records removed from 2 runs" in done.err) == (0, True), done.err
    assert onrecord("verify").code == 0
    assert unfinished(store), "the other machine may sleep, and move one of the files yet"
    [key] = [info.key for info in store.list("intents/redact/")]
    assert f"by {key} that it moves" in done.err
    assert onrecord("redact", "--finish").code == 0
    finish(archive_of(store, tmp_path), [signer.public])  # its next command sees that the process is gone
    assert not unfinished(store)
    assert not list(store.list("intents/"))
    assert "moves" not in onrecord("redact", "--finish").err


@pytest.mark.full
def test_what_is_signed_of_the_archive_goes_on(onrecord: Command, runs: list[str], tmp_path: Path) -> None:
    assert onrecord("evidence", "key", "--new", NAME).code == 0
    assert onrecord("evidence", "checkpoint").code == 0
    assert onrecord("redact", runs[0], "--url", SECRET, "--reason", "Order", "--yes").code == 0
    signed = onrecord("evidence", "checkpoint")
    assert (signed.code, "2 of them new" in signed.out + signed.err) == (0, True), signed.err
    whole = onrecord("verify", "--deep")
    assert whole.code == 0, whole.err
    file = str(tmp_path / "open.zip")
    assert onrecord("evidence", "create", OPEN, "--at", "20261123120000", "-o", file).code == 0
    assert onrecord("evidence", "verify", file).code == 0
    gone = onrecord("evidence", "create", SECRET, "--at", "20261123120000", "-o", str(tmp_path / "gone.zip"))
    assert (gone.code, "is redacted: Order" in gone.err) == (4, True)
