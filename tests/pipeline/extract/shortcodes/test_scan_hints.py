"""Pages whose brackets stand in scripts and the like are not walked; all others are."""

from __future__ import annotations

import pytest

from pipeline.extract.shortcodes.scan import may_hold


@pytest.mark.parametrize(
    "html",
    [
        "<p>No brackets</p>",
        "<script>a[b = 1]</script><p>text</p>",
        "<script>a[b = 1]",
        "<p title='[gallery ids=1]'>text</p>",
        "<!-- [gallery ids=1] --><p>a &lt; b [1] [ ]</p>",
        "<style>a[href=x]{}</style><svg><a x=[gallery]></svg><pre>[gallery ids=1]</pre>",
        "<?php [gallery ids=1] ?><!doctype html><p>a < b</p>",
    ],
)
def test_what_is_typed_or_hidden_is_no_hint(html: str) -> None:
    assert not may_hold(html)


@pytest.mark.parametrize(
    "html",
    [
        "<p>[gallery ids=1]</p>",
        "<script>x</script>[vc_row el=1]",
        "<script/>[gallery ids=1]",
        "<!-- wp:paragraph --><p>text</p>",
        "&lt;!-- wp:paragraph --&gt;",
        "<!-- [gallery ids=1]",
        "<p title='unpaired>[gallery ids=1]</p>",
        "[[gallery ids=1]]",
    ],
)
def test_what_stands_in_text_is_a_hint(html: str) -> None:
    assert may_hold(html)
