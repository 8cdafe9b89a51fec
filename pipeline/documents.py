"""Articles on their way to being documents: held until a site's other pages, and the works they show, are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from archive.model import Article, Document, Embed, Outcome, Reference, Snapshot
from archive.session import Session
from pipeline.boilerplate import SiteLines

_LEARNT_FROM = 20  # pages of a site after which its lines are known
_HELD = 64 << 20  # characters of texts held back, over all sites
_NOT_ASKED = "not asked for; capture it with --embeds"


@dataclass(frozen=True, slots=True)
class _Page:
    snapshot: Snapshot
    article: Article
    rendered: Reference | None


@dataclass(slots=True)
class _Site:
    lines: SiteLines = field(default_factory=SiteLines)
    urls: set[str] = field(default_factory=set)  # each counts once: what two captures of a page share is its text
    held: list[_Page] = field(default_factory=list)


class Documents:
    """Writes the document of each page of a run. What is held back is written by `finish` at the latest.

    `capture_of` tells the record id of the run's capture of a URL, once all captures are there.
    """

    def __init__(self, session: Session, capture_of: Callable[[str], str | None]) -> None:
        self._session = session
        self._capture_of = capture_of
        self._sites: dict[str, _Site] = {}
        self._showing: list[_Page] = []  # pages that show works whose captures are not known yet
        self._works: set[str] = set()  # that pages show
        self._problems: dict[str, str] = {}  # of such works
        self._held = 0

    def add(self, snapshot: Snapshot, article: Article | None, rendered: Reference | None = None) -> None:
        """Take a page's article, None when none could be made; `rendered` is what it was made from instead."""
        article = article or Article(title=snapshot.title)
        page = _Page(snapshot, article, rendered)
        self._works.update(embed.url for embed in article.embeds)
        if not article.text:
            self._ready(page)
            return
        site = self._sites.setdefault(urlsplit(snapshot.url).netloc, _Site())
        if snapshot.url not in site.urls and len(site.urls) < _LEARNT_FROM:
            site.urls.add(snapshot.url)
            site.lines.note(article.text)
        site.held.append(page)
        self._held += len(article.text)
        if site.lines.pages >= _LEARNT_FROM:
            self._settle(site)
        elif self._held > _HELD:
            for other in self._sites.values():
                self._settle(other)

    def same(self, snapshot: Snapshot) -> None:
        """Write the document of a page whose text lies with an earlier one."""
        document = document_of(snapshot, Article(title=snapshot.title))
        self._session.add_document(replace(document, same_as=snapshot.payload.record_id))

    def note(self, outcome: Outcome) -> None:
        """Know why a work that a page shows was not captured."""
        if not outcome.ok and outcome.url in self._works:
            self._problems[outcome.url] = f"{outcome.outcome}: {outcome.error}"

    def finish(self) -> None:
        """Write everything that is held."""
        for site in self._sites.values():
            self._settle(site)
        self._sites.clear()
        for page in self._showing:
            embeds = tuple(map(self._resolved, page.article.embeds))
            self._write(replace(page, article=replace(page.article, embeds=embeds)))
        self._showing.clear()

    def _settle(self, site: _Site) -> None:
        held, site.held = site.held, []
        for page in held:
            assert page.article.text is not None, "only those with a text are held"
            self._held -= len(page.article.text)
            text = site.lines.without(page.article.text, page.article.title)
            self._ready(replace(page, article=replace(page.article, text=text)))

    def _ready(self, page: _Page) -> None:
        if page.article.embeds:
            self._showing.append(page)
        else:
            self._write(page)

    def _write(self, page: _Page) -> None:
        self._session.add_document(replace(document_of(page.snapshot, page.article), rendered=page.rendered))

    def _resolved(self, embed: Embed) -> Embed:
        if record_id := self._capture_of(embed.url):
            return replace(embed, record_id=record_id)
        return replace(embed, reason=self._problems.get(embed.url, _NOT_ASKED))


def document_of(snapshot: Snapshot, article: Article) -> Document:
    """A snapshot's document, tied to its record."""
    return Document(
        url=snapshot.url,
        timestamp=snapshot.timestamp,
        record_id=snapshot.record_id,
        payload_digest=snapshot.digest,
        key=snapshot.record.key,
        offset=snapshot.record.offset,
        article=article,
    )
