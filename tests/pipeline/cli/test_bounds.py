"""Bounds are named: what a source lists beyond them, and the option that has it."""

from __future__ import annotations

import pytest

from tests.command import Command
from tests.site import Site, answer


@pytest.mark.parametrize("limit", [1, pytest.param(10_100, marks=pytest.mark.full)])
def test_what_a_feed_lists_beyond_the_bound_is_named_and_can_be_had(limit: int, onrecord: Command, site: Site) -> None:
    entries = b"".join(b"<item><link>/out/%d</link></item>" % at for at in range(10_060))
    site.answers["/feed"] = answer(b"<rss><channel>" + entries + b"</channel></rss>", kind="application/rss+xml")
    manners = ("--no-requisites", "--allow-private", "--delay", "0", "--exclude", "/out/")
    done = onrecord("capture", *manners, "--limit", str(limit), "--feed", site.url("/feed"))
    line = f"onrecord: {site.url('/feed')}: 60 links beyond 10,000 are left out; raise --limit to have them"
    assert (done.code, line in done.err) == (0, limit == 1), done.err[-2000:]
