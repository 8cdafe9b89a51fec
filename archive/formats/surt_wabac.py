"""The sort key as JavaScript readers make it, by what a browser's URL parser says, where ours follows other rules.

ReplayWeb.page looks a page up under this key: it keeps trailing and doubled slashes, escapes and session ids, and puts
parameters in the order of their names.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

_WWW = re.compile(r"www\d*\.")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_SAFE = "!$&'()*+,;=:@/%[]|"  # what a browser leaves as it is in a path


def js_urlkey(url: str) -> str:
    """Return the key under which a JavaScript reader looks for a URL; one that is no web address is its own key."""
    lower = url.lower()
    try:
        parts = urlsplit(lower)
        port = parts.port
    except ValueError:
        return url
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        return url
    host = _WWW.sub("", parts.hostname, count=1) if _WWW.match(parts.hostname) else parts.hostname
    key = ",".join(reversed(host.split(".")))
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        key += f":{port}"
    return f"{key}){_path(parts.path)}{_query(parts.query)}"


def _path(path: str) -> str:
    segments: list[str] = []
    parts = (path or "/").split("/")[1:]
    for number, segment in enumerate(parts):
        plain = segment.replace("%2e", ".")
        last = number == len(parts) - 1
        if plain == "..":
            del segments[-1:]
        elif plain != ".":
            segments.append(segment)
            continue
        if last:
            segments.append("")
    return "/" + quote("/".join(segments), safe=_SAFE)


def _query(query: str) -> str:
    if not query:
        return ""
    pairs = parse_qsl(query, keep_blank_values=True, separator="&", errors="replace")
    return "?" + urlencode(sorted(pairs, key=lambda pair: pair[0]), safe="*-._") if pairs else "?" + query
