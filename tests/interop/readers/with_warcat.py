"""Print each record that warcat reads: kind, URL, date, SHA-1 of the block."""

import hashlib
import json
import sys

import warcat.model

archive = warcat.model.WARC()
archive.load(sys.argv[1])
for record in archive.records:
    block = record.content_block
    data = b"".join(block.iter_bytes())
    line = {
        "kind": record.warc_type,
        "url": record.header.fields.get("WARC-Target-URI"),
        "date": record.header.fields.get("WARC-Date"),
        "content": hashlib.sha1(data).hexdigest(),
    }
    print(json.dumps(line))
