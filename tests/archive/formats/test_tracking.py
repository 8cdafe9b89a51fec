"""What marks a visit is left out of an address; every other byte stays."""

from __future__ import annotations

import pytest

from archive.formats.join_url import joined_url
from archive.formats.tracking import untracked


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://h/a?utm_source=x&b=%E0&FBCLID=3#f", "http://h/a?b=%E0"),
        ("http://h/a?utm_source=x&utm_medium=", "http://h/a"),
        ("http://h/a?%75tm_source=x", "http://h/a"),
        ("http://h/a?gclid=1&q=a+b&msclkid", "http://h/a?q=a+b"),
        ("http://h/a?b&&c=", "http://h/a?b&&c="),
        ("http://h/a?", "http://h/a?"),
        ("http://h/a?ref=x&source=y&id=fbclid", "http://h/a?ref=x&source=y&id=fbclid"),
        ("urn:dom:http://h/a", "urn:dom:http://h/a"),
    ],
)
def test_addresses_without_marks_of_visits(url: str, expected: str) -> None:
    assert untracked(url) == expected


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("b;", "http://h/x/b;"),
        ("?", "http://h/x/a;v=1?"),
        ("b?", "http://h/x/b?"),
        ("../c;d/e;?q;#f;", "http://h/c;d/e;?q;#f;"),
        ("//i/;", "http://i/;"),
        ("", "http://h/x/a;v=1?q"),
    ],
)
def test_references_keep_their_semicolons(reference: str, expected: str) -> None:
    assert joined_url("http://h/x/a;v=1?q#top", reference) == expected
