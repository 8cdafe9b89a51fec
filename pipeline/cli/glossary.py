"""The terms that help, README and messages use, each with its meaning; archive/README.md prints this table."""

from __future__ import annotations

TERMS = {
    "capture": "one HTTP exchange, stored byte for byte",
    "snapshot": "a URL as it was at a time (Memento, RFC 7089, calls it a memento)",
    "run": "one command that captures; the unit of commit",
    "target": "a URL that a run should capture",
    "requisite": "a file that a page needs to be shown: image, style sheet, font, frame, script",
    "outcome": "how the capture of one target ended",
    "manifest": "the list of a run's files with their hashes; a run exists when its manifest exists",
    "record": "a WARC record: request, response, revisit, metadata, resource, warcinfo",
    "revisit": "a record that refers to an earlier record with the same payload",
    "spool": "the local folder where a run waits until the store has it",
    "store": "a directory or bucket that holds one archive",
    "primary, replica": "the first store of a mirror, and the others",
    "SURT key": "a URL in a normalized, sortable form",
    "segment": "a merged index; on disk, `index/generations/`",
    "compaction": "merging the indexes of runs into segments",
    "access rule": "what is kept and not shown: withheld, or under embargo until a date",
    "takedown": "removing content for good, with a signed statement: `onrecord redact`",
    "lease": "a mark in the store: which machine may act now",
    "checkpoint": "the size and the root hash of the log of runs, signed",
    "annotation": "what a user says of captures: collections, labels, a note",
    "evidence bundle": "a zip that proves one snapshot without the archive",
    "availability": "whether a page is ok, gone, blocked and so on: see `onrecord status --gone`",
}
