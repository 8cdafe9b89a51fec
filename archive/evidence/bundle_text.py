"""What a bundle of evidence says to people, in the file and when it is checked."""

from __future__ import annotations

PROVES = """\
The records in this file are, byte for byte, records of runs whose manifests stand in the log of an archive. The holder
of the key signed that log; no record, manifest or entry was altered since.
Each time stamp was given when the signed log, and so these records, were there already: they are no younger than it."""

DOES_NOT_PROVE = """\
That the server sent these bytes, or the same ones to others: HTTP and TLS leave no proof that can be handed on. For
that there is the word of whoever captured them, and other captures of the same page.
That the dates in the records are true: they are the archive's word. Time stamps are somebody else's word; they say "not
later than", never "not earlier than".
Whose the key is, unless you have it from its holder and named it; and nothing of a time stamp, unless you named a root
and trust its authority.
That what the page says is true, or that the capture is complete."""

# Part of layout version 1, and compared when a bundle is checked: it stays as it is.
_FIRST = """\
This file proves that a snapshot of a web page stands in an archive, and since when at the latest.
Layout version 1. Check it with:  onrecord evidence verify FILE --key KEY --roots ROOTS.pem

bundle.json                    which record lies where, and the proofs (RFC 6962, hashes in hex)
checkpoint                     the log's name, size and root, signed (C2SP tlog-checkpoint, signed-note, Ed25519)
keys/ID                        the public key that signed it; ask its holder whether it is theirs
tokens/N.tsr                   time stamps over the file `checkpoint` (RFC 3161)
runs/RUN/datapackage.json      the manifest of each run that holds one of the records
records/N.warc.gz              the records: gzip members of WARC 1.1, the snapshot first
runs/RUN/archive/N.warc.gz     for a run without a root over its records: its whole WARC file, with all that is in it

By hand: a record's leaf is SHA-256(0x00, the file's bytes); with its proof it leads to `records.root` of the manifest.
A manifest's leaf is SHA-256(0x00, "RUN sha256:HEX"), HEX being the SHA-256 of the file; with its proof it leads to the
root in the checkpoint. A node is SHA-256(0x01, left, right). A time stamp is checked with:
openssl ts -verify -in tokens/0.tsr -data checkpoint -CAfile ROOTS.pem
"""

_SECOND = _FIRST.replace("Layout version 1.", "Layout version 2.").replace(
    "bundle.json     ",
    """index.html                     the page's text and picture, and what proves them, for reading in a browser
text.txt                       the text, as a program made it of a record: bundle.json says which; not signed
picture.png                    the picture of the page, out of its record
bundle.json     """,
    1,
)
READMES = {1: _FIRST, 2: _SECOND}
