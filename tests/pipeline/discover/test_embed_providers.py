"""Addresses of players and viewers lead to the one address that is worth capturing, and hostile ones to none."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.discover.embed_providers import Embed, embed_of
from pipeline.discover.embed_shortcodes import embed_of_shortcode

VIDEO = "dQw4w9WgXcQ"
WATCH = f"https://www.youtube.com/watch?v={VIDEO}"
PDF = "https://quay.example/lease.pdf"

ADDRESSES = f"""
https://www.scribd.com/embeds/4033/content?start_page=1&view_mode=scroll&access_key=key-aB1 scribd https://www.scribd.com/embeds/4033/content?access_key=key-aB1&view_mode=scroll
https://www.scribd.com/document/4033/The-lease scribd https://www.scribd.com/embeds/4033/content
https://www.scribd.com/doc/4033 scribd https://www.scribd.com/embeds/4033/content
https://www.documentcloud.org/documents/77-lease.html documentcloud https://www.documentcloud.org/documents/77-lease
https://embed.documentcloud.org/documents/77-lease/?embed=1&title=1 documentcloud https://www.documentcloud.org/documents/77-lease
https://www.documentcloud.org/documents/77-lease/pages/3.html documentcloud https://www.documentcloud.org/documents/77-lease
https://assets.documentcloud.org/documents/77/lease.pdf documentcloud https://s3.documentcloud.org/documents/77/lease.pdf
https://www.youtube.com/watch?feature=share&v={VIDEO}&t=3 youtube {WATCH}
http://youtu.be/{VIDEO}?t=4 youtube {WATCH}
//www.youtube.com/embed/{VIDEO}?rel=0&amp;start=9 youtube {WATCH}
https://www.youtube-nocookie.com/embed/{VIDEO} youtube {WATCH}
https://m.youtube.com/shorts/{VIDEO} youtube {WATCH}
https://www.youtube.com/live/{VIDEO} youtube {WATCH}
https://www.youtube.com/v/{VIDEO} youtube {WATCH}
https://www.youtube.com/embed/videoseries?list=PLabcdefgh1 youtube https://www.youtube.com/playlist?list=PLabcdefgh1
https://www.youtube.com/oembed?url={quote(WATCH, safe="")}&format=json youtube {WATCH}
https://player.vimeo.com/video/12345678?h=8272103f6e&title=0 vimeo https://vimeo.com/12345678/8272103f6e
https://vimeo.com/12345678 vimeo https://vimeo.com/12345678
https://vimeo.com/channels/quay/12345678 vimeo https://vimeo.com/12345678
https://vimeo.com/album/7654321/video/12345678 vimeo https://vimeo.com/12345678
https://twitter.com/ada_pole/status/123456789?s=20 twitter https://x.com/ada_pole/status/123456789
https://x.com/i/web/status/123456789 twitter https://x.com/i/status/123456789
https://platform.twitter.com/embed/Tweet.html?dnt=true&id=123456789 twitter https://x.com/i/status/123456789
https://archive.org/embed/tide-tables-1911 archiveorg https://archive.org/details/tide-tables-1911
https://archive.org/details/tide-tables-1911/page/n5 archiveorg https://archive.org/details/tide-tables-1911
https://archive.org/download/tide-tables-1911/all%20tides.pdf archiveorg https://archive.org/download/tide-tables-1911/all%20tides.pdf
https://soundcloud.com/quay/bells soundcloud https://soundcloud.com/quay/bells
https://w.soundcloud.com/player/?url=https%3A//soundcloud.com/quay/bells&color=ff0 soundcloud https://soundcloud.com/quay/bells
https://w.soundcloud.com/player/?url=https%3A//api.soundcloud.com/tracks/55 soundcloud https://w.soundcloud.com/player/?url=https%3A%2F%2Fapi.soundcloud.com%2Ftracks%2F55
https://issuu.com/quay/docs/rules_1/4 issuu https://issuu.com/quay/docs/rules_1
https://e.issuu.com/embed.html?d=rules_1&u=quay issuu https://issuu.com/quay/docs/rules_1
https://e.issuu.com/embed.html#1234/5678 issuu https://e.issuu.com/embed.html#1234/5678
https://www.slideshare.net/slideshow/embed_code/key/aB3dE5 slideshare https://www.slideshare.net/slideshow/embed_code/key/aB3dE5
https://www.slideshare.net/slideshow/embed_code/8871 slideshare https://www.slideshare.net/slideshow/embed_code/8871
https://www.slideshare.net/quay/rules slideshare https://www.slideshare.net/quay/rules
https://docs.google.com/viewer?embedded=true&url={quote(PDF, safe="")} pdf {PDF}
https://docs.google.com/gview?url=http://quay.example/plan.docx&embedded=true document http://quay.example/plan.docx
https://docs.google.com/viewer?url={quote(WATCH, safe="")} youtube {WATCH}
https://view.officeapps.live.com/op/embed.aspx?src=https%3A%2F%2Fquay.example%2Fplan.docx document https://quay.example/plan.docx
https://quay.example/pdfjs/web/viewer.html?file=%2Flease.pdf#page=2 pdf {PDF}
https://other.example/viewer?url={quote(PDF, safe="")} pdf {PDF}
https://quay.example/lease.pdf?x=1 pdf https://quay.example/lease.pdf?x=1
"""

NOT_SHOWN = f"""
https://quay.example/
https://quay.example/share?url={quote(PDF, safe="")}
https://www.youtube.com/
https://www.youtube.com/embed/short
https://www.youtube.com/embed/{VIDEO}x
https://www.youtube.com.evil.example/embed/{VIDEO}
https://evil.example/youtube.com/embed/{VIDEO}
https://ada@www.youtube.com/embed/{VIDEO}
https://www.youtube.com@evil.example/embed/{VIDEO}
https://www.youtube.com\\@evil.example/embed/{VIDEO}
javascript://www.youtube.com/embed/{VIDEO}
ftp://www.youtube.com/embed/{VIDEO}
https://twitter.com/ada_pole
https://vimeo.com/about
https://archive.org/details/..%2f..%2fx
https://archive.org/about
https://www.scribd.com/embeds/12a/content
https://www.scribd.com/upload
https://w.soundcloud.com/player/?url=https%3A//evil.example/tracks/55
https://soundcloud.com/discover/sets
https://www.documentcloud.org/documents/lease
https://issuu.com/quay
https://www.slideshare.net/quay
https://docs.google.com/viewer?url=javascript:x.pdf
https://docs.google.com/viewer?url=//ada@evil.example/x.pdf
https://docs.google.com/document/d/1/edit
https://quay.example/viewer.html?file=javascript:x.pdf
https://quay.example/viewer.html?file=lease.txt
https://[::1/embed
https://
"""


@pytest.mark.parametrize("line", ADDRESSES.strip().split("\n"))
def test_addresses_of_one_work_become_one(line: str) -> None:
    address, kind, url = line.split(" ")
    found = embed_of(address)
    assert found is not None
    assert (found.kind, found.url) == (kind, url)
    assert kind == "document" or embed_of(found.url) == found


@pytest.mark.parametrize("address", NOT_SHOWN.strip().split("\n"))
def test_other_addresses_show_nothing(address: str) -> None:
    assert embed_of(address) is None


@pytest.mark.parametrize("sign", ["\n", "\t", "\x00", " ", "\x7f", "\\", '"', "<"])
def test_controls_and_markup_in_an_address_show_nothing(sign: str) -> None:
    assert embed_of(f"https://www.youtube.com/embed/{VIDEO}{sign}?x") is None


def test_viewers_within_viewers_come_to_an_end() -> None:
    address = PDF
    for _ in range(2):
        address = f"https://docs.google.com/viewer?url={quote(address, safe='')}"
    assert embed_of(address) == Embed("pdf", PDF)
    endless = embed_of("https://docs.google.com/viewer?url=" * 90 + PDF)
    assert endless is not None
    assert endless.kind == "document"


@pytest.mark.parametrize(
    ("name", "attributes", "content", "expected"),
    [
        ("scribd", {"id": "4033", "key": "key-aB1", "mode": "scroll"}, "", "https://www.scribd.com/embeds/4033/content?access_key=key-aB1&view_mode=scroll"),
        ("scribd", {"id": "4033", "key": "k&x=1"}, "", "https://www.scribd.com/embeds/4033/content"),
        ("scribd", {"id": "4033", "mode": "x&y"}, "", "https://www.scribd.com/embeds/4033/content"),
        ("scribd", {"url": "https://www.scribd.com/doc/4033"}, "", "https://www.scribd.com/embeds/4033/content"),
        ("documentcloud", {"url": "https://www.documentcloud.org/documents/77-lease.html"}, "", "https://www.documentcloud.org/documents/77-lease"),
        ("documentcloud", {"id": "77-lease"}, "", "https://www.documentcloud.org/documents/77-lease"),
        ("youtube", {"0": VIDEO}, "", WATCH),
        ("youtube", {"0": f"https://youtu.be/{VIDEO}&w=3"}, "", WATCH),
        ("youtube", {"id": VIDEO}, "", WATCH),
        ("youtube", {}, f"https://youtu.be/{VIDEO}", WATCH),
        ("youtube", {"0": "commentator"}, "", None),
        ("fusion_youtube", {"id": f"https://youtu.be/{VIDEO}"}, "", WATCH),
        ("vimeo", {"0": "12345678"}, "", "https://vimeo.com/12345678"),
        ("vimeo", {"url": "https://vimeo.com/12345678"}, "", "https://vimeo.com/12345678"),
        ("tweet", {"0": "https://twitter.com/ada/status/123456789"}, "", "https://x.com/ada/status/123456789"),
        ("tweet", {"id": "123456789"}, "", "https://x.com/i/status/123456789"),
        ("twitter", {"0": "deleted"}, "", None),
        ("archiveorg", {"0": "tide-tables-1911", "width": "4"}, "", "https://archive.org/details/tide-tables-1911"),
        ("archiveorg", {"0": "unknown"}, "", None),
        ("soundcloud", {"url": "https://soundcloud.com/quay/bells"}, "", "https://soundcloud.com/quay/bells"),
        ("soundcloud", {"id": "55"}, "", "https://w.soundcloud.com/player/?url=https%3A%2F%2Fapi.soundcloud.com%2Ftracks%2F55"),
        ("issuu", {"username": "quay", "docname": "rules"}, "", "https://issuu.com/quay/docs/rules"),
        ("slideshare", {"id": "8871&doc=rules&w=4"}, "", "https://www.slideshare.net/slideshow/embed_code/8871"),
        ("embed", {}, " https://quay.example/x ", "https://quay.example/x"),
        ("embed", {}, '<a href="https://quay.example/x">x</a>', "https://quay.example/x"),
        ("embed", {}, "a line", None),
        ("pdf-embedder", {"url": PDF}, "", PDF),
        ("pdfjs-viewer", {"url": f"https://quay.example/viewer?file={quote(PDF, safe='')}"}, "", PDF),
        ("gview", {"file": "https://quay.example/plan.docx"}, "", "https://quay.example/plan.docx"),
        ("audio", {"mp3": "https://quay.example/a.mp3"}, "", "https://quay.example/a.mp3"),
        ("video", {"mp4": "https://quay.example/a.mp4"}, "", "https://quay.example/a.mp4"),
        ("video", {"src": "javascript:x"}, "", None),
        ("gallery", {"ids": "1,2"}, "", None),
        ("av_hr", {"url": WATCH}, "", None),
    ],
)  # fmt: skip
def test_shortcodes(name: str, attributes: dict[str, str], content: str, expected: str | None) -> None:
    found = embed_of_shortcode(name, attributes, content)
    assert (found and found.url) == expected


NAMES = [
    "scribd", "documentcloud", "youtube", "vimeo", "tweet", "archiveorg", "soundcloud", "issuu", "slideshare",
]  # fmt: skip
SITES = {
    "www.scribd.com", "www.documentcloud.org", "www.youtube.com", "vimeo.com", "x.com", "archive.org",
    "w.soundcloud.com", "issuu.com", "www.slideshare.net",
}  # fmt: skip
HOSTILE = st.text(st.sampled_from("a1@/.\\:?#&=%-_ \n\t\x00[]<>\"'é"), max_size=14)


@given(
    st.sampled_from(NAMES),
    st.dictionaries(
        st.sampled_from(["id", "key", "mode", "0", "username", "docname", "list", "h"]),
        st.one_of(HOSTILE, st.just("12345678"), st.just(VIDEO), HOSTILE.map("12345".__add__)),
    ),
)
def test_no_number_or_key_leads_to_another_site(name: str, attributes: dict[str, str]) -> None:
    found = embed_of_shortcode(name, attributes, "")
    if found is not None:
        parts = urlsplit(found.url)
        assert parts.scheme == "https"
        assert parts.netloc in SITES
        assert found.url.isascii()
        assert not set(found.url) & set(" \n\t\x00<>\"'\\")


@given(
    st.one_of(
        HOSTILE, HOSTILE.map("https://".__add__), HOSTILE.map(f"https://docs.google.com/viewer?url={PDF}".__add__)
    )
)
def test_only_web_addresses_come_out(address: str) -> None:
    found = embed_of(address)
    if found is not None:
        assert urlsplit(found.url).scheme in {"http", "https"}
        assert "@" not in urlsplit(found.url).netloc
