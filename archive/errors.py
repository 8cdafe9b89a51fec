"""What can go wrong with what is kept (the tree's root and its storage branch: `storage.errors`).

OnrecordError
└── ArchiveError
    ├── NoSuchSnapshot     exit 4: nothing is kept of that URL at that time
    │   └── Withheld       exit 4: something is kept, and is not to be shown
    ├── NoSuchRule         exit 2: no rule of that name withholds anything
    ├── NoSuchAnnotation   exit 2: no annotation has that name
    ├── AmbiguousRecord    exit 2: several records of a run have the id that was given
    ├── IntegrityError     exit 5: bytes read back are not the bytes that were kept
    │   └── RecordError    a WARC record, gzip member or index line that cannot be read
    ├── EntityError        exit 5: a body whose content coding cannot be undone
    │   └── EntityTooLarge it would decode to more than the limit
    ├── FormatError        exit 2: a layout newer than this program, or a folder that is no archive
    ├── KeyFileError       exit 2: a key to sign or to check signatures by is missing or not valid
    └── NothingSigned      exit 4: what is to be proved stands in no checkpoint yet
"""

from __future__ import annotations

from datetime import datetime

from storage.errors import OnrecordError


class ArchiveError(OnrecordError):
    """Something is wrong with what is kept."""


class NoSuchSnapshot(ArchiveError):
    """Nothing is kept of that URL at that time."""

    exit_code = 4


class Withheld(NoSuchSnapshot):
    """Something is kept, and is not to be shown: `kind` says why, `until` when that ends, if it does."""

    def __init__(self, message: str, kind: str, until: datetime | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.until = until


class NoSuchRule(ArchiveError):
    """No rule of that name withholds anything."""

    exit_code = 2


class NoSuchAnnotation(ArchiveError):
    """No annotation has that name."""

    exit_code = 2


class AmbiguousRecord(ArchiveError):
    """Several records of a run have the id that was given: name one by its place."""

    exit_code = 2


class IntegrityError(ArchiveError):
    """Bytes read back are not the bytes that were kept."""

    exit_code = 5


class RecordError(IntegrityError):
    """A WARC record, gzip member or index line cannot be read."""


class FormatError(ArchiveError):
    """The layout is newer than this program, or this is no archive."""

    exit_code = 2


class KeyFileError(ArchiveError):
    """A key to sign or to check signatures by is missing, or is not valid."""

    exit_code = 2


class NothingSigned(ArchiveError):
    """What is to be proved stands in no checkpoint yet."""

    exit_code = 4


class EntityError(ArchiveError):
    """A body's content coding cannot be undone."""

    exit_code = 5


class EntityTooLarge(EntityError):
    """A body would decode to more than the limit."""
