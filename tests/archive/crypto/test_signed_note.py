"""Signed notes: what was signed is known, what was altered is told."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.crypto.signed_note import PublicKey, Signer, open_note
from archive.errors import IntegrityError, KeyFileError

# A key in wide use, as its owner publishes it.
EXAMPLE_KEY = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"


def test_a_note_names_who_signed_it(tmp_path: Path) -> None:
    signer = Signer.create(tmp_path / "keys" / "one", "clinic.example")
    other = Signer.create(tmp_path / "two", "press.example")
    note = signer.sign("line one\nline two\n")
    assert open_note(note, [signer.public, other.public]) == ("line one\nline two\n", [signer.public])
    assert open_note(note, [other.public]) == ("line one\nline two\n", [])


def test_a_key_is_read_as_it_was_written(tmp_path: Path) -> None:
    signer = Signer.create(tmp_path / "key", "clinic.example")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert Signer.load(tmp_path / "key").public == signer.public
    assert PublicKey.parse(f" {signer.public}\n") == signer.public


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    Signer.create(tmp_path / "key", "clinic.example")
    before = (tmp_path / "key").read_bytes()
    with pytest.raises(KeyFileError, match="already"):
        Signer.create(tmp_path / "key", "clinic.example")
    assert (tmp_path / "key").read_bytes() == before


def test_a_key_of_another_program_is_read() -> None:
    assert str(PublicKey.parse(EXAMPLE_KEY)) == EXAMPLE_KEY


@pytest.mark.parametrize(
    "text", ["", "a+b+c", EXAMPLE_KEY[:-4], EXAMPLE_KEY.replace("033d", "033e"), "é" * 300, "+" * 9]
)
def test_what_is_no_key_is_one_line(text: str, tmp_path: Path) -> None:
    with pytest.raises(KeyFileError):
        PublicKey.parse(text)
    (tmp_path / "key").write_text(text)
    with pytest.raises(KeyFileError):
        Signer.load(tmp_path / "key")


@given(st.data())
def test_every_altered_byte_of_a_signed_text_is_told(data: st.DataObject) -> None:
    signer = Signer("clinic.example", bytes(range(32)))
    note = signer.sign("what was said\non which day\n")
    at = data.draw(st.integers(0, len("what was said\non which day\n") - 1))
    letter = data.draw(st.characters(exclude_characters=note[at]))
    altered = note[:at] + letter + note[at + 1 :]
    try:
        _, signers = open_note(altered, [signer.public])
    except IntegrityError:
        return
    assert signers == []


@given(st.text())
def test_any_text_is_a_note_or_an_error(text: str) -> None:
    signer = Signer("clinic.example", bytes(32))
    with suppress(IntegrityError):
        open_note(text, [signer.public])
