"""Print each record that warcio reads: kind, URL, date, SHA-1 of the content."""

import hashlib
import json
import sys
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator

with Path(sys.argv[1]).open("rb") as stream:
    for record in ArchiveIterator(stream):
        heads = record.rec_headers
        line = {
            "kind": record.rec_type,
            "url": heads.get_header("WARC-Target-URI"),
            "date": heads.get_header("WARC-Date"),
            "status": record.http_headers.get_statuscode() if record.http_headers else None,
            "content": hashlib.sha1(record.content_stream().read()).hexdigest(),
        }
        print(json.dumps(line))
