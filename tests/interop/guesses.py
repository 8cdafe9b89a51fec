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

# writer: guess
WRITERS: dict[str, str] = {
    "wget": "a WARC of every page, redirects too, byte for byte as we have them",
    "wget2": "no WARC of its own (the option is unknown); its mirror goes by warcit",
    "warcit": "resource records of every page that has a file; status 200 for all, bodies decoded, time of the file",
    "httrack": "a mirror whose links are rewritten, so other bytes in pages with links; by warcit",
    "har2warc": "every page of Chromium's HAR; bodies decoded, so the same bytes after decoding",
    "har by Playwright, direct": "every page; bodies decoded, so the same bytes after decoding; texts the same",
    "MHTML by Chromium": "the start page and its picture; other bytes, the same text",
    "single-file-cli": "one HTML file with the same text and other bytes, dated to the second",
    "crau": "every page, bodies as Scrapy decodes them, with heads that name no coding",
    "warcprox": "every page byte for byte; the second of two same bodies as a revisit",
    "pywb record": "every page byte for byte; chunks kept or removed with their head",
    "wpull": "every page byte for byte, redirects too",
}

# S3 server: guess
SERVERS: dict[str, str] = {
    "s3rver": "stores, reads and verifies; conditional puts are ignored, and the program names that"
}
