#!/usr/bin/env bash
# metawarc 2.0.3, Python 3.11: `metawarc export-cdxj` writes an index "for external" replay (its --path-index is a list for
# pywb). Its keys leave out the port and keep the case of the path, and revisit records get no line. pywb looks up the
# keys that the surt package makes, as cdxj-indexer 1.5.0 does: with a port, in lower case. So a page on a port, or with a
# capital in its path, is not found by its index, and two sites on two ports share their keys; a capture that was stored
# as a revisit is not there at all. Expected: the lines that cdxj-indexer makes of the same file, two captures of one key.
#
# Output seen:
#   cdxj-indexer: ['org,example:8080)/page 20260101000000', 'org,example:8080)/page 20260102000000']
#   metawarc: ['org,example)/Page 20260101000000']
#
# Exits 0 while metawarc behaves so, 1 when it behaves otherwise.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -r -- "${work:?}"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check metawarc==2.0.3 cdxj-indexer==1.5.0 "setuptools<81"
cat >"$work/try.py" <<'PY'
import io
import subprocess
import sys
from pathlib import Path

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

url, folder, bin = "http://example.org:8080/Page", Path(sys.argv[1]), Path(sys.executable).parent
heads = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
with (folder / "two.warc.gz").open("wb") as stream:
    writer = WARCWriter(stream, gzip=True)
    dates = ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
    first = writer.create_warc_record(
        url, "response", payload=io.BytesIO(b"<p>hello"), http_headers=heads, warc_headers_dict={"WARC-Date": dates[0]}
    )
    writer.write_record(first)
    digest = first.rec_headers.get_header("WARC-Payload-Digest")
    again = writer.create_revisit_record(
        url, digest, url, dates[0], http_headers=heads, warc_headers_dict={"WARC-Date": dates[1]}
    )
    writer.write_record(again)


def keys(text):
    return [" ".join(line.split(" ")[:2]) for line in text.splitlines() if line]


def run(*command):
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


indexer = keys(run(bin / "cdxj-indexer", "-s", "two.warc.gz"))
run(bin / "metawarc", "index", "two.warc.gz")
run(bin / "metawarc", "export-cdxj", "-o", "out.cdxj")
metawarc = keys((folder / "out.cdxj").read_text())
print("cdxj-indexer:", indexer)
print("metawarc:", metawarc)
expected = ["org,example:8080)/page 20260101000000", "org,example:8080)/page 20260102000000"]
sys.exit((indexer, metawarc) != (expected, ["org,example)/Page 20260101000000"]))
PY
"$work/venv/bin/python" "$work/try.py" "$work"
