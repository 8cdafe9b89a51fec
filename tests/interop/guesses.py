"""What was guessed of each tool before it was run for the first time; these lines are not changed afterwards."""

from __future__ import annotations

# reader: script, guess
READERS: dict[str, tuple[str, str]] = {
    "warcio-1.7": (
        "with_warcio.py",
        "every record; bodies without chunks and decoded, also of brotli, x-gzip and two codings",
    ),
    "warcio-1.8": ("with_warcio.py", "as 1.7"),
    "fastwarc-0.15": ("with_fastwarc.py", "every record; bodies as sent, heads of bare LF split like the others"),
    "fastwarc-2": ("with_fastwarc.py", "as 0.15"),
    "warctools": ("with_warctools.py", "every record with its whole block, and no error for any"),
    "node-warc": ("with_node_warc.mjs", "every record; bodies as sent, byte for byte"),
    "warcio.js": ("with_warcio_js.mjs", "every record; bodies without chunks and decoded, also of brotli"),
    "warc.js": ("with_warc_js.cjs", "every record with its whole block"),
    "warc3-wet": ("with_warc3.py", "every record with its whole block"),
    "warcat": ("with_warcat.py", "every record with its whole block"),
}
