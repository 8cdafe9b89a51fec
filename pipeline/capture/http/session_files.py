"""The files that a reader's session comes from: cookies as browsers export them, passwords by host, headers.

No error quotes what is in a file: it holds secrets.
"""

from __future__ import annotations

import netrc
import re
import time
from pathlib import Path

from archive.model import Headers
from pipeline.capture.http.chain_cookies import Cookie
from storage.errors import OnrecordError

_FIELDS = 7  # of a line: domain, subdomains too, path, secure, expires, name, value
_HTTP_ONLY = "#HttpOnly_"
_LONGEST = 16 << 20  # bytes of a file
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")
_COOKIE = re.compile(r"[\x20-\x3a\x3c-\x7e\x80-\xff]*\Z")
# Headers that are the recorder's own, or that another option is for.
_NOT_GIVEN = {
    "accept-encoding", "connection", "content-length", "cookie", "expect", "host", "keep-alive", "proxy-authorization",
    "proxy-connection", "range", "te", "trailer", "transfer-encoding", "upgrade",
}  # fmt: skip


class SessionFileError(OnrecordError):
    """A file of a session cannot be used; its text names the file and the line, never what is in it."""

    exit_code = 2


def read_cookies(path: Path) -> tuple[Cookie, ...]:
    """Return the cookies of a file in Netscape's format that have not expired; raises SessionFileError."""
    cookies = []
    expired = 0
    for number, written in enumerate(_text(path).splitlines(), start=1):
        line = written.removeprefix(_HTTP_ONLY)
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) == _FIELDS - 1:  # without a value
            fields.append("")
        try:
            cookie = _cookie(fields)
        except ValueError:
            raise SessionFileError(
                f"{path}: line {number} is no cookie; export cookies in Netscape's format (cookies.txt): seven fields "
                "with tabs between them"
            ) from None
        expired += cookie.expired
        cookies.append(cookie)
    left = tuple(cookie for cookie in cookies if not cookie.expired)
    if not left:
        why = f"its cookies ({expired}) have expired: log in again and export them" if expired else "it has no cookies"
        raise SessionFileError(f"{path}: {why}")
    return left


def _cookie(fields: list[str]) -> Cookie:
    domain, subdomains, path, secure, expires, name, value = fields
    host = domain.strip().lower().removeprefix(".")
    ends = float(expires or 0)
    flags = {subdomains.upper(), secure.upper()}
    if not host or not path.startswith("/") or not name or not flags <= {"TRUE", "FALSE"}:
        raise ValueError("no cookie")
    if not (_COOKIE.match(name) and _COOKIE.match(value)) or "=" in name:
        raise ValueError("characters that no request can carry")
    return Cookie(
        name,
        value,
        host,
        path,
        host_only=subdomains.upper() == "FALSE",
        secure=secure.upper() == "TRUE",
        expired=0 < ends <= time.time(),
    )


def read_passwords(path: Path) -> tuple[tuple[str, str, str], ...]:
    """Return machine, user and password of each entry of a netrc file; raises SessionFileError."""
    _text(path)
    try:
        hosts = netrc.netrc(path).hosts
    except netrc.NetrcParseError as error:
        raise SessionFileError(
            f"{path}: line {error.lineno} is not understood; write: machine HOST login USER password PASSWORD"
        ) from None
    if "default" in hosts:
        raise SessionFileError(f"{path}: a `default` entry goes to every host; name each host with `machine`")
    return tuple((machine.lower(), user, password) for machine, (user, _, password) in hosts.items())


def read_headers(given: tuple[str, ...], *, files_only: bool = False) -> Headers:
    """Return the headers in "Name: value", or in the lines of the files named by "@FILE"; raises SessionFileError.

    With `files_only` others are refused: where settings are kept is no place for secrets.
    """
    headers: list[tuple[str, str]] = []
    for number, each in enumerate(given, start=1):
        if each.startswith("@"):
            path = Path(each[1:]).expanduser()
            lines = [
                (f"{path}: line {line}", text) for line, text in enumerate(_text(path).splitlines(), 1) if text.strip()
            ]
        elif files_only:
            raise SessionFileError("`header` in a list or a settings file names files alone: header = ['@FILE']")
        else:
            lines = [(f"--header number {number}", each)]
        headers += [_header(where, line) for where, line in lines]
    return tuple(headers)


def _header(where: str, line: str) -> tuple[str, str]:
    name, colon, value = (part.strip() for part in line.partition(":"))
    if not colon or not _NAME.match(name) or not _VALUE.match(value):
        raise SessionFileError(f"{where} is no header; write 'Name: value'")
    if name.lower() == "cookie":
        raise SessionFileError(f"{where}: cookies come from a file: --cookies FILE")
    if name.lower() in _NOT_GIVEN or name.lower().startswith("if-"):
        raise SessionFileError(f"{where}: {name} is set by onrecord itself; leave it out")
    return name, value


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_LONGEST + 1)
    except OSError as error:
        raise SessionFileError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(data) > _LONGEST:
        raise SessionFileError(f"{path} is larger than {_LONGEST:,} bytes: it is no file of a session")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SessionFileError(f"{path} is no text in UTF-8") from None
