"""Articles on their way to being documents: held until the works that their pages show are known.

The text of a page never depends on the other pages of its run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from archive.model import Article, Document, Embed, Outcome, Reference, Snapshot

_NOT_ASKED = "not asked for; capture it with --embeds"


@dataclass(frozen=True, slots=True)
class _Page:
    snapshot: Snapshot
    article: Article
    rendered: Reference | None


@dataclass(slots=True, eq=False)
class Documents:
    """Writes the document of each page of a run. What is held back is written by `finish` at the latest.

    `_add` is given each document; `_capture_of` tells the record id of the run's capture of a URL, once all are there.
    """

    _add: Callable[[Document], None]
    _capture_of: Callable[[str], str | None]
    _showing: list[_Page] = field(default_factory=list)  # pages that show works whose captures are not known yet
    _works: set[str] = field(default_factory=set)  # that pages show
    _problems: dict[str, str] = field(default_factory=dict)  # of such works

    def add(self, snapshot: Snapshot, article: Article | None, rendered: Reference | None = None) -> None:
        """Take a page's article, None when none could be made; `rendered` is what it was made from instead."""
        article = article or Article(title=snapshot.title)
        self._works.update(embed.url for embed in article.embeds)
        if article.embeds:
            self._showing.append(_Page(snapshot, article, rendered))
        else:
            self._add(document_of(snapshot, article, rendered=rendered))

    def same(self, snapshot: Snapshot) -> None:
        """Write the document of a page whose text lies with an earlier one."""
        article = Article(title=snapshot.title)
        self._add(document_of(snapshot, article, same_as=snapshot.payload.record_id))

    def note(self, outcome: Outcome) -> None:
        """Know why a work that a page shows was not captured."""
        if not outcome.ok and outcome.url in self._works:
            self._problems[outcome.url] = f"{outcome.outcome}: {outcome.error}"

    def finish(self) -> None:
        """Write everything that is held."""
        for page in self._showing:
            embeds = tuple(map(self._resolved, page.article.embeds))
            article = replace(page.article, embeds=embeds)
            self._add(document_of(page.snapshot, article, rendered=page.rendered))
        self._showing.clear()

    def _resolved(self, embed: Embed) -> Embed:
        if record_id := self._capture_of(embed.url):
            return replace(embed, record_id=record_id)
        return replace(embed, reason=self._problems.get(embed.url, _NOT_ASKED))


def document_of(
    snapshot: Snapshot, article: Article, *, rendered: Reference | None = None, same_as: str | None = None
) -> Document:
    """Return a snapshot's document, tied to its record; `rendered` and `same_as` as in `Document`."""
    return Document(
        url=snapshot.url,
        timestamp=snapshot.timestamp,
        record_id=snapshot.record_id,
        payload_digest=snapshot.digest,
        key=snapshot.record.key,
        offset=snapshot.record.offset,
        article=article,
        same_as=same_as,
        rendered=rendered,
    )
