"""Text of strangers as it is shown: nothing unseen in it, nothing that turns what stands beside it."""

from __future__ import annotations

import re

# Controls, marks that turn the direction of text, and what is not to be seen. U+200C and U+200D are letters to those
# who write Persian or Hindi.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """A line with what cannot be seen written as an escape."""
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def harmless(text: str) -> str:
    """A text with what cannot be seen left out, its lines kept."""
    return _UNSEEN.sub("", re.sub("\r\n?|[\x85\u2028\u2029]", "\n", text))
