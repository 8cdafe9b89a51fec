"""The help page: what each page shows, what the words mean; for programs, what they can ask."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from pipeline.web.common.responses import PLAIN
from pipeline.web.pages.page import Frame

PROGRAMS = (
    ("/cdx?url=URL", "captures as lines, as the Internet Archive's CDX server answers"),
    ("/index?url=URL", "the same as CDXJ, for pywb: index: cdx+BASE/index, archive_paths: BASE/warc/"),
    ("/timegate/URL", "the capture nearest to Accept-Datetime (Memento, RFC 7089)"),
    ("/timemap/link/URL", "all captures of a page, as links; /timemap/json/URL as JSON"),
    ("/web/TIMESTAMP/URL", "a capture, with its Memento headers"),
    ("/web/TIMESTAMPid_/URL", "the same"),
    ("/warc/runs/RUN/archive/NAME", "a WARC file, or a range of it"),
    ("/feed.atom, /feed.json", "what happened to pages: site=, tag=, q=, collection=, kind=, limit="),
)
SAVING = (
    ("POST /capture", 'capture a page: url=URL as a form, or {"url": URL}, with Authorization: Bearer TOKEN'),
    ("POST /import?name=FILE", "import a WACZ, WARC, HAR or MHTML file, or a page saved by SingleFile, with the same"),
    ("/saved/ID", "how far it is"),
)
STATES = (
    ("new", "●", "new", "the first snapshot that shows the page; “back” is its return after it was gone"),
    ("same", "○", "unchanged", "the text is that of the snapshot before"),
    ("changed", "◆", "edited", "a reader saw another text than before"),
    ("moved", "→", "moved", "the address leads to another one"),
    ("gone", "✕", "gone", "the page was not there: 404, 410, an error page, or no answer (“unreachable”)"),
    (
        "wall",
        "◐",
        "blocked, paywalled",
        "a login, a payment, a demand for consent or a check for bots was in its place",
    ),
    ("withheld", "▨", "withheld", "kept, and not shown: the keeper of the archive hides it, with a reason"),
)


def routes(frame: Frame) -> list[BaseRoute]:
    """Return the help page."""
    return [frame.route("/help", lambda request: _help(frame, request))]


def _help(frame: Frame, request: Request) -> Response:
    """Answer a browser with a page, and a program with lines."""
    base = str(request.base_url).rstrip("/")
    entries = PROGRAMS + SAVING if frame.writes else PROGRAMS
    told = [(path, what.replace("BASE", base)) for path, what in entries]
    if "text/html" not in request.headers.get("accept", ""):
        lines = "".join(f"{path:<32}{what}\n" for path, what in told)
        headers = PLAIN | {"Vary": "Accept"}
        return Response(f"onrecord serves an archive.\n\n{lines}", media_type="text/plain", headers=headers)
    answer = frame.render(request, "help.html", {"programs": told, "states": STATES})
    answer.headers["Vary"] = "Accept"
    return answer
