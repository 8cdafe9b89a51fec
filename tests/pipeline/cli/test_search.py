"""`onrecord search` as a user meets it."""

from __future__ import annotations

from tests.command import Command
from tests.site import Site


def test_texts_are_found_by_their_words(onrecord: Command, site: Site) -> None:
    assert onrecord.capture(site.url("/post"), site.url("/other")).code == 0
    done = onrecord("search", "entirely")
    assert (done.code, done.err) == (0, "")
    first, title, snippet = done.out.splitlines()
    assert first.endswith(site.url("/other"))
    assert (title.strip(), "Something else entirely" in snippet) == ("Another", True)
    assert len(onrecord("--json", "search", "paragraph").lines) == 2
    assert [hit["title"] for hit in onrecord("--json", "search", '"first version"', "--site", "127.0.0.1").lines] == [
        "A post"
    ]
    nothing = onrecord("search", "zeppelin")
    assert (nothing.code, nothing.out, nothing.err.count("\n")) == (0, "", 1)
    wrong = onrecord("search", "--", "-only")
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)


def test_an_archive_that_is_not_there(onrecord: Command) -> None:
    done = onrecord("search", "word")
    assert (done.code, done.err.count("\n")) == (10, 1)
