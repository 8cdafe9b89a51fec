"""What users said of an archive, brought to its copies: it cannot be made again from the runs."""

from __future__ import annotations

from collections.abc import Collection

from archive import object_keys
from archive.annotations.additions import LONGEST
from archive.annotations.annotation_store import annotation_faults
from archive.crypto.signed_note import PublicKey
from archive.verified_put import put_verified
from storage.base import ObjectStore


def carry_annotations(
    source: ObjectStore, target: ObjectStore, known: Collection[PublicKey], *, repair: bool = False
) -> tuple[int, int, list[str]]:
    """Put what the target lacks or holds damaged; returns how many objects, their bytes, and a line for each fault.

    One that is damaged in the source is named, and not passed on. Without `repair`, of objects that both hold only the
    sizes are compared. Raises StoreError.
    """
    there = {info.key: info.size for info in target.list(object_keys.ANNOTATIONS_PREFIX)}
    here = {info.key: info.size for info in source.list(object_keys.ANNOTATIONS_PREFIX)}
    unsound = dict(annotation_faults(source, known)) if here else {}
    damaged = (
        set(dict(annotation_faults(target, known))) if there and (repair or here.items() - there.items()) else set()
    )
    count, size, faults = 0, 0, []
    for key in sorted(here):
        if not object_keys.split_annotation_key(key):
            continue
        if key in unsound:
            faults.append(f"{key}: {unsound[key]}")
            continue
        if key in there and key not in damaged:
            if (repair or here[key] != there[key]) and source.get(key) != target.get(key):
                faults.append(f"{key} is another one in each store; `onrecord verify` at both says which is signed")
            continue
        data = source.get_range(key, 0, LONGEST)
        put_verified(target, key, data)
        count, size = count + 1, size + len(data)
    return count, size, faults
