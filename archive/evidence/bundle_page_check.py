"""The page of a bundle made again of what else is in it, and compared."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

from archive.checked_json import size_of, text_of
from archive.digests import digest_of
from archive.evidence.bundle_layout import Understood
from archive.evidence.bundle_page import NAME, PICTURES, TEXT
from archive.evidence.bundle_shown import InBundle, page
from archive.evidence.checkpoint import Checkpoint

_FIELDS = {"title", "text", "extractor", "record", "picture"}


def page_fault(
    read: Callable[[str], bytes], digest: Callable[[str], str], names: Collection[str], said: Any,
    records: Sequence[tuple[InBundle, str | None]],
    checkpoint: Checkpoint, signer: str, stamps: Sequence[tuple[datetime, str]], manifest: bytes,
) -> str | None:  # fmt: skip
    """Return what is wrong with the page, its text or its picture, None where they are what the bundle makes.

    `read` gives a file of the bundle, `digest` the digest of one, `names` are all of them. `records` are those of the
    bundle, each with the digest of its payload. Raises IntegrityError.
    """
    with Understood():
        if not isinstance(said, dict) or set(said) != _FIELDS:
            raise ValueError("shown is not as this program writes it")
        said |= {"title": text_of(said["title"]), "extractor": text_of(said["extractor"])}
        text = read(TEXT) if said["text"] is not None else b""
        html = read(NAME)
        if said["text"] is not None and digest_of(text) != said["text"]:
            return f"{TEXT} is not the text that bundle.json names: it was altered"
        picture = next((name for name in PICTURES.values() if name in names), None)
        if picture is not None:
            number = size_of(said["picture"], len(records) - 1)
            if digest(picture) != records[number][1]:
                return f"{picture} is not what its record holds: it was altered"
        elif said["picture"] is not None:
            raise ValueError("a picture is missing")
        found = [each for each, _ in records]
        expected = page(found, checkpoint, signer, stamps, manifest, said, text.decode(), picture)
    return None if html == expected else f"{NAME} is not what this program makes of what is in it: it was altered"
