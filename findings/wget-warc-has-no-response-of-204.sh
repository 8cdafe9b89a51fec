#!/usr/bin/env bash
# wget 1.21.3 (Debian 12, wget 1.21.3-1+deb12u1): with --warc-file, a "204 No Content" is a valid and complete answer, and wget
# ends with 0; the WARC file has the request, and no response or revisit record for it: the answer's status and head are
# lost, and a reader that pairs requests with responses finds one alone. A 200 with an empty body and a 404 are recorded.
#
# Output seen:
#   /empty: exit 0, records of the URL: ['request', 'response']
#   /missing: exit 8, records of the URL: ['request', 'response']
#   /no-content: exit 0, records of the URL: ['request']
#
# Exits 0 while wget behaves so, 1 when it behaves otherwise.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -r -- "${work:?}"' EXIT
chmod 755 "$work"
(cd "$work" && apt-get download -qq wget=1.21.3-1+deb12u1 && dpkg -x wget_*.deb .)
cat >"$work/try.py" <<'PY'
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

STATUS = {"/empty": 200, "/missing": 404, "/no-content": 204}


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(STATUS[self.path])
        if self.path != "/no-content":
            self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


folder = Path(sys.argv[1])
server = HTTPServer(("127.0.0.1", 0), Answers)
threading.Thread(target=server.serve_forever, daemon=True).start()
seen = []
for path in STATUS:
    url = f"http://127.0.0.1:{server.server_port}{path}"
    options = ["-q", "-t1", "-T5", "-O", "/dev/null", "--no-proxy", "--no-warc-compression", "--warc-file=out"]
    done = subprocess.run([folder / "usr/bin/wget", *options, url], cwd=folder)
    kinds, kind = [], ""
    for line in (folder / "out.warc").read_bytes().decode().splitlines():
        kind = line.partition(": ")[2] if line.startswith("WARC-Type: ") else kind
        if line == f"WARC-Target-URI: <{url}>":
            kinds.append(kind)
    print(f"{path}: exit {done.returncode}, records of the URL: {kinds}")
    seen.append((done.returncode, kinds))
both = ["request", "response"]
sys.exit(seen != [(0, both), (8, both), (0, ["request"])])
PY
python3 "$work/try.py" "$work"
