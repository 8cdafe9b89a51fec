"""What a request carries besides its URL, as a query: replay tools look up a POST by its URL and that query.

The rules are those of pywb and cdxj-indexer (Request Body Canonicalization, specs.webrecorder.net): `__wb_method=POST`,
then the fields of a form or of JSON, or `__wb_post_data=` and the body in base64; 4,096 characters at most.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, unquote_plus, urlencode

if TYPE_CHECKING:
    from email.message import Message

_LONGEST = 4096  # characters of a query that are looked at
_MOST = 1 << 20  # bytes of a body that are read for it
_BODIES = frozenset({"POST", "PUT"})
_MARK = re.compile(r"[?&]__wb_method=")
_ESCAPE = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_RESERVED = frozenset(b"#$&+,/:;=?@")  # what JavaScript's decodeURI leaves escaped


@dataclass(frozen=True, slots=True)
class MethodQuery:
    """A request that is no GET: its method, and its body as a query in the forms that Python and browsers make."""

    method: str
    query: str = ""
    browser_query: str = ""

    def urls(self, url: str) -> Iterator[str]:
        """Yield the URL with the query behind it, in each form once."""
        for query in self.forms():
            yield method_url(url, self.method, query)

    def forms(self) -> tuple[str, ...]:
        """Return the forms of the query, each once."""
        return tuple(dict.fromkeys((self.query, self.browser_query or self.query)))


def method_url(url: str, method: str, query: str) -> str:
    """Return the URL under which a replay tool looks for the answer to a request."""
    return f"{url}{'&' if '?' in url else '?'}__wb_method={method}" + (f"&{query}" if query else "")


def without_method(url: str) -> str | None:
    """Return the URL before the query of a request's method and body, None where there is no such query."""
    found = _MARK.search(url)
    return url[: found.start()] if found else None


def method_query(method: str, content_type: str, body: bytes) -> MethodQuery | None:
    """Return what a request carries as a query; None for a GET."""
    if method == "GET":
        return None
    if method not in _BODIES or not body:
        return MethodQuery(method)
    body = body[:_MOST]
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            return _of(method, _binary(body))
        return _of(method, unquote_plus(text), _decode_uri(text))
    if kind.startswith("multipart/"):
        query = _multipart(content_type, body)
    elif kind == "application/json":
        query = _json(body) or ""
    elif kind == "text/plain":
        query = _json(body)
    else:
        query = None
    return _of(method, _binary(body)) if query is None else _of(method, query, _decode_uri(query))


def _of(method: str, query: str, browser_query: str = "") -> MethodQuery:
    return MethodQuery(method, query[:_LONGEST], browser_query[:_LONGEST])


def _binary(body: bytes) -> str:
    return f"__wb_post_data={base64.b64encode(body).decode()}"


def _decode_uri(text: str) -> str:
    """Undo escapes as JavaScript's decodeURI does, which leaves those of reserved characters."""

    def undone(match: re.Match[str]) -> str:
        escaped = re.sub(r"%(..)", lambda pair: _kept(pair[0], int(pair[1], 16)), match[0])
        return unquote_plus(escaped, errors="replace").replace("\x00", "%")

    return _ESCAPE.sub(undone, text)


def _kept(escape: str, byte: int) -> str:
    return escape.replace("%", "\x00") if byte in _RESERVED else escape


def _json(body: bytes) -> str | None:
    """Return the values of JSON, or of JSON a line, by the names that are nearest to them; None where it is none."""
    found: dict[str, str] = {}
    repeats: dict[str, int] = {}
    try:
        try:
            values = [json.loads(body)]
        except json.JSONDecodeError:
            values = [json.loads(line) for line in body.split(b"\n")] if b"\n" in body else []
            if not values:
                return None
        for name, value in _leaves(values, ""):
            if name in found:
                repeats[name] = repeats.get(name, 1) + 1
                found[f"{name}.{repeats[name]}_"] = value
            else:
                found[name] = value
    except (ValueError, RecursionError):
        return None
    return urlencode(found, errors="replace")


def _leaves(value: object, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for inner, each in value.items():
            yield from _leaves(each, inner)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each, name)
    elif name:
        yield name, _written(value)


def _written(value: object) -> str:
    """Return a value as JavaScript writes it."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value)


def _multipart(content_type: str, body: bytes) -> str | None:
    """Return the fields of a multipart form; None where it cannot be taken apart."""
    from email.parser import BytesParser  # loaded where a form has parts, for it takes a while
    from email.policy import HTTP

    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    whole: Message = BytesParser(policy=HTTP).parsebytes(head + body)
    if not whole.is_multipart():
        return None
    fields = []
    for part in whole.walk():
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str):
            value = part.get_payload(decode=True)
            fields.append(f"{quote_plus(name)}={quote_plus(value if isinstance(value, bytes) else b'')}")
    return "&".join(fields)
