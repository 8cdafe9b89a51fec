"""What was taken out of a run, who took it out and why: a signed note beside the runs (C2SP signed-note).

The note is the moment at which a redaction is decided: before it the old run stands, from it on the new one. It names
records by their places and ids, and never says what was in them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote, unquote

from archive import object_keys
from archive.checked_json import size_of
from archive.crypto.signed_note import PublicKey, Signer, open_note
from archive.digests import is_digest
from archive.errors import IntegrityError
from archive.model import Kind, Withholding, place_of
from archive.times import from_iso, iso

LONGEST = 16 << 20  # bytes of a statement
LONGEST_REASON = 1000  # characters
_TITLE = "onrecord redaction 2"
_TITLE_BY_IDS = "onrecord redaction 1"  # up to onrecord 0.4: a record is named by its id alone
_UNQUOTED = "<>:/;,.+-_~@=()[]"  # of a record id
_FIELDS = ("id", "at", "reason")


@dataclass(frozen=True, slots=True)
class Replaced:
    """A run whose manifest was replaced by another one, by their hashes."""

    run: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, order=True)
class Gone:
    """A record whose content is gone: the object key and offset where it lay, and its id."""

    key: str
    offset: int
    record_id: str

    @property
    def place(self) -> str:
        """Return the place by which captures and documents name the record."""
        return place_of(self.key, self.offset)


@dataclass(frozen=True, slots=True)
class Statement:
    """Runs that were replaced, and the records whose content is gone.

    A statement of onrecord 0.4 has no places: there `records` names any record of such an id in the replaced runs.
    """

    id: str
    at: datetime
    reason: str
    replaced: tuple[Replaced, ...]
    records: tuple[str, ...]
    gone: tuple[Gone, ...] = ()

    @property
    def withholding(self) -> Withholding:
        """What a reader who asks for one of the records sees."""
        return Withholding(Kind.REDACTED, self.reason)

    def signed(self, signer: Signer) -> bytes:
        """Return the note that is kept.

        Raises ValueError for a reason that is no line of text, IntegrityError where the note would not be read back as
        this statement: nothing could be shown any more.
        """
        if not self.reason.strip() or len(self.reason) > LONGEST_REASON or not self.reason.isprintable():
            raise ValueError(f"the reason is one line of text, {LONGEST_REASON:,} characters at most")
        values = (self.id, iso(self.at), self.reason)
        title = _TITLE if self.gone else _TITLE_BY_IDS
        lines = [title, *(f"{name} {value}" for name, value in zip(_FIELDS, values, strict=True))]
        lines += [f"run {each.run} {each.old} {each.new}" for each in self.replaced]
        if self.gone:
            lines += [f"record {each.place} {quote(each.record_id, _UNQUOTED)}" for each in self.gone]
        else:
            lines += [f"record {record}" for record in self.records]
        at = from_iso(iso(self.at))
        note = signer.sign("".join(f"{line}\n" for line in lines)).encode()
        try:
            if len(note) > LONGEST or read_statement(note, self.id).statement != replace(self, at=at):
                raise ValueError(f"of {len(note):,} bytes")
        except (IntegrityError, ValueError) as error:
            raise IntegrityError(
                f"the statement of {len(self.records):,} records could not be read back ({error}): redact fewer at "
                "once, by --record"
            ) from error
        return note


@dataclass(frozen=True, slots=True)
class Signed:
    """A statement, and those of the keys that were asked about which signed it; none where it is nobody's here."""

    statement: Statement
    signers: tuple[PublicKey, ...]

    @property
    def by(self) -> str:
        """The names of its signers."""
        return ", ".join(key.name for key in self.signers)


def read_statement(data: bytes, name: str, known: Iterable[PublicKey] = ()) -> Signed:
    """Read a note, and see which of the known keys signed it.

    Raises IntegrityError for what is no statement of that name, and where a known key's signature is not over it.
    """
    try:
        text, signers = open_note(data.decode(), known)
        statement = _parsed(text)
    except (ValueError, OverflowError) as error:
        raise IntegrityError(f"a redaction that cannot be understood ({error})") from error
    if statement.id != name:
        raise IntegrityError(f"the statement {name} is that of another redaction, {statement.id}")
    return Signed(statement, tuple(signers))


def _parsed(text: str) -> Statement:
    title, *lines = text.removesuffix("\n").split("\n")
    if title not in {_TITLE, _TITLE_BY_IDS}:
        raise ValueError("it is not a statement, or of a newer onrecord")
    values = []
    for name, line in zip(_FIELDS, lines, strict=False):
        if not line.startswith(f"{name} "):
            raise ValueError(f"it lacks {name!r}")
        values.append(line.removeprefix(f"{name} "))
    name, at, reason = values
    replaced: list[Replaced] = []
    records: list[str] = []
    gone: list[Gone] = []
    for line in lines[len(_FIELDS) :]:
        what, _, value = line.partition(" ")
        if what == "run" and not records:
            replaced.append(_replaced(value))
        elif what == "record" and value and title == _TITLE:
            gone.append(_gone(value))
            records.append(gone[-1].record_id)
        elif what == "record" and value:
            records.append(value)
        else:
            raise ValueError("a line of it is not known")
    if not object_keys.is_run_id(name) or not replaced or not records:
        raise ValueError("it says nothing")
    return Statement(name, from_iso(at), reason, tuple(replaced), tuple(records), tuple(gone))


def _gone(text: str) -> Gone:
    key, offset, record_id = text.split(" ")
    if object_keys.split_run_key(key) is None:
        raise ValueError("a record of it lies in no run")
    return Gone(key, size_of(offset), unquote(record_id))


def _replaced(text: str) -> Replaced:
    run, old, new = text.split(" ")
    if not (object_keys.is_run_id(run) and is_digest(old) and is_digest(new)):
        raise ValueError("a run's name or hash is not valid")
    return Replaced(run, old, new)
