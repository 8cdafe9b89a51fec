"""What `serve` is asked, and what it shows, as harnesses: bytes in, and an exception only for a defect."""

from __future__ import annotations

from urllib.parse import parse_qs

from archive.formats.memento_links import from_http_date
from archive.times import from_stamp, parse_time
from pipeline.web.api.cdx_query import BadQuery, parse
from pipeline.web.replay.css import rewrite_css
from pipeline.web.replay.html import rewrite_html
from pipeline.web.replay.replay_urls import Place, asked_of, replay_path
from pipeline.web.replay.srcset import rewrite_srcset
from tests.fuzz.sealed import assert_sealed, assert_sealed_sheet

PLACE = Place("20261124000004", "https://a.example/b/c.html?d=1")
_LINE = {"urlkey": "org,example)/", "timestamp": "20261124000004", "original": "http://example.org/"}


def replay(data: bytes) -> None:
    """Whatever a captured page holds, what is shown of it leads nowhere but to the archive, and runs nothing."""
    assert_sealed(rewrite_html(data.decode("utf-8", "replace"), PLACE))


def replayed_sheets(data: bytes) -> None:
    """So for style sheets and sets of images."""
    text = data.decode("utf-8", "replace")
    assert_sealed_sheet(rewrite_css(text, PLACE))
    for candidate in rewrite_srcset(text, PLACE).split(", "):
        assert not candidate or candidate.startswith((f"/{PLACE.digits}", "data:")), candidate


def query(data: bytes) -> None:
    """A query is understood, or refused with a reason; so is a time, and an address of replay."""
    text = data.decode("utf-8", "replace")
    try:
        asked = parse(parse_qs(text, keep_blank_values=True))
    except BadQuery:
        pass
    else:
        assert asked.fields is not None
        assert asked.page_size > 0
        for each in asked.filters:
            each.passes(_LINE)
    for read in (parse_time, from_stamp, from_http_date):
        try:
            moment = read(text)
        except ValueError:
            continue
        assert moment.utcoffset() is not None
    path, _, rest = text.partition("?")
    if (parts := asked_of(path, rest)) is not None:
        again = replay_path(parts[2], parts[0], parts[1])
        assert again.isascii()
        assert again.isprintable()
        assert '"' not in again
