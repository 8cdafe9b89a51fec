"""Addresses without the parameters that mark a visit rather than a page, by the list in tracking_parameters.txt."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files
from urllib.parse import unquote_plus


@lru_cache(maxsize=1)
def _names() -> re.Pattern[str]:
    lines = files("archive.formats").joinpath("tracking_parameters.txt").read_text("utf-8").splitlines()
    names = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    patterns = (re.escape(name).replace(r"\*", r"\w*") for name in names)
    return re.compile(f"(?:{'|'.join(patterns)})\\Z", re.IGNORECASE)


def is_tracking(name: str) -> bool:
    """Return whether a parameter of this name marks a visit."""
    return _names().match(name) is not None


def untracked(url: str) -> str:
    """Return an address without such parameters and without fragment, every other byte as it was."""
    address = url.partition("#")[0]
    path, mark, query = address.partition("?")
    if not query:
        return address
    pairs = query.split("&")
    kept = [pair for pair in pairs if not is_tracking(unquote_plus(pair.partition("=")[0]))]
    if len(kept) == len(pairs):
        return address
    return f"{path}{mark}{'&'.join(kept)}" if kept else path
