"""The parts of a document that is a ZIP file of XML files, each read within limits."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from lxml.etree import _Element

_LARGEST = 64 << 20  # bytes of a part
_TIMES, _LEAST = 200, 1 << 20  # how many times the size of the file a part may be, and the bytes that any part may have
_MOST_PARTS = 20_000


class NotRead(Exception):
    """The file cannot be read; `outcome` is the name of the outcome that says why."""

    def __init__(self, reason: str, outcome: str = "extraction-failed") -> None:
        super().__init__(reason)
        self.outcome = outcome


class Package:
    """A ZIP file in memory; raises NotRead for anything else."""

    def __init__(self, data: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
            raise NotRead(f"the file is damaged, or no ZIP file ({error})") from error
        if len(self._zip.namelist()) > _MOST_PARTS:
            raise NotRead(f"the file has more than {_MOST_PARTS:,} parts")
        self._names = set(self._zip.namelist())
        self._largest = min(_LARGEST, max(_LEAST, _TIMES * len(data)))

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def xml(self, name: str) -> _Element | None:
        """Return the root element of a part, None where there is no such part; raises NotRead."""
        if name not in self._names:
            return None
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
        try:
            return etree.fromstring(self._bytes(name), parser)
        except etree.XMLSyntaxError as error:
            raise NotRead(f"{name} is no XML: {error}"[:300]) from error

    def _bytes(self, name: str) -> bytes:
        try:
            with self._zip.open(name) as stream:
                data = stream.read(self._largest + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            raise NotRead(f"{name} cannot be read: {error}") from error
        except RuntimeError as error:  # what the module raises for a part that is encrypted
            raise NotRead("the document opens only with a password", "password") from error
        if len(data) > self._largest:
            raise NotRead(f"{name} has more than {self._largest:,} bytes when it is unpacked, too many for its file")
        return data


def local(element: _Element) -> str:
    """Return an element's name without its namespace; "" for comments and the like."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def value_of(element: _Element, name: str) -> str | None:
    """Return an attribute by its name without the namespace."""
    return next((value for key, value in element.attrib.items() if str(key).rpartition("}")[2] == name), None)


def children(element: _Element, name: str) -> Iterator[_Element]:
    """Yield the children of a name."""
    return (child for child in element if local(child) == name)
