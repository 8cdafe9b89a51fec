"""Print each record that warc3-wet reads: kind, URL, date, SHA-1 of the block."""

import hashlib
import json
import sys

import warc

for record in warc.open(sys.argv[1]):
    line = {
        "kind": record.type,
        "url": record.url,
        "date": record.date,
        "content": hashlib.sha1(record.payload.read()).hexdigest(),
    }
    print(json.dumps(line))
