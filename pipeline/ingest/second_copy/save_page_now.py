"""Save Page Now 2, by which the Internet Archive captures a page that it is asked to.

With keys, by its API; without them, by its public form. An answer 200 may be an error all the same, and a capture that
is called a success may be another page: whatever it says is checked against what it then gives back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from archive.checked_json import parsed_object
from archive.times import from_stamp
from pipeline.outbound.errors import DeliveryError
from pipeline.outbound.http import address, ask
from pipeline.outbound.plain_text import one_line

SERVER = "https://web.archive.org"
_TIMEOUT = 60.0  # seconds for an answer
_LONGEST = 100_000_000  # bytes of a capture that is read back
_JOB = re.compile(r"spn2-[0-9a-z]{8,128}\Z", re.ASCII)
_WATCHED = re.compile(r"watchJob\(\s*[\"'](spn2-[0-9a-z]{8,128})[\"']", re.ASCII)
_STAMP = re.compile(r"\d{14}\Z", re.ASCII)
# What no later try changes, by `status_ext`.
_FINAL = frozenset(
    {
        "blocked",
        "blocked-url",
        "invalid-url-syntax",
        "method-not-allowed",
        "no-access",
        "not-found",
        "gone",
        "unauthorized",
    }
    | {"not-implemented", "filesize-limit", "ftp-access-denied", "http-version-not-supported", "blocked-client-ip"}
)


class NeverSaved(DeliveryError):
    """The other archive will not capture a page, however often it is asked."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A capture that the other archive says it made: its time as 14 digits, and its address there."""

    stamp: str
    url: str


@dataclass(frozen=True, slots=True)
class SavePageNow:
    """The service at an address; `keys` are "ACCESS:SECRET" of its user, None for the public form."""

    server: str = SERVER
    keys: str | None = None

    def submit(self, url: str) -> str:
        """Ask for a capture of a page; returns the job's id. Raises DeliveryError."""
        if self.keys is None:
            form = urlencode({"url": url, "capture_all": "on"}).encode()
            page = ask(f"{self.server}/save/{_path(url)}", form, _FORM, timeout=_TIMEOUT, limit=1 << 20)
            found = _WATCHED.search(page.decode("utf-8", "replace"))
            if found is None:
                raise DeliveryError(
                    f"{self._host} gave no job: it may have too many sessions, or want keys", after=300.0
                )
            return found[1]
        asked = urlencode({"url": url, "capture_all": "1", "skip_first_archive": "1"}).encode()
        answer = self._json(ask(f"{self.server}/save", asked, self._headers, timeout=_TIMEOUT))
        job = answer.get("job_id")
        if not isinstance(job, str) or not _JOB.match(job):
            raise self._error(answer)
        return job

    def look(self, job: str) -> Saved | None:
        """Return the capture that a job made; None while it works. Raises DeliveryError where it failed."""
        data = ask(f"{self.server}/save/status/{job}", None, self._headers, method="GET", timeout=_TIMEOUT)
        answer = self._json(data)
        if answer.get("status") == "pending":
            return None
        stamp, url = answer.get("timestamp"), answer.get("original_url")
        if answer.get("status") != "success" or not isinstance(stamp, str) or not isinstance(url, str):
            raise self._error(answer)
        if not _STAMP.match(stamp) or not _is_time(stamp):
            raise DeliveryError(f"{self._host} names no time of its capture")
        return Saved(stamp, url)

    def read_back(self, saved: Saved) -> bytes:
        """Return the payload of a capture as the archive gives it; raises DeliveryError."""
        where = f"{self.server}/web/{saved.stamp}id_/{_path(saved.url)}"
        body = ask(where, None, {}, method="GET", timeout=_TIMEOUT, limit=_LONGEST)
        if len(body) == _LONGEST:
            raise DeliveryError(f"the capture of {self._host} is too large to be compared", permanent=True)
        return body

    def address_of(self, saved: Saved) -> str:
        """Return where people see a capture."""
        return f"{self.server}/web/{saved.stamp}/{one_line(saved.url, 2_000)}"

    @property
    def _host(self) -> str:
        return address(self.server).hostname or self.server

    @property
    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        return headers | ({"Authorization": f"LOW {self.keys}"} if self.keys else {})

    def _json(self, data: bytes) -> dict[str, object]:
        try:
            return dict(parsed_object(data))
        except ValueError:
            raise DeliveryError(f"{self._host} did not answer as Save Page Now does") from None

    def _error(self, answer: dict[str, object]) -> DeliveryError:
        name = str(answer.get("status_ext") or "").removeprefix("error:")
        message = one_line(str(answer.get("message") or name or "no reason"), 200)
        return (NeverSaved if name in _FINAL else DeliveryError)(f"{self._host}: {message}")


_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _path(url: str) -> str:
    return quote(url, safe="/:?&=%#@!$'()*+,;~[]-._")


def _is_time(stamp: str) -> bool:
    try:
        from_stamp(stamp)
    except ValueError:
        return False
    return True
