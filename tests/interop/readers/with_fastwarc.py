"""Print each record that FastWARC reads: kind, URL, date, status, SHA-1 of the content."""

import hashlib
import json
import sys
from pathlib import Path

from fastwarc.warc import ArchiveIterator

with Path(sys.argv[1]).open("rb") as stream:
    for record in ArchiveIterator(stream):
        http = record.http_headers
        line = {
            "kind": record.record_type.name,
            "url": record.headers.get("WARC-Target-URI"),
            "date": record.headers.get("WARC-Date"),
            "status": http.status_code if http else None,
            "content": hashlib.sha1(record.reader.read()).hexdigest(),
        }
        print(json.dumps(line))
