"""The sort key of a URL: SURT form, by the rules the Internet Archive documents for its CDX files.

The rules, in order: surrounding space goes; the fragment goes; escapes are undone until none is left, then controls,
space, "#", "%" and bytes above 0x7E are escaped once; the host is lower-cased, a leading "www" label with any digits
goes, numeric forms of IPv4 become dotted; the default port, user and password go; dot segments and repeated slashes
of the path are folded; session ids of well-known servers go from path and query; both are lower-cased; query parameters
are sorted; a trailing slash goes. What is left is written with the host's labels reversed: `org,example)/path?a=1&b=2`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import lru_cache
from urllib.parse import unquote_to_bytes

import idna

_URL = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*)://([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#.*)?\Z", re.DOTALL)
_OPAQUE = re.compile(r"(?:filedesc|warcinfo|urn|dns|mailto|whois|metadata|screenshot|text)\b:(?!//)", re.IGNORECASE)
_WWW = re.compile(r"www\d*\.")
_DEFAULT_PORTS = {"http": "80", "https": "443", "ftp": "21"}
_ASPX_SESSIONS = (
    re.compile(r"(?<=/)\((?:[a-z]\([0-9a-z]{24}\))+\)(?=/)", re.IGNORECASE),
    re.compile(r"(?<=/)\([0-9a-z]{24}\)(?=/)", re.IGNORECASE),
)
_ASPX = re.compile(r"\.aspx|\?", re.IGNORECASE)
_JSESSION = re.compile(r"^(.*?)(?:;jsessionid=[0-9a-z]{32})(.*)$", re.IGNORECASE)
_QUERY_SESSIONS = (
    re.compile(r"^(.*)(?:jsessionid=[0-9a-z]{32})(?:&(.*))?$", re.IGNORECASE),
    re.compile(r"^(.*)(?:phpsessid=[0-9a-z]{32})(?:&(.*))?$", re.IGNORECASE),
    re.compile(r"^(.*)(?:(?<![a-z])sid=[0-9a-z]{32})(?:&(.*))?$", re.IGNORECASE),
    re.compile(r"^(.*)(?:aspsessionid[a-z]{8}=[a-z]{24})(?:&(.*))?$", re.IGNORECASE),
)
_PASSES = 4  # over a text whose escapes are undone: more layers are undone byte by byte
_HEX = re.compile(rb"%[0-9a-fA-F]{2}\Z")
_UNSAFE = re.compile(rb"[^\x21\x22\x24\x26-\x7e]")
_ESCAPED = [chr(byte) if 0x20 < byte < 0x7F and byte not in b"#%" else f"%{byte:02X}" for byte in range(256)]
_LONGEST_HOST = 1_000  # characters that are looked at as a name: it has 253 at most (RFC 1035 §2.3.4)


@lru_cache(maxsize=8192)  # a page's URL is asked for at lookup, at writing and at merging
def urlkey(url: str) -> str:
    """Return the key of a URL, the same for all URLs that the rules hold to be one page.

    Opaque URLs are their own key.
    """
    url = url.strip().replace("\r", "").replace("\n", "").replace("\t", "")
    if _OPAQUE.match(url):
        return _escape(_utf8(url)).lower()
    if "://" not in url:
        url = f"http://{url}"
    match = _URL.match(url)
    if match is None:
        return _escape(_utf8(url)).lower()
    scheme, authority, path, query = match[1].lower(), match[2], match[3], match[4]
    path = _escape(_unescape(path or "/"))
    for pattern in _ASPX_SESSIONS if ".aspx" in path.lower() else ():
        path = _without_aspx_session(pattern, path)
    if match := _JSESSION.match(path):
        path = match[1] + match[2]
    segments: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in {"", "."}:
            segments.append(segment)
    key = f"{_authority_key(authority, scheme)})/{'/'.join(segments).lower()}"
    query = _query_key(query) if query else ""
    return f"{key}?{query}" if query else key


def key_range(url: str, match_type: str) -> tuple[str, str]:
    """Return the half-open range of keys that a URL matches: "exact", "prefix", "host" or "domain".

    Raises ValueError.
    """
    key = urlkey(url)
    host = key.split(")", 1)[0]
    if match_type == "exact":
        return key + " ", key + "!"
    if match_type == "prefix":
        end_slash = url.split("?")[0].endswith("/") and not key.endswith("/") and "?" not in key
        start = key + "/" if end_slash else key
        return start, start[:-1] + chr(ord(start[-1]) + 1)
    if match_type == "host":
        return f"{host})/", f"{host})0"
    if match_type == "domain":
        return f"{host})/", f"{host}-"
    raise ValueError(f"no such match type: {match_type!r}")


def _utf8(text: str) -> bytes:
    """Return a text's bytes; halves of characters, which an index may hold, become question marks."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def _unescape(text: str) -> bytes:
    data = _utf8(text)
    for _ in range(_PASSES):
        if (plain := unquote_to_bytes(data)) == data:
            return data
        data = plain
    return _all_undone(data)


