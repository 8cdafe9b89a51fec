"""What a PDF file says of itself: Info dictionary and XMP packet, outline, values of its form."""

from __future__ import annotations

import ctypes
import io
import logging
import re
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from archive.model import OutlineEntry
from pipeline.discover.safe_xml import NotXml, local_name, parsed_xml
from pipeline.extract.faults import one_line
from pipeline.extract.normalize_text import clean

_LONGEST = 2_000  # characters of one value
_MOST_ENTRIES = 5_000  # of an outline
_MOST_FIELDS = 5_000  # of a form
_MOST_PACKET = 4 << 20  # bytes of an XMP packet
_MOST_FILE = 64 << 20  # bytes of a file that is read for its packet and its form
_DATE = re.compile(r"(?:D:)?\s*(\d{4})[-:]?(\d\d)?[-:]?(\d\d)?(?:[T ]?(\d\d):?(\d\d)(?::?(\d\d))?)?")
_ZONE = re.compile(r"([+-])(\d\d)'?:?(\d\d)?'?\Z|Z")
_NO_TITLE = re.compile(
    r"(?:microsoft (?:word|powerpoint|excel) - .*|untitled.*"
    r"|.*\.(?:docx?|odt|rtf|pdf|indd|qxd|pptx?|xlsx?|tex|dvi|wpd|pages|pmd)"
    r"|(?:document|dokument|doc|layout|print|title|slide|folie)\s*\d*|\W*)\Z",
    re.IGNORECASE | re.DOTALL,
)
_NO_AUTHORS = frozenset({"anonymous", "unknown", "unspecified", "user", "owner", "admin", "administrator"})
_XMP = ("title", "creator", "description", "language", "createdate", "modifydate", "rights")
_log = logging.getLogger("pypdf")


@dataclass(slots=True)
class Facts:
    """Names and values as the file states them, and what could not be read."""

    properties: dict[str, str] = field(default_factory=dict)
    fields: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def first(self, *names: str) -> str | None:
        """Return the first of these properties that is there."""
        return next((self.properties[name] for name in names if self.properties.get(name)), None)

    @property
    def author(self) -> str | None:
        """Return the author, where that is more than a program's default."""
        names = (self.properties.get(name) for name in ("xmp:creator", "Author"))
        return next((name for name in names if name and name.strip("()").lower() not in _NO_AUTHORS), None)

    @property
    def title(self) -> str | None:
        """Return the title, where the file has one that is no file name."""
        titles = (self.properties.get(name) for name in ("xmp:title", "Title"))
        return next((title for title in titles if title and not _NO_TITLE.match(title)), None)

    @property
    def day(self) -> str | None:
        """Return the day on which the file was made, as ISO 8601 has it."""
        for name in ("CreationDate", "xmp:createdate", "ModDate", "xmp:modifydate"):
            found = iso_date(self.properties.get(name, ""))
            if found and len(found) >= len("2024-03-05"):
                return found[:10]
        return None


def facts_of(document: Any, data: bytes, *, whole: bool) -> Facts:
    """Return what a document says of itself; `whole` says that the file is not damaged, and pypdf may read it."""
    facts = Facts()
    for name, value in document.get_metadata_dict(skip_empty=True).items():
        if text := _value(value):
            facts.properties[name] = text
    if language := _language(document):
        facts.properties["Lang"] = language
    if not whole or len(data) > _MOST_FILE:
        return facts
    has_form = pdfium.FPDF_GetFormType(document.raw) != pdfium.FORMTYPE_NONE
    if not has_form and b"/Metadata" not in data and b"/ObjStm" not in data:
        return facts
    try:
        _add_from_pypdf(facts, data, has_form=has_form)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a hostile file provokes, its text is kept
        facts.problems.append(f"part of the metadata could not be extracted: {one_line(error)}")
    return facts


