"""Print each record that warctools reads: kind, URL, date, SHA-1 of the block, and what it holds to be wrong."""

import hashlib
import json
import sys

from hanzo.warctools import WarcRecord

archive = WarcRecord.open_archive(sys.argv[1], gzip="auto")
if archive:
    for _, record, errors in archive.read_records(limit=None, offsets=True):
        if errors:
            print("errors:", errors, file=sys.stderr)
        if record is None:
            continue
        line = {
            "kind": record.type.decode(),
            "url": record.url.decode() if record.url else None,
            "date": record.date.decode(),
            "content": hashlib.sha1(record.content[1]).hexdigest(),
        }
        wrong = record.validate()
        if wrong:
            print(line["url"], wrong, file=sys.stderr)
        print(json.dumps(line))
