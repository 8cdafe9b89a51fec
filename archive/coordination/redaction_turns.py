"""Redactions of one run at once: which comes first, and who moves its files just now.

Of several statements that replace one manifest, the first that puts `turns/RUN/HASH` is carried out; the others are
made again, behind it. A process that moves files says so in `intents/redact/RUN/ID` and looks at the manifest then. If
it sleeps before a put, others may carry the redaction to its end, and a further one; its put, when it comes, brings
back a file of before. Therefore what lies aside for a redaction stays there until nobody else moves files of its runs:
`archive.redaction.apply.finish` holds the runs against it, and puts again what differs. Nobody ever takes the word of a
process of another machine for void: `redact --finish` names its key, to be deleted where that machine is gone for good.
"""

from __future__ import annotations

import fcntl
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from archive import object_keys
from storage.base import ObjectStore
from storage.errors import ObjectMissing
from storage.private import private_folder

_LONGEST = 100  # characters of a redaction's name


def may_state(store: ObjectStore, name: str) -> bool:
    """Whether a redaction's statement may be put: nobody clears away, from then on, what lies aside for it.

    Raises StoreError.
    """
    return store.put_if_absent(object_keys.redaction_stated(name), b"stated")


def may_clear(store: ObjectStore, name: str) -> bool:
    """Whether what lies aside for a redaction may be cleared away, and it never be stated; raises StoreError."""
    key = object_keys.redaction_stated(name)
    return store.put_if_absent(key, b"given up") or store.get_range(key, 0, _LONGEST) == b"given up"


def first_of(store: ObjectStore, run: str, digest: str, name: str) -> str:
    """Return the redaction that replaces a run's manifest, this one unless another came first; raises StoreError."""
    key = object_keys.redaction_turn(run, digest)
    if store.put_if_absent(key, name.encode()):
        return name
    return store.get_range(key, 0, _LONGEST).decode(errors="replace")


@contextmanager
def moving(store: ObjectStore, scratch: Path, run: str) -> Iterator[None]:
    """Say that files are moved over those of a run; raises OSError, StoreError.

    A lock in the scratch folder says to others on this machine whether the process is alive.
    """
    name = secrets.token_hex(8)
    private_folder(scratch)
    path = _lock_file(scratch, name)
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        store.put(object_keys.redact_intent(run, name), b"")
        yield
        store.delete(object_keys.redact_intent(run, name))
        path.unlink(missing_ok=True)


def movers(store: ObjectStore, scratch: Path, run: str) -> list[str]:
    """Return the keys by which processes that may be alive say that they move files of a run; raises StoreError.

    What the dead of this machine left goes.
    """
    alive = []
    for info in list(store.list(object_keys.redact_intent(run, ""))):
        path = _lock_file(scratch, info.key.rpartition("/")[2])
        if path.exists() and _is_dead(path):
            with suppress(ObjectMissing):
                store.delete(info.key)
            path.unlink(missing_ok=True)
        else:
            alive.append(info.key)
    return alive


def _lock_file(scratch: Path, name: str) -> Path:
    return scratch / f"moving-{name}"


def _is_dead(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
