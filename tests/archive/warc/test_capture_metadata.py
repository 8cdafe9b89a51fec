"""What a response says of itself."""

from __future__ import annotations

import pytest

from archive.warc import mime_of
from tests.exchanges import an_exchange


@pytest.mark.parametrize(
    ("named", "mime"),
    [
        (b"Text/HTML; charset=utf-8", "text/html"),
        (b"text/html,text/html", "text/html"),
        (b"text/html; charset=utf-8, text/html;charset=utf-8", "text/html"),
        (b"text/html, */*", "text/html"),
        (b"text/plain, application/xhtml+xml", "application/xhtml+xml"),
        (b'text/html; a="b, text/css"', "text/html"),
        (b"html", "unk"),
        (b"text html/x", "unk"),
        (b"", "unk"),
    ],
)
def test_the_media_type_is_that_which_browsers_take(named: bytes, mime: str) -> None:
    assert mime_of(an_exchange(head=b"Content-Type: " + named + b"\r\n")) == mime
