"""A reference joined to the address it stands at (RFC 3986 §5.2), every `;` and an empty query kept.

`urllib.parse.urljoin` takes what follows a `;` for parameters and drops an empty one, and an empty query with its `?`:
the address that comes out is not the one that was written.
"""

from __future__ import annotations

from urllib.parse import urljoin

_SEMICOLON = "\x7f"  # no address holds one: it takes the place of each ";" while addresses are joined


def joined_url(base: str, reference: str) -> str:
    """Return a reference as an absolute address, its fragment kept; raises ValueError where it cannot be one."""
    if _SEMICOLON in reference:  # no address: the caller refuses control characters
        return urljoin(base, reference)
    address, hash_mark, fragment = reference.partition("#")
    path, mark, query = address.partition("?")
    if path:
        target = urljoin(base, path.replace(";", _SEMICOLON)).replace(_SEMICOLON, ";")
    elif mark:
        target = base.partition("#")[0].partition("?")[0]
    else:
        target = base.partition("#")[0]
    return target + mark + query + hash_mark + fragment
