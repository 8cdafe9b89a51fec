"""An archive with every kind of change, made of records with fixed dates, and what each snapshot is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from archive.archive import Archive
from archive.digests import text_digest
from archive.formats.outcomes_jsonl import at_capture
from archive.model import Article, Block, Document, Made, Outcome, Snapshot
from archive.runs.warc_files import RunSettings
from archive.times import iso
from pipeline.extract.extractor_version import extractor_version
from storage.local import LocalStore
from tests.exchanges import an_exchange

START = datetime(2026, 11, 20, 9, 0, 0, tzinfo=UTC)
HOST = "http://gazette.example"
ESSAY = " ".join(f"The council heard pilot number {number} on the berths of the harbour." for number in range(12))
OTHER = ESSAY.replace("heard", "dismissed")
SHELL = b"<html><body><div id=app></div><script src=/app.js></script></body></html>"
_REASONS = {"bot-wall": "a page that asks for a browser stands in its place", "paywalled": "a teaser stands there"}


@dataclass(frozen=True)
class Look:
    """One look at a page: what came, and what the snapshot is called, with "?" where a second look has to confirm it.

    `name` is what the capture says, which knows nothing of later looks; `later` what all says afterwards.
    """

    name: str
    later: str = ""
    text: str | None = None
    status: int = 200
    wall: str | None = None
    to: str | None = None  # where a redirect leads
    rendered: bool = False  # the markup is the same: scripts draw the text
    sent: str | None = None  # what the server sent, with a browser
    shell: bool = False  # the same markup, its text made without the browser
    same: bool = False  # a 304
    pdf: bytes | None = None

    @property
    def said(self) -> str:
        return self.later or self.name


def page(text: str, name: str, later: str = "", **more: object) -> Look:
    return Look(name, later, text, **more)  # type: ignore[arg-type]


DRAWN, REDRAWN = Look("new", text=ESSAY, rendered=True), Look("edited", text=OTHER, rendered=True)
PDF = Look("new", pdf=b"%PDF-1")
UNDRAWN = page(f"{ESSAY} More.", "not-compared", shell=True)
ONE, TWO = page(ESSAY, "new"), page(OTHER, "edited")
PAGES: dict[str, list[Look]] = {
    "/unchanged": [ONE, page(ESSAY, "unchanged"), page(ESSAY + " ", "unchanged")],
    "/edited": [ONE, TWO, page(OTHER, "unchanged")],
    "/edited-once": [ONE, page(OTHER, "edited", "edited?")],
    "/by-script": [DRAWN, REDRAWN, replace(REDRAWN, name="unchanged")],
    "/with-and-without-browser": [DRAWN, UNDRAWN, replace(DRAWN, name="unchanged")],
    "/both-ways": [
        ONE,
        Look("not-compared", text=f"{ESSAY} Drawn.", rendered=True, sent=ESSAY),
        page(ESSAY, "unchanged"),
        Look("unchanged", text=f"{ESSAY} Drawn.", rendered=True, sent=ESSAY),
        page(ESSAY, "unchanged"),
        Look("edited", "edited?", text=f"{ESSAY} Redrawn.", rendered=True, sent=ESSAY),
    ],
    "/both-ways-edited": [
        ONE,
        Look("not-compared", "edited", text=f"{OTHER} Drawn.", rendered=True, sent=OTHER),
        page(OTHER, "edited", "not-compared"),
        Look("not-compared", "unchanged", text=f"{OTHER} Drawn.", rendered=True, sent=OTHER),
    ],
    "/same-by-script": [DRAWN, replace(DRAWN, name="unchanged")],
    "/gone-once": [ONE, Look("gone", "gone?", status=404)],
    "/gone-twice": [ONE, Look("gone", status=404), Look("gone", status=410)],
    "/flap": [ONE, Look("gone", "gone!", status=404), page(ESSAY, "unchanged")],
    "/back": [ONE, Look("gone", status=404), Look("gone", status=404), page(ESSAY, "back"), page(ESSAY, "unchanged")],
    "/back-edited": [ONE, Look("gone", status=404), Look("gone", status=404), page(OTHER, "back", "back?")],
    "/wall": [ONE, Look("blocked", wall="bot-wall"), Look("blocked", wall="bot-wall")],
    "/wall-first": [Look("blocked", wall="bot-wall"), Look("blocked", wall="bot-wall", status=202)],
    "/teaser": [ONE, page("Subscribe to read on.", "paywalled", "paywalled?", wall="paywalled")],
    "/splash": [ONE, page("We value your privacy, so please choose your settings now.", "blocked", "blocked?")],
    "/login": [ONE, page("Log in.", "blocked", wall="login-wall"), page("Log in.", "blocked", wall="login-wall")],
    "/soft": [ONE, page("Not found.", "soft-404", "soft-404?", wall="soft-404")],
    "/shell": [Look("text-incomplete", wall="needs-scripts"), Look("text-incomplete", wall="needs-scripts")],
    "/moved": [ONE, Look("moved", to="/unchanged", text=ESSAY)],
    "/led-away": [ONE, Look("soft-404", to="/"), Look("soft-404", to="/")],
    "/down": [ONE, Look("unreachable", "unreachable?", status=503)],
    "/not-modified": [ONE, Look("unchanged", same=True), Look("unchanged", same=True)],
    "/report.pdf": [PDF, replace(PDF, name="unchanged"), Look("edited", "edited?", pdf=b"%PDF-2")],
    "/nonce": [ONE, page(f"{ESSAY}\n", "unchanged")],
    "/": [page("The front page of the gazette, with all its headlines of the day.", "new")],
}  # fmt: skip


def url_of(path: str) -> str:
    return HOST + path


@dataclass
class Kinds:
    """The archive, its captures in the order they were made, and what the capture of each said then."""

    archive: Archive
    captured: list[tuple[str, Look, Outcome, Snapshot]] = field(default_factory=list)

    @classmethod
    def made(cls, folder: Path) -> Kinds:
        """One run a round: the first looks at all pages, an hour later the second looks, and so on."""
        kinds = cls(Archive(LocalStore(folder / "store"), spool=folder / "spool"))
        kinds.archive.prepare()
        for number in range(max(map(len, PAGES.values()))):
            kinds.round(number)
        return kinds

    def round(self, number: int) -> None:
        session = self.archive.session(RunSettings("test/1"))
        made: list[tuple[str, Look, Outcome, Snapshot]] = []
        for order, (path, looks) in enumerate(PAGES.items()):
            if number < len(looks):
                at = START + timedelta(hours=number, seconds=order)
                outcome, snapshot = _look(session, url_of(path), looks[number], at, number)
                session.add_outcome(outcome)
                made.append((path, looks[number], outcome, snapshot))
        self.before_commit(made)
        session.commit()
        self.archive.refresh()
        self.captured += made

    def before_commit(self, made: list[tuple[str, Look, Outcome, Snapshot]]) -> None:
        """What a capture says while its run is under way is asked here by a test."""


def _answer(url: str, look: Look, number: int) -> tuple[bytes, bytes, int]:
    """What the server sends: fields of its head, the body, the status."""
    html = b"Content-Type: text/html\r\n"
    if look.to is not None:
        return html + f"Location: {url_of(look.to)}\r\n".encode(), b"", 302
    if look.same:
        return b'ETag: "1"\r\n', b"", 304
    if look.pdf is not None:
        return b"Content-Type: application/pdf\r\n", look.pdf, look.status
    text = look.text if look.sent is None else look.sent
    if look.sent is None and (look.rendered or look.shell or (look.wall and look.text is None)):
        return html, SHELL.replace(b"/app.js", url.encode()), look.status
    return html, f"<!-- {number} of {url} --><p>{text}</p>".encode() if text is not None else b"", look.status


def _look(session, url: str, look: Look, at: datetime, number: int) -> tuple[Outcome, Snapshot]:  # type: ignore[no-untyped-def]
    head, body, status = _answer(url, look, number)
    page = status in {200, 202, 304}
    snapshot = session.add(an_exchange(url, body, at=at, status=status, head=head), page=page, availability=look.wall)
    article = Article(title="Berths", text=look.text, availability=look.wall, extractor=extractor_version())
    if page and look.pdf is None and not (snapshot.revisit and not (look.rendered or look.shell)):
        rendered = None
        if look.rendered:
            markup = Block.of(f"<p>{look.text}</p>".encode())
            rendered = session.add_made(Made(f"urn:dom:{url}", "text/html", markup, at), snapshot).payload
        place = (snapshot.record_id, snapshot.digest, snapshot.record.key, snapshot.record.offset)
        session.add_document(Document(url, at, *place, article=article, rendered=rendered))
    snapshot = session.snapshot(snapshot.place)
    outcome = at_capture(Outcome(url, look.wall or ("ok" if status < 400 else "http-error"), iso(at)), snapshot)
    outcome = replace(
        outcome, revisit=snapshot.revisit, error=_REASONS.get(look.wall or "", str(status) if status >= 400 else None)
    )
    if look.text is not None and page:
        words = look.text.split()
        outcome = replace(outcome, text=text_digest(words), words=len(words))
    if look.to is not None:
        outcome = _followed(session, outcome, look)
    return outcome, snapshot


def _followed(session, outcome: Outcome, look: Look) -> Outcome:  # type: ignore[no-untyped-def]
    """A redirect's outcome names where it led; the page there is another one's capture, of this archive too."""
    text = look.text or PAGES[look.to or "/"][0].text or ""
    words = text.split()
    final = url_of(look.to or "/")
    return replace(outcome, final_url=final, status=200, text=text_digest(words), words=len(words))
