"""Text in frames: what a reader sees in them is text of the page; what is no part of the page is not."""

from __future__ import annotations

from html import escape

import pytest

from archive.model import Article
from pipeline.extract.article import extract
from pipeline.extract.tasks import Page

_TOLD = [f"In sentence {number} the harbour court of Quay sat again and heard the case." for number in range(6)]
_INNER = [f"In paragraph {number} of the frame the council published what it had decided." for number in range(6)]


def page(body: str) -> Article:
    markup = f"<!doctype html><html><head><title>The court</title></head><body>{body}</body></html>"
    return extract(Page("https://quay.example/court", markup.encode(), "text/html"))


def prose(sentences: list[str]) -> str:
    return "".join(f"<p>{sentence}</p>" for sentence in sentences)


def shown(inner: str, url: str = "https://frames.example/one", more: str = "") -> str:
    return f'<iframe src="{url}" {more} data-frame-url="{url}" data-frame-markup="{escape(inner)}"></iframe>'


@pytest.mark.parametrize(
    "frame",
    [
        shown(f"<html><body>{prose(_INNER)}</body></html>"),
        f'<iframe srcdoc="{escape(prose(_INNER))}"></iframe>',
        shown(f"<body>{shown(prose(_INNER))}{'word ' * 50}</body>"),
    ],
    ids=["of a browser", "srcdoc", "within a frame"],
)
def test_a_frame_is_part_of_the_page(frame: str) -> None:
    text = page(f"<article><h1>The court</h1>{prose(_TOLD)}{frame}</article>").text or ""
    assert [sentence for sentence in (*_TOLD, *_INNER) if sentence not in text] == []


def test_a_page_of_nothing_but_frames_has_their_text() -> None:
    for body in (f"<div>{shown(prose(_INNER))}</div>", f"<frameset>{shown(prose(_INNER))}</frameset>"):
        assert _INNER[3] in (page(body.replace("iframe", "frame") if "frameset" in body else body).text or "")


@pytest.mark.parametrize(
    "frame",
    [
        shown("<p>Ten words of an advertisement that nobody has asked for."),
        shown(prose(_INNER), more='id="sp_message_iframe_1"'),
        shown(prose(_INNER), url="https://cookie-consent.example/"),
        shown(prose(_INNER), more="hidden"),
    ],
    ids=["short", "consent", "consent by its address", "hidden"],
)
def test_what_is_no_part_of_the_page_is_no_text(frame: str) -> None:
    text = page(f"<article><h1>The court</h1>{prose(_TOLD)}{frame}</article>").text or ""
    assert _TOLD[5] in text
    assert not [word for word in ("advertisement", _INNER[0], _INNER[5]) if word in text]


def test_links_of_a_frame_lead_where_they_lead_there() -> None:
    inner = f'{prose(_INNER)}<p>{_TOLD[0]} <a href="minutes">The minutes</a> of the council were kept as well.</p>'
    found = page(f"<article>{prose(_TOLD)}{shown(inner, 'https://frames.example/a/one')}</article>")
    assert "https://frames.example/a/minutes" in found.links
