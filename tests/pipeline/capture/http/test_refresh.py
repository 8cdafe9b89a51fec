"""Pages that lead on by themselves are followed as browsers follow them, and each step is a capture of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archive.model import Fetched, Role, Target
from pipeline.capture.http.fetch_many import fetch
from pipeline.capture.http.refresh import Refresh, parsed_refresh, refresh_in
from tests.pipeline.capture.http.test_fetch_many import SETTINGS
from tests.pipeline.extract.test_text_guard import PROSE, page
from tests.site import Site, answer


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


TARGET = answer(page(f"<article><h1>The berths</h1>{PROSE}</article>").encode())


def leading(content: str) -> bytes:
    return answer(
        f'<html><head><meta http-equiv=refresh content="{content}"></head><body>Opening...</body></html>'.encode()
    )


def fetched_from(site: Site, path: str, tmp_path: Path, **changes: object) -> Fetched:
    target = replace(Target(site.url(path)), **changes)  # type: ignore[arg-type]
    found = [each for each in fetch([target], SETTINGS, tmp_path) if each is not None]
    return found[0]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0;URL='/target'", Refresh(0, "/target")),
        ("0; url=/target", Refresh(0, "/target")),
        (" 5,  URL = /a b ", Refresh(5, "/a b")),
        ("3 /bare", Refresh(3, "/bare")),
        (".5;url=/x", Refresh(0, "/x")),
        ('2.9;url="/x";', Refresh(2, "/x")),
        ("30", Refresh(30, "")),
        ("url=/x", None),
        ("soon;url=/x", None),
        ("", None),
    ],
)
def test_the_value_is_read_as_browsers_read_it(value: str, expected: Refresh | None) -> None:
    assert parsed_refresh(value) == expected


@pytest.mark.parametrize(
    ("markup", "url"),
    [
        ("<META CONTENT='0;url=/t' HTTP-EQUIV='Refresh'>", "/t"),
        ("<meta Http-Equiv = ' &#82;EFRESH' content='0;url=/t'>", "/t"),
        ("<base href='http://other.example/d/'><meta http-equiv=refresh content='0;url=t&amp;u'>", "http://other.example/d/t&u"),
        ("<p>text</p><meta name='a>b' content=x><meta http-equiv=refresh content='0;url=/t'>", "/t"),
        ("<noscript><meta http-equiv=refresh content='0;url=/t'></noscript>", None),
        ("<!-- <meta http-equiv=refresh content='0;url=/t'> -->", None),
        ("<script>'<meta http-equiv=refresh content=0;url=/t>'</script>", None),
        ("<textarea><meta http-equiv=refresh content='0;url=/t'></textarea>", None),
        ("<template><meta http-equiv=refresh content='0;url=/t'></template>", None),
        ("<pre>&lt;meta http-equiv=refresh content='0;url=/t'></pre>", None),
        ("<meta http-equiv=refresh content=''>", None),
        ("<!--" * 20_000 + "refresh", None),
        ("<script>refresh" + "<script" * 20_000, None),
        ("<meta http-equiv=" + " " * 200_000 + "x", None),  # took minutes
    ],
)  # fmt: skip
def test_only_what_a_browser_obeys_counts(markup: str, url: str | None) -> None:
    found = refresh_in(markup.encode())
    assert (found.url if found else None) == url


@pytest.mark.parametrize(
    "first",
    [
        leading("0;URL='/target'"),
        leading("9; url=/target"),
        answer(b"<p>Opening", headers=("Refresh: 0; url=/target",)),
    ],
)
def test_a_page_that_leads_on_is_followed(first: bytes, site: Site, tmp_path: Path) -> None:
    site.answers |= {"/first": first, "/target": TARGET}
    fetched = fetched_from(site, "/first", tmp_path)
    assert fetched.verdict.name == "ok"
    assert [exchange.url for exchange in fetched.exchanges] == [site.url("/first"), site.url("/target")]
    assert [exchange.leads_to for exchange in fetched.exchanges] == [site.url("/target"), None]


@pytest.mark.parametrize(
    ("content", "note"),
    [
        ("11;url=/target", "which is not followed"),
        ("0;url=javascript:go()", "cannot be followed"),
        ("0;url=ftp://files.example/", "cannot be followed"),
        ("30", None),
        ("5;url=/first", None),
        ("0;url=/first#part", None),
    ],
)
def test_what_is_not_followed_is_named_if_it_leads_elsewhere(
    content: str, note: str | None, site: Site, tmp_path: Path
) -> None:
    site.answers |= {"/first": leading(content), "/target": TARGET}
    fetched = fetched_from(site, "/first", tmp_path)
    assert (fetched.verdict.name, len(fetched.exchanges)) == ("ok", 1)
    assert [note in each for each in fetched.exchanges[0].notes] == ([True] if note else [])


def test_loops_end(site: Site, tmp_path: Path) -> None:
    site.answers |= {
        "/a": leading("0;url=/b"),
        "/b": leading("0;url=/a"),
        "/c": leading("9;url=/d"),
        "/d": leading("9;url=/c"),
    }
    assert fetched_from(site, "/a", tmp_path).verdict.name == "redirect-loop"
    turns = fetched_from(site, "/c", tmp_path)
    assert (turns.verdict.name, [exchange.leads_to for exchange in turns.exchanges]) == ("ok", [site.url("/d"), None])
    for number in range(30):
        site.answers[f"/{number}"] = leading(f"0;url=/{number + 1}")
    assert fetched_from(site, "/0", tmp_path).verdict.name == "too-many-redirects"


def test_a_page_that_sets_a_cookie_and_loads_itself_is_loaded_again(site: Site, tmp_path: Path) -> None:
    body = b"<meta http-equiv=refresh content='0;url=/first'>"
    site.answers["/first"] = answer(body, headers=("Set-Cookie: seen=1",))
    assert len(fetched_from(site, "/first", tmp_path).exchanges) == 2


def test_a_requisite_is_not_followed(site: Site, tmp_path: Path) -> None:
    site.answers |= {"/first": leading("0;url=/target"), "/target": TARGET}
    assert len(fetched_from(site, "/first", tmp_path, role=Role.REQUISITE).exchanges) == 1
