#!/usr/bin/env bash
# FastWARC 2.0.0, Python 3.11: with auto_decode="all" the bodies of responses are read with their codings undone. A chunked body
# whose chunks have extensions, or that ends with a trailer section (RFC 9112 §7.1.1, §7.1.2: both are to be skipped by who
# does not know them), raises OSError at reading; so does the coding x-gzip, which is the same as gzip (RFC 9110
# §8.4.1.3) and which FastWARC 0.15.2 undid. The body cannot be had from that record any more. Expected: "hello" each time,
# as without extensions and trailers.
#
# Output seen:
#   plain: b'hello'
#   extension: OSError: Invalid chunk header: '5;a=b'
#   trailer: OSError: Invalid chunk header: 'Trailer: t'
#   x-gzip: OSError: Unsupported Transfer-Encoding: x-gzip
#
# Exits 0 while FastWARC behaves so, 1 when it behaves otherwise.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -r -- "${work:?}"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check fastwarc==2.0.0
cat >"$work/try.py" <<'PY'
import gzip
import io
import sys

from fastwarc.warc import ArchiveIterator


def content(head, body):
    http = b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + body
    fields = (
        b"WARC/1.1\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:a0b1c2d3-0000-4000-8000-000000000001>\r\n"
        b"WARC-Date: 2026-01-01T00:00:00Z\r\nWARC-Target-URI: http://example.org/\r\n"
        b"Content-Type: application/http;msgtype=response\r\nContent-Length: %d\r\n\r\n" % len(http)
    )
    file = io.BytesIO(fields + http + b"\r\n\r\n")
    try:
        return [str(record.reader.read()) for record in ArchiveIterator(file, auto_decode="all")][0]
    except OSError as error:
        return f"OSError: {error}"


chunked = b"Transfer-Encoding: chunked"
seen = {
    "plain": content(chunked, b"5\r\nhello\r\n0\r\n\r\n"),
    "extension": content(chunked, b"5;a=b\r\nhello\r\n0\r\n\r\n"),
    "trailer": content(chunked, b"5\r\nhello\r\n0\r\nX-Trailer: t\r\n\r\n"),
    "x-gzip": content(b"Content-Encoding: x-gzip", gzip.compress(b"hello", mtime=0)),
}
for name, each in seen.items():
    print(f"{name}: {each}")
sys.exit([each.startswith("OSError") for each in seen.values()] != [False, True, True, True])
PY
"$work/venv/bin/python" "$work/try.py"
