"""Articles on their way to being documents: held until a site's other pages, and the works they show, are known."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from archive.model import Article, Document, Embed, Outcome, Snapshot
from archive.session import Session
from pipeline.boilerplate import SiteLines

_LEARNT_FROM = 20  # pages of a site after which its lines are known
_HELD = 64 << 20  # characters of texts held back, over all sites
_NOT_ASKED = "not asked for; capture it with --embeds"


@dataclass(slots=True)
class _Site:
    lines: SiteLines = field(default_factory=SiteLines)
    held: dict[str, Article] = field(default_factory=dict)  # by record id


class Documents:
    """Writes the document of each page of a run. What is held back is written by `finish` at the latest."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._sites: dict[str, _Site] = {}
        self._showing: dict[str, Article] = {}  # pages that show works whose captures are not known yet
        self._works: set[str] = set()  # that pages show
        self._problems: dict[str, str] = {}  # of such works
        self._held = 0

    def add(self, record_id: str, article: Article | None) -> None:
        """Take a page's article, None when none could be made."""
        snapshot = self._session.snapshot(record_id)
        self._works.update(embed.url for embed in (article.embeds if article else ()))
        if article is None or not article.text:
            self._ready(record_id, article or Article(title=snapshot.title))
            return
        site = self._sites.setdefault(urlsplit(snapshot.url).netloc, _Site())
        site.lines.note(article.text)
        site.held[record_id] = article
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
        captured = self._session.captured_urls() if self._showing else {}
        for record_id, article in self._showing.items():
            embeds = tuple(self._resolved(embed, captured) for embed in article.embeds)
            self._write(record_id, replace(article, embeds=embeds))
        self._showing.clear()

    def _settle(self, site: _Site) -> None:
        held, site.held = site.held, {}
        for record_id, article in held.items():
            assert article.text is not None, "only those with a text are held"
            self._held -= len(article.text)
            self._ready(record_id, replace(article, text=site.lines.without(article.text, article.title)))

    def _ready(self, record_id: str, article: Article) -> None:
        if article.embeds:
            self._showing[record_id] = article
        else:
            self._write(record_id, article)

    def _write(self, record_id: str, article: Article) -> None:
        self._session.add_document(document_of(self._session.snapshot(record_id), article))

    def _resolved(self, embed: Embed, captured: dict[str, str]) -> Embed:
        if record_id := captured.get(embed.url):
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
