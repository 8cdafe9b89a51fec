"""Listings in the order of keys, from servers that have another.

S3 lists keys in the order of their bytes, in which "a-b" and "a.b" come before "a/b". Servers that keep folders
(SeaweedFS is one) go through them by name, "a/b" first, and understand StartAfter and their own page tokens so too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from storage.base import ObjectInfo, checked_key


def is_key(key: str) -> bool:
    """Whether the contract could have made this key."""
    try:
        return bool(checked_key(key))
    except ValueError:  # a folder's marker, or somebody else's object
        return False


def position_before(start_after: str) -> str:
    """Return a position to list from, so that no key after `start_after` is lost, in any order of the server.

    Asked for what is after "a", a server that lists folder by folder leaves all of "a/" out; after "a-b", too. So begin
    just before the shortest name that could be a folder in question; what comes too early, the caller drops.
    """
    name = re.split(r"[-.]", start_after, maxsplit=1)[0].rstrip("/")
    if not name:
        return ""
    last = name[-1]
    return name[:-1] + (".~" if last == "0" else chr(ord(last) - 1) + "~")  # what is before "0" would be "/"


def in_key_order(listed: Iterable[ObjectInfo], folder: int) -> Iterator[ObjectInfo]:
    """Put in order what comes in either order, `folder` being the length of the folder that all the keys share.

    The two orders differ only between names of which one begins with the other, so those are held and sorted together.
    """
    held: list[ObjectInfo] = []
    first = ""
    for info in listed:
        name = info.key[folder:].partition("/")[0]
        if held and not name.startswith(first):
            yield from sorted(held, key=lambda each: each.key)
            held.clear()
        if not held:
            first = name
        held.append(info)
    yield from sorted(held, key=lambda each: each.key)
