"""The values that pass between the rooms: captures, snapshots, documents and runs."""

from archive.model.capture import Block, Digests, Exchange, Fetched, Headers, Made, Role, Target, Truncation, Verdict
from archive.model.document import Article, Document, Embed
from archive.model.run import SKIPPED, Manifest, Outcome, RecordsRoot, Resource
from archive.model.snapshot import (
    TEXT_INCOMPLETE,
    DocumentRef,
    Kind,
    RecordRef,
    Reference,
    Snapshot,
    TextMark,
    Withholding,
    place_of,
)
from archive.model.structure import OutlineEntry, Passage, Structure

__all__ = [
    "SKIPPED",
    "TEXT_INCOMPLETE",
    "Article",
    "Block",
    "Digests",
    "Document",
    "DocumentRef",
    "Embed",
    "Exchange",
    "Fetched",
    "Headers",
    "Kind",
    "Made",
    "Manifest",
    "Outcome",
    "OutlineEntry",
    "Passage",
    "RecordRef",
    "RecordsRoot",
    "Reference",
    "Resource",
    "Role",
    "Snapshot",
    "Structure",
    "Target",
    "TextMark",
    "Truncation",
    "Verdict",
    "Withholding",
    "place_of",
]
