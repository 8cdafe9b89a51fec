"""What an evidence bundle proves beside a snapshot: what its text and its look were made from, and how it was found."""

from __future__ import annotations

from archive.archive import Reader
from archive.errors import ArchiveError
from archive.model import Snapshot
from pipeline.export.selection import Needs
from pipeline.extract.extractor_pool import ExtractorPool

_REDIRECTS = 20


def beside(archive: Reader, url: str, snapshot: Snapshot) -> list[Snapshot]:
    """Return captures of a snapshot's own run: redirects from `url` to it, markup, picture, what the page needs."""
    with ExtractorPool(1) as pool:
        found = [*_chain(archive, url, snapshot), *Needs(archive, pool).of([snapshot])]
    own = [each for each in found if each.run == snapshot.run and not each.withheld]
    return [each for each in {each.place: each for each in own}.values() if each.place != snapshot.place]


def _chain(archive: Reader, url: str, snapshot: Snapshot) -> list[Snapshot]:
    """Return the redirects that lead from an address to a snapshot."""
    chain: list[Snapshot] = []
    for _ in range(_REDIRECTS):
        try:
            found = archive.near(url, snapshot.timestamp)
        except ArchiveError:
            break
        if found is None or found.place == snapshot.place or found.location is None or not found.is_redirect:
            break
        chain.append(found)
        url = found.location
    return chain
