"""What is proved of an archive, and by whose word: a log of its runs, signed and stamped, and bundles for others."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archive.crypto.rfc3161 import LIMIT, Stamp, check_token, query, read_roots
    from archive.evidence.bundle_create import Created
    from archive.evidence.bundle_text import DOES_NOT_PROVE, PROVES
    from archive.evidence.bundle_verify import Checking, Step
    from archive.evidence.checkpoint import Checkpoint
    from archive.evidence.sign_checkpoint import Made, remembered_checkpoint
    from archive.evidence.stored_timestamps import mark_of

__all__ = [
    "DOES_NOT_PROVE",
    "LIMIT",
    "PROVES",
    "Checking",
    "Checkpoint",
    "Created",
    "Made",
    "Stamp",
    "Step",
    "check_token",
    "mark_of",
    "query",
    "read_roots",
    "remembered_checkpoint",
]

_HOMES = {
    "Created": "archive.evidence.bundle_create",
    "Checkpoint": "archive.evidence.checkpoint",
    "Made": "archive.evidence.sign_checkpoint",
    "remembered_checkpoint": "archive.evidence.sign_checkpoint",
    "Checking": "archive.evidence.bundle_verify",
    "Step": "archive.evidence.bundle_verify",
    "mark_of": "archive.evidence.stored_timestamps",
    "LIMIT": "archive.crypto.rfc3161",
    "Stamp": "archive.crypto.rfc3161",
    "check_token": "archive.crypto.rfc3161",
    "query": "archive.crypto.rfc3161",
    "read_roots": "archive.crypto.rfc3161",
    "DOES_NOT_PROVE": "archive.evidence.bundle_text",
    "PROVES": "archive.evidence.bundle_text",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import a name when it is asked for (PEP 562): the log alone is read far more often than a proof is."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)
