"""Text of strangers as it is shown: nothing unseen in it, nothing that turns what stands beside it."""

from __future__ import annotations

import re

from pipeline.outbound.plain_text import STEERING_IN_LINES, escape


def visible(text: str) -> str:
    """Return a line with what cannot be seen written as an escape."""
    return STEERING_IN_LINES.sub(escape, text)


def harmless(text: str) -> str:
    """Return a text with what cannot be seen left out, its lines kept."""
    return STEERING_IN_LINES.sub("", re.sub("\r\n?|[\x85\u2028\u2029]", "\n", text))