def _add_from_pypdf(facts: Facts, data: bytes, *, has_form: bool) -> None:
    from pypdf import PdfReader

    _log.setLevel(logging.CRITICAL)  # what is wrong with a file is in its outcome
    reader = PdfReader(io.BytesIO(data), strict=False)
    if reader.is_encrypted:
        reader.decrypt("")
    packet = reader.trailer["/Root"].get_object().get("/Metadata")  # type: ignore[union-attr] # it may be any object
    if packet is not None:
        facts.properties |= _xmp(packet.get_object().get_data()[:_MOST_PACKET])
    if has_form:
        for name, entry in islice((reader.get_fields() or {}).items(), _MOST_FIELDS):
            value = _field_value(entry)
            if value and (text := _value(value)):
                facts.fields.append((_value(entry.get("/TU") or name) or name, text))


def _field_value(entry: Any) -> str | None:
    """Return the value of a field; None for signatures, and for what is empty."""
    kind, value = entry.get("/FT"), entry.get("/V")
    if kind == "/Sig" or value is None:
        return None
    values = value if isinstance(value, list) else [value]
    texts = [str(each).removeprefix("/") if kind == "/Btn" else str(each) for each in values]
    return ", ".join(text for text in texts if text != "Off") or None


def _value(value: object) -> str | None:
    text = clean(str(value)[:_LONGEST])
    return " ".join(text.split()) if text else None


def _language(document: Any) -> str | None:
    size = pdfium.FPDFCatalog_GetLanguage(document.raw, None, 0)
    if not 2 < size < 200:
        return None
    buffer = (ctypes.c_ushort * (size // 2))()
    pdfium.FPDFCatalog_GetLanguage(document.raw, buffer, size)
    return _value(bytes(buffer).decode("utf-16-le", "replace").rstrip("\x00"))


def _xmp(packet: bytes) -> dict[str, str]:
    """Return the properties of an XMP packet (ISO 16684-1) that the Info dictionary has too, and the language."""
    try:
        root = parsed_xml(packet)
    except NotXml:
        return {}
    found: dict[str, str] = {}
    for element in root.iter():
        name = local_name(element)
        if name == "description" and element.getparent() is not None and local_name(element.getparent()) == "rdf":
            for attribute, value in element.attrib.items():
                short = str(attribute).rpartition("}")[2].lower()
                if short in _XMP and (text := _value(value)):
                    found.setdefault(f"xmp:{short}", text)
        elif name in _XMP:
            items = [text for item in element.iter() if local_name(item) == "li" and (text := _value(item.text or ""))]
            text = "; ".join(items) if name == "creator" else (items[0] if items else _value(element.text or ""))
            if text:
                found.setdefault(f"xmp:{name}", text)
    return found


def iso_date(text: str) -> str | None:
    """Return a date of the Info dictionary (ISO 32000-2 §7.9.4) or of XMP as ISO 8601; None for anything else."""
    match = _DATE.match(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second = match.groups()
    try:
        found = date(int(year), int(month or 1), int(day or 1))
        if hour is not None and (int(hour) > 23 or int(minute) > 59):
            return None
    except ValueError:
        return None
    if month is None or day is None:
        return f"{year}-{month}" if month else year
    if hour is None:
        return found.isoformat()
    zone = _ZONE.search(text.strip()[match.end() :])
    offset = "" if zone is None else "Z" if zone[1] is None else f"{zone[1]}{zone[2]}:{zone[3] or '00'}"
    return f"{found.isoformat()}T{hour}:{minute}:{second or '00'}{offset}"


def outline_of(document: Any) -> tuple[OutlineEntry, ...]:
    """Return the outline's entries in their order."""
    found = []
    try:
        for entry in islice(document.get_toc(), _MOST_ENTRIES):
            title = _value(entry.get_title())
            destination = entry.get_dest()
            page = destination.get_index() if destination is not None else None
            if title:
                found.append(OutlineEntry(entry.level + 1, title, None if page is None or page < 0 else page + 1))
    except pypdfium2.PdfiumError:
        return tuple(found)
    return tuple(found)
