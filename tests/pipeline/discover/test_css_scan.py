"""What the quick look at a style sheet finds is what tinycss2 finds, or it says that it cannot tell."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.discover.css import _parsed_addresses
from pipeline.discover.css_scan import addresses_in

PIECES = (
    *(
        "url(",
        "URL(",
        "uRl( ",
        ")",
        '"',
        "'",
        "\\",
        "@import",
        "@IMPORT ",
        " ",
        "\n",
        "\r\n",
        "\f",
        "/*",
        "*/",
        "a",
        "x.png",
    ),
    *(
        "1",
        "#",
        "@",
        "{",
        "}",
        "[",
        "]",
        "(",
        ";",
        ":",
        ",",
        "src(",
        "image(",
        "image-set(",
        "-webkit-image-set(",
        "é",
        "-",
    ),
    *(
        "\\61 ",
        "\\75",
        "\\000075",
        "\\r",
        "\\:",
        "\\9",
        "\\9 ",
        "\\00003f ",
        "\\ ",
        "u+1",
        "U+26-f?",
        "<!--",
        "-->",
        "%",
        ".",
        "+",
        "5e3",
        "@namespace",
    ),
    *(
        '"a.css"',
        "'b.css'",
        "url(c.gif)",
        'url("d.gif")',
        "url( 'e.gif' )",
        "u",
        "rl(",
        "_",
        "\x00",
        "!important",
        "layer(x)",
    ),
)


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_nothing_is_found_that_a_parser_does_not_find(text: str) -> None:
    found = addresses_in(text)
    assert found is None or found == list(_parsed_addresses(text))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a { background: url(x.png) } b { color: red }", [("x.png", False)]),
        ("@import 'a.css' screen; @import /* so */ url(b.css);", [("a.css", True), ("b.css", True)]),
        (".w\\:1 { background: URL( 'y.png' ) } /* url(no.png) */", [("y.png", False)]),
        ("a::before { content: 'url(no.png)' } #url(no.png) curl(no.png)", []),
        ("a { color: red }", []),
        ("a { background: image-set('x.png' 1x) }", None),
        ("a { background: u\\72l(x.png) }", None),
    ],
)
def test_common_sheets_need_no_parser(text: str, found: list[tuple[str, bool]] | None) -> None:
    assert addresses_in(text) == found
    assert found is None or found == list(_parsed_addresses(text))