def _all_undone(data: bytes) -> bytes:
    """Undo escapes until none is left, in one walk: each byte that an escape gives may end another one."""
    done = bytearray()
    for byte in data:
        done.append(byte)
        while _HEX.match(done, max(len(done) - 3, 0)):
            done[-3:] = bytes([int(done[-2:], 16)])
    return bytes(done)


def _escape(data: bytes) -> str:
    return "".join([_ESCAPED[byte] for byte in data]) if _UNSAFE.search(data) else data.decode("ascii")


@lru_cache(maxsize=1024)
def _authority_key(authority: str, scheme: str) -> str:
    """Return the key of a host and its port: labels from the last to the first; the scheme's own port goes."""
    host, port = authority.rpartition("@")[2], ""
    if host.startswith("["):
        literal, _, rest = host.partition("]")
        port = rest.removeprefix(":")
        key = _escape(_unescape(f"{literal}]")).lower()
    else:
        name, colon, rest = host.partition(":")
        if colon and (rest.isdigit() or not rest):
            host, port = name, rest
        plain = _unescape(host)
        plain = plain if plain.isascii() else _a_label(plain)
        text = _escape(re.sub(rb"\.{2,}", b".", plain.strip(b".")).lower())
        if text[:1].isdigit():
            text = dotted_quad(text) or text
        text = _WWW.sub("", text, count=1) if _WWW.match(text) else text
        key = ",".join(reversed(text.split(".")))
    return key if not port or port == _DEFAULT_PORTS.get(scheme) else f"{key}:{_escape(_unescape(port))}"


def _a_label(name: bytes) -> bytes:
    """Return the A-label form by IDNA 2008, else by IDNA 2003 (which has more symbols), else the bytes as they are."""
    if len(name) > _LONGEST_HOST:
        return name
    try:
        text = name.decode()
    except UnicodeDecodeError:
        return name
    try:
        return idna.encode(text, uts46=True)
    except (UnicodeError, idna.IDNAError):
        pass
    try:
        return text.encode("idna")
    except UnicodeError:
        return name


def dotted_quad(host: str) -> str | None:
    """IPv4 in any of the forms inet_aton reads, as four decimal numbers."""
    parts = host.split(".")
    if len(parts) > 4:
        return None
    numbers = []
    for part in parts:
        if not re.fullmatch(r"0x[0-9a-f]*|[0-9]+", part):
            return None
        base = 16 if part.startswith("0x") else 8 if part.startswith("0") and part != "0" else 10
        try:
            numbers.append(int(part, base))
        except ValueError:
            return None
    last = numbers.pop()
    room = 256 ** (4 - len(numbers))
    if any(number > 255 for number in numbers) or (numbers and last >= room):
        return None
    value = last % 2**32
    for position, number in enumerate(numbers):
        value += number << (8 * (3 - position))
    return ".".join(str(value >> shift & 255) for shift in (24, 16, 8, 0))


def _without_aspx_session(pattern: re.Pattern[str], path: str) -> str:
    """Return a path without the last session id before a name that holds ".aspx", and with no "?" before that."""
    marks = [(found.start(), found[0] != "?") for found in _ASPX.finditer(path)]
    for found in reversed(list(pattern.finditer(path))):
        after = bisect_left(marks, (found.end() + 2, False))
        if after < len(marks) and marks[after][1] and path[found.end() + 1] != "?":
            return path[: found.start()] + path[found.end() + 1 :]
    return path


def _without_cfid(query: str) -> str:
    """Return a query without its last "cfid=…&cftoken=…"."""
    parts = query.split("&")
    for number in range(len(parts) - 2, -1, -1):
        at = parts[number].lower().rfind("cfid=", 0, -1)
        if at >= 0 and re.match("cftoken=.", parts[number + 1], re.IGNORECASE):
            before = "&".join([*parts[:number], parts[number][:at]])
            return before + "&".join(parts[number + 2 :])
    return query


def _query_key(query: str) -> str:
    query = _escape(_unescape(query))
    for pattern in _QUERY_SESSIONS:
        if match := pattern.match(query):
            query = match[1] + (match[2] or "")
    query = _without_cfid(query)
    parameters = [parameter.partition("=") for parameter in query.lower().split("&")]
    return "&".join("".join(parameter) for parameter in sorted(parameters))
