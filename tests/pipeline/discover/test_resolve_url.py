"""Addresses that need no resolving come out as resolving them would have it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.discover.resolve_url import _resolved, web_url

PIECES = (
    *(
        "http://",
        "https://",
        "HTTP:",
        "//",
        "/",
        "a",
        "b.c",
        ".",
        "..",
        "%20",
        "?",
        "x=1",
        "&",
        "#",
        ";",
        ":",
        "@",
        "quay.example",
    ),
    *(
        ":8080",
        "é",
        " ",
        "\t",
        "data:",
        "javascript:",
        "-",
        "~",
        "(",
        "\\",
        "[",
        "+",
        "http:",
        "Q.Example",
        "\x7f",
        "_",
    ),
)
BASES = (
    "http://quay.example/a/b?c#d",
    "https://quay.example",
    "http://127.0.0.1:8000/x/",
    "http://u@h.example/y",
    "HTTP://Q.Example/z;p",
)


@settings(max_examples=2000, deadline=None)
@given(st.sampled_from(BASES), st.lists(st.sampled_from(PIECES), max_size=9).map("".join))
def test_the_quick_way_gives_what_resolving_gives(base: str, reference: str) -> None:
    stripped = reference.strip()
    assert web_url(base, reference) == (_resolved(base, stripped) if stripped else None)


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        ("/a/b.html?c=d#e", "http://quay.example/a/b.html?c=d"),
        ("https://mole.example/", "https://mole.example/"),
        ("../c", "http://quay.example/c"),
        ("/a/../c", "http://quay.example/c"),
        ("mailto:ada@quay.example", None),
    ],
)
def test_references_become_addresses(reference: str, url: str | None) -> None:
    assert web_url("http://quay.example/a/b", reference) == url
