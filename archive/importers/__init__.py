"""Archive files of other programs: read leniently, every fault with its place."""

from archive.importers.captures import Capture, Refers, capture_of, date_of
from archive.importers.container import Container, opened, pieces
from archive.importers.gunzip import Plain
from archive.importers.lenient_reader import Fault, ForeignRecord, digest_of_record, identified, read_records

__all__ = [
    "Capture",
    "Container",
    "Fault",
    "ForeignRecord",
    "Plain",
    "Refers",
    "capture_of",
    "date_of",
    "digest_of_record",
    "identified",
    "opened",
    "pieces",
    "read_records",
]
