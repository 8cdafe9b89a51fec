"""What a request carries, read within bounds."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from pipeline.web.write.guard import Refused

_MOST_FIELDS = 100
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
JSON = "application/json"


def kind_of(request: Request) -> str:
    """Return the media type of the body, in lower case, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def pieces(request: Request, most: int) -> AsyncIterator[bytes]:
    """Yield a body as it comes; raises Refused once it is longer than `most` bytes, or says so, or breaks off."""
    too_long = Refused(f"the body is longer than {most:,} bytes", 413)
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and (len(announced) > 18 or int(announced) > most):
        raise too_long
    count = 0
    try:
        async for piece in request.stream():
            count += len(piece)
            if count > most:
                raise too_long
            yield piece
    except ClientDisconnect as error:
        raise Refused("the body broke off", 400) from error


async def fields_of(request: Request, most: int) -> dict[str, str]:
    """Return the fields of a form, or of a JSON object, the first of each name; raises Refused."""
    kind = kind_of(request)
    data = b"".join([piece async for piece in pieces(request, most)])
    try:
        if kind == JSON:
            found = json.loads(data)
            if not isinstance(found, dict):
                raise ValueError("no object")
            return {str(name): value for name, value in found.items() if isinstance(value, str)}
        pairs = parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        return dict(reversed(pairs))
    except (ValueError, RecursionError) as error:
        raise Refused(
            f'the body cannot be read: send a form, or JSON as {{"url": "https://…"}} ({error})', 400
        ) from error


class FilePart:
    """Finds the first file in a multipart/form-data body (RFC 7578) as its bytes come; `name` is as it was sent.

    Programs that save pages send one so, SingleFile among them. The parser bounds the headers of parts.
    """

    def __init__(self, content_type: str) -> None:
        _, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if not 0 < len(boundary) <= 70:  # RFC 2046 §5.1.1
            raise Refused("the multipart body names no boundary", 400)
        self.name: str | None = None
        self._found: list[bytes] = []
        self._header = b""
        self._headers: list[tuple[str, bytes]] = []
        self._value = b""
        self._state = "before"  # the file, in it, or after
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._field,
                "on_header_value": self._content,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_end,
                "on_part_data": self._data,
                "on_part_end": self._end,
            },
        )

    @property
    def is_whole(self) -> bool:
        """Return whether the file has come to its end."""
        return self._state == "after"

    def feed(self, piece: bytes) -> bytes:
        """Return the file's bytes in a piece of the body; raises Refused for what is no such body."""
        self._found = []
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise Refused(f"the multipart body is damaged: {error}", 400) from error
        return b"".join(self._found)

    def _begin(self) -> None:
        self._headers, self._header, self._value = [], b"", b""

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _content(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers.append((self._header.decode("latin-1").lower(), self._value))
        self._header, self._value = b"", b""

    def _headers_end(self) -> None:
        shown = next((value for name, value in self._headers if name == "content-disposition"), b"")
        _, options = parse_options_header(shown)
        if self._state == "before" and b"filename" in options:
            self.name = options[b"filename"].decode("utf-8", "replace")
            self._state = "in"

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._state == "in":
            self._found.append(data[start:end])

    def _end(self) -> None:
        if self._state == "in":
            self._state = "after"
