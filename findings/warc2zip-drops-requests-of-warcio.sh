#!/usr/bin/env bash
# warc2zip 1.0.0 with warcio 1.8.1: WARC 1.1 §5.4 lets any record of a capture name the others by WARC-Concurrent-To. warcio, pywb and
# others write it into the request (it names the response); wget and Common Crawl write it into the response.
# warc2zip, which reads with warcio, pairs by the response's field alone: of a file that warcio's own
# write_request_response_pair wrote, each request counts as a capture without a response and is skipped, so that methods
# and request headers are in no CSV file. Metadata records are paired by the same field in the direction that requests
# have. Expected: one capture with its request.
#
# Output seen:
#   by the request's field: 1 responses, 0 rows of request headers
#   by the response's field: 1 responses, 10 rows of request headers
#
# Exits 0 while warc2zip behaves so, 1 when it behaves otherwise.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -r -- "${work:?}"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check warc2zip==1.0.0 warcio==1.8.1 "setuptools<81"
cat >"$work/try.py" <<'PY'
import io
import subprocess
import sys
import zipfile
from pathlib import Path

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

folder, url = Path(sys.argv[1]), "http://example.org/"


def rows(name, by_request):
    with (folder / f"{name}.warc.gz").open("wb") as stream:
        writer = WARCWriter(stream, gzip=True)
        heads = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
        asked = StatusAndHeaders("GET / HTTP/1.1", [("Host", "example.org")], is_http_request=True)
        response = writer.create_warc_record(url, "response", payload=io.BytesIO(b"<p>hello"), http_headers=heads)
        request = writer.create_warc_record(url, "request", http_headers=asked)
        if by_request:
            writer.write_request_response_pair(request, response)
        else:
            response.rec_headers.add_header("WARC-Concurrent-To", request.rec_headers.get_header("WARC-Record-ID"))
            writer.write_record(response)
            writer.write_record(request)
    command = [Path(sys.executable).parent / "warc2zip", "--output", f"{name}.zip", f"{name}.warc.gz"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    with zipfile.ZipFile(folder / f"{name}.zip") as made:
        texts = {Path(each).name: made.read(each).decode() for each in made.namelist() if each.endswith(".csv")}
    listed = [max(texts[each].count("\n") - 1, 0) for each in ("manifest.csv", "request_warc_headers.csv")]
    print(f"by the {name}'s field: {listed[0]} responses, {listed[1]} rows of request headers")
    return listed


seen = rows("request", True), rows("response", False)
sys.exit(not (seen[0] == [1, 0] and seen[1][0] == 1 and seen[1][1] > 0))
PY
"$work/venv/bin/python" "$work/try.py" "$work"
