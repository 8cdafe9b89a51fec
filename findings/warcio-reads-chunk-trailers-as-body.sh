#!/usr/bin/env bash
# warcio 1.8.1, Python 3.11: content_stream() undoes chunked transfer coding, but of bodies that RFC 9112 allows it gives out other
# bytes. (1) Behind the last chunk a trailer section may follow (§7.1.2): its end, and the frame of the last chunk, come
# out as content, without the first two bytes of the trailer. (2) Names of transfer codings are case-insensitive (§7):
# of "Transfer-Encoding: Chunked" the frames come out as content. (3) A gzip content coding may have several members
# (RFC 1952 §2.2): all behind the first are dropped. No error is raised. Expected: "hello" each time, or an error.
#
# Output seen:
#   trailers: b'hello0\r\nTrailer: t\r\n\r\n'
#   Chunked: b'5\r\nhello\r\n0\r\n\r\n'
#   two members: b'hel'
#
# Exits 0 while warcio behaves so, 1 when it behaves otherwise.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -r -- "${work:?}"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check warcio==1.8.1 "setuptools<81"
cat >"$work/try.py" <<'PY'
import gzip
import io
import sys

from warcio.archiveiterator import ArchiveIterator


def content(head, body):
    http = b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + body
    fields = (
        b"WARC/1.1\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:a0b1c2d3-0000-4000-8000-000000000001>\r\n"
        b"WARC-Date: 2026-01-01T00:00:00Z\r\nWARC-Target-URI: http://example.org/\r\n"
        b"Content-Type: application/http;msgtype=response\r\nContent-Length: %d\r\n\r\n" % len(http)
    )
    (record,) = [each.content_stream().read() for each in ArchiveIterator(io.BytesIO(fields + http + b"\r\n\r\n"))]
    return record


members = gzip.compress(b"hel", mtime=0) + gzip.compress(b"lo", mtime=0)
seen = [
    content(b"Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\nX-Trailer: t\r\n\r\n"),
    content(b"Transfer-Encoding: Chunked", b"5\r\nhello\r\n0\r\n\r\n"),
    content(b"Content-Encoding: gzip\r\nContent-Length: %d" % len(members), members),
]
for name, each in zip(("trailers", "Chunked", "two members"), seen):
    print(f"{name}: {each}")
sys.exit(seen != [b"hello0\r\nTrailer: t\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\n", b"hel"])
PY
"$work/venv/bin/python" "$work/try.py"
