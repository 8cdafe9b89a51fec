"""Text of strangers as it leaves the program: the one table of characters that steer, turn or hide what is shown.

A terminal, a mail, a chat and a web page take them out or show them as escapes, each in its own way, by this table.
"""

from __future__ import annotations

import re

# Controls, marks that turn the direction of what follows, and what is not to be seen: soft hyphens, zero-width spaces,
# byte-order marks, halves of characters, and tags (U+E0000-E007F, which can spell out whole sentences unseen). U+200C
# and U+200D stay: they are letters to those who write Persian or Hindi. No-break spaces stay: they part words.
_CONTROLS = "\x00-\x1f\x7f-\x9f"
_SURROGATE = "\ud800-\udfff"
_HIDDEN = "\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"

STEERING = re.compile(f"[{_CONTROLS}{_HIDDEN}{_SURROGATE}]")
STEERING_IN_LINES = re.compile(f"(?![\\n\\t])[{_CONTROLS}{_HIDDEN}{_SURROGATE}]")  # line feeds and tabs are text
_RUNS = re.compile(f"[{_CONTROLS}{_HIDDEN}]+")
_SURROGATES = re.compile(f"[{_SURROGATE}]")


def escape(found: re.Match[str]) -> str:
    """Return a character that was found as the escape by which Python writes it."""
    return found[0].encode("unicode_escape").decode()


def one_line(text: str, limit: int) -> str:
    """Return a text on one line of at most `limit` characters, each run of steering characters as one space."""
    clean = " ".join(_RUNS.sub(" ", whole_characters(text)).split())
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def lines_of(text: str, limit: int) -> str:
    """Return a text of at most `limit` characters with its lines kept, made as harmless as by `one_line`."""
    kept = "\n".join(_RUNS.sub(" ", line) for line in whole_characters(text[: limit + 1]).split("\n"))
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def whole_characters(text: str) -> str:
    """Return a text in which each half of a character (a lone surrogate), which no encoding has, is U+FFFD."""
    return _SURROGATES.sub("\ufffd", text)
