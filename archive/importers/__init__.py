"""Archive files of other programs: read leniently, every fault with its place."""

from archive.importers.captures import Capture, NotShown, Refers, capture_of
from archive.importers.container import Container, opened
from archive.importers.kept import KeptRecords
from archive.importers.known import KeptCaptures, Known, is_base
from archive.importers.lenient_reader import (
    Fault,
    ForeignRecord,
    digest_of_record,
    identified,
    most_records,
)
from archive.importers.parts import records_of, said_in
from archive.importers.recovered import SOURCE, Recovered, description, recovered_record, source_host
from archive.importers.wacz_manifest import Flaw

__all__ = [
    "SOURCE",
    "Capture",
    "Container",
    "Fault",
    "Flaw",
    "ForeignRecord",
    "KeptCaptures",
    "KeptRecords",
    "Known",
    "NotShown",
    "Recovered",
    "Refers",
    "capture_of",
    "description",
    "digest_of_record",
    "identified",
    "is_base",
    "most_records",
    "opened",
    "records_of",
    "recovered_record",
    "said_in",
    "source_host",
]
