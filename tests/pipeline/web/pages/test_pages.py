"""The pages as they are sent: what they say, their status and their headers, whatever is asked and whatever is kept."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import html
from starlette.testclient import TestClient

from archive.text_diff import compare
from pipeline.web.pages.diff_rows import folded, rows_of
from pipeline.web.pages.text_html import prose_of
from storage.local import LocalStore
from tests.pipeline.web.pages.conftest import REPLAY, pages_of, replay_of
from tests.pipeline.web.pages.library import ARABIC, COURT, COURT_TEXTS, JAPANESE, TAX, TRAIN, WALLED, Library, at
from tests.torture.scale import examples


def text_of(page: str) -> str:
    return " ".join(html.fromstring(page).text_content().split())


def ask(client: TestClient, path: str, **values: str) -> str:
    answer = client.get(path, params=values)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_home_tells_what_is_kept_and_what_is_newest(pages: TestClient) -> None:
    page = ask(pages, "/")
    shown = text_of(page)
    assert re.search(r"captures\s*21", shown)
    assert re.search(r"runs\s*16", shown)
    titles = [node.text_content() for node in html.fromstring(page).find_class("card-title")]
    assert titles[0] == "Packed"
    assert len(titles) == len(set(titles)) == 6


def test_every_page_is_walled_in(pages: TestClient) -> None:
    for path in ("/", "/search?q=court", f"/url?url={COURT}", f"/read?url={COURT}", f"/compare?url={COURT}", "/board",
                 f"/page?url={COURT}", "/url", "/nothing", "/static/onrecord.css", "/static/none"):  # fmt: skip
        headers = pages.get(path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "set-cookie" not in headers
        assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
        assert headers["cross-origin-resource-policy"] == "same-origin"
    framed = pages.get(f"/page?url={COURT}")
    assert f"frame-src http://127.0.0.1:{REPLAY};" in framed.headers["content-security-policy"]
    (frame,) = html.fromstring(framed.text).iter("iframe")
    assert frame.get("sandbox") == ""
    assert frame.get("src") == f"http://127.0.0.1:{REPLAY}/20261120120000/{COURT}"


def test_a_forged_host_does_not_reach_the_policy(pages: TestClient) -> None:
    for host in (
        "x.example;script-src *",
        "a b",
        "x' 'unsafe-inline",
        "",
        "x.example:99999999",
        "é.example",
    ):
        answer = pages.get("/", headers={b"host": host.encode()})
        assert f"frame-src http://127.0.0.1:{REPLAY};" in answer.headers["content-security-policy"], host
    assert f"frame-src http://archive.example:{REPLAY};" in pages.get("/", headers={"host": "Archive.example:80"}).headers["content-security-policy"]  # fmt: skip


def test_search_finds_marks_narrows_and_leads_on(pages: TestClient) -> None:
    page = html.fromstring(ask(pages, "/search", q="chairman resign"))
    assert [node.text_content() for node in page.iter("mark")][:2] == ["chairman", "resign"]
    assert (len(list(page.iter("h3"))), "2 texts found, of 1 page" in page.text_content()) == (1, True)
    assert len(page.find_class("others")[0].findall(".//li")) == 1, "the page's other text"
    narrowed = {"q": "court", "from": "2025-01-01", "to": "2025-05-21"}
    assert len(list(html.fromstring(ask(pages, "/search", **narrowed)).iter("h3"))) == 1
    assert "No text has all" in ask(pages, "/search", q="court", site="ledger.example")
    assert "No text has all" in ask(pages, "/search", q="zeppelin")
    assert "開かれた法廷" in ask(pages, "/search", q="傍聴")
    for written in (COURT, "gazette.example/open-court", "gazette.example"):
        answer = pages.get("/search", params={"q": written})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/url?{urlencode({'url': written})}")
    assert pages.get("/search", params={"q": " "}).headers["location"] == "/"


def test_search_looks_in_fields_as_the_command_does(pages: TestClient) -> None:
    def found(**values: str) -> list[str]:
        return sorted({node.text_content() for node in html.fromstring(ask(pages, "/search", **values)).iter("h3")})

    assert found(author="koster") == ["In praise of the night train"]
    assert found(title="harbour tax") == ["The harbour tax pays for nothing"]
    assert found(title='"tax harbour"') == []
    assert found(title="harbour -tax") == []
    assert found(q="harbour", title="open") == ["An open court, at last"]
    assert found(q="harbour", author="stam", title="op*", **{"from": "2024-01-01", "to": "2024-03-02"}) == [
        "An open court, at last"
    ]
    assert found(q="harbour", author="author:stam") == []
    page = html.fromstring(ask(pages, "/search", q="x", title='a "b"', author="<i>"))
    assert (page.xpath("//input[@name='title']/@value"), page.xpath("//input[@name='author']/@value")) == (['a "b"'], ["<i>"])  # fmt: skip
    assert pages.get("/search", params={"site": "gazette.example"}).headers["location"] == "/pages?url=gazette.example&match=domain"  # fmt: skip


def _walked(pages: TestClient, path: str) -> list[str]:
    """The URLs of a list, from page to page."""
    found: list[str] = []
    while True:
        answer = pages.get(path)
        assert answer.status_code == 200
        tree = html.fromstring(answer.text)
        found += [node.text_content() for node in tree.xpath("//li//*[contains(@class,'url')]")]
        following = tree.xpath("//a[@rel='next']/@href")
        if not following:
            return found
        path = following[0]


def test_pages_of_a_prefix_a_host_and_a_domain(pages: TestClient) -> None:
    of_host = _walked(pages, "/pages?url=https://gazette.example/harbour&match=host")
    assert of_host == [
        "https://gazette.example/harbour-tax",
        "https://gazette.example/night-trains",
        COURT,
        "https://gazette.example/packed",
    ]
    assert _walked(pages, "/pages?url=https://gazette.example/harbour") == [TAX]
    everything = _walked(pages, "/pages?url=gazette.example&match=domain&all=1")
    assert set(everything) > set(of_host)
    assert "https://gazette.example/img/quay.png" in everything
    for written, meant in (("gazette.example/*", "prefix"), ("*.example", "domain")):
        led = pages.get("/search", params={"q": written}).headers["location"]
        assert led.startswith("/url?")
        answer = pages.get(led)
        bare = written.strip("*.")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/pages?{urlencode({'url': bare, 'match': meant})}")  # fmt: skip
    assert "No page is kept of it" in ask(pages, "/pages", url="https://nowhere.example/")
    assert pages.get("/pages?url=x.example&match=near").status_code == 400
    assert pages.get("/pages").status_code == 400


def test_long_lists_go_on_and_miss_nothing(library: Library, tmp_path: Path) -> None:
    hours = [at("2024-02-27T00:00:00") + timedelta(hours=n) for n in range(230)]
    library.keep(*((COURT, moment, {"body": b"same", "text": "A text", "title": "T"}) for moment in hours))
    library.keep(
        *((f"https://gazette.example/{n}", hours[0], {"text": f"Text {n}", "title": str(n)}) for n in range(205))
    )
    client = pages_of(library, tmp_path)
    assert len(_walked(client, "/pages?url=gazette.example&match=host")) == 206
    shown = [ask(client, "/url", url=COURT, page=str(page)) for page in (1, 2, 3, 4)]
    assert [len(html.fromstring(page).find_class("when")) for page in shown] == [100, 100, 30, 30]
    assert "page 2 of 3" in shown[1]
    month = html.fromstring(ask(client, "/url", url=COURT, **{"in": "2024-02"}))
    days = [" ".join(node.text_content().split()) for node in month.xpath("//table//a")]
    assert days == ["27: 23 unchanged, 1 new 24×", "28: 24 unchanged 24×", "29: 24 unchanged 24×"]
    assert len(month.xpath("//table//td")) == 5 * 7
    assert len(html.fromstring(ask(client, "/url", url=COURT, **{"in": "2024-02-28"})).find_class("when")) == 24


def test_the_timeline_names_every_state_in_words(pages: TestClient) -> None:
    page = ask(pages, "/url", url=COURT)
    states = [" ".join(node.text_content().split()) for node in html.fromstring(page).find_class("state")]
    assert states == [
        "◆ to be confirmed: edited since 20 November 2026, 12:00 UTC",  # where the page stands; then each snapshot
        "◆ to be confirmed: edited",
        "✕ unreachable (seen once)",
        "◆ edited",
        "◆ edited",
        *["○ unchanged"] * 4,
        "● new",
    ]
    assert "9 snapshots, 4 different texts, 2 March 2024 to 20 November 2026" in text_of(page)
    bars = html.fromstring(page).find_class("bar-gone")
    assert [bar.get("title") for bar in bars] == ["May 2025: 1 edited, 1 unreachable (seen once)"]
    chosen = ask(pages, "/url", url=COURT, **{"in": "2024-03"})
    assert len(html.fromstring(chosen).find_class("when")) == 3
    assert "✕ to be confirmed: gone" in text_of(ask(pages, "/url", url=TAX))
    assert "→ moved" in text_of(ask(pages, "/url", url=TAX))
    assert "◐ to be confirmed: paywalled" in text_of(ask(pages, "/url", url=WALLED))


def test_the_reader_shows_text_and_evidence(pages: TestClient, furnished: Library) -> None:
    page = ask(pages, "/read", url=COURT, at="20250521")
    tree = html.fromstring(page)
    assert [node.text_content() for node in tree.iter("h1")] == ["An open court, at last"]
    (article,) = tree.iter("article")
    assert article.get("lang") == "en"
    assert [item.text_content() for item in article.iter("li")] == ["hearings are announced a week ahead;", "reasons are given in writing."]  # fmt: skip
    (quote,) = article.iter("blockquote")
    assert quote.text_content() == "A court that sits behind a door is a committee."
    (link,) = article.iter("a")
    assert (link.get("href"), "noreferrer" in link.get("rel")) == ("https://court.example/rulings/2024-17", True)
    snapshot = next(it for it in furnished.archive.snapshots(COURT) if it.timestamp == at("2025-05-21T07:00:00"))
    evidence = " ".join(tree.find_class("evidence")[0].text_content().split())
    for value in (snapshot.record_id, snapshot.digest, snapshot.run, snapshot.record.key, str(snapshot.record.offset)):
        assert value in evidence
    assert "trafilatura 2.3.1" in evidence
    assert tree.xpath("//a[@rel='prev']/@href") == [f"/read?{urlencode({'url': COURT, 'at': '20241103183000'})}"]
    assert tree.xpath("//a[@rel='next']/@href") == [f"/read?{urlencode({'url': COURT, 'at': '20250522070000'})}"]


def test_revisits_name_the_record_that_holds_the_payload(pages: TestClient, furnished: Library) -> None:
    first = next(iter(furnished.archive.snapshots(COURT)))
    assert first.record_id in text_of(ask(pages, "/read", url=COURT, at="20240401"))


def test_languages_and_embeds(pages: TestClient) -> None:
    (article,) = html.fromstring(ask(pages, "/read", url=ARABIC)).iter("article")
    assert article.get("lang") == "ar"
    assert {node.get("dir") for node in article.iter("p", "h1")} == {"auto"}
    assert "傍聴" in ask(pages, "/read", url=JAPANESE)
    shown = text_of(ask(pages, "/read", url=TRAIN))
    assert "scribd https://www.scribd.com/embeds/123456789/content not kept: not asked for" in shown
    assert "youtube https://www.youtube.com/watch?v=aaaaaaaaaaa kept: its snapshots" in shown


def test_compare_steps_through_the_texts(pages: TestClient) -> None:
    changes = [
        ("knew of the closed sessions and kept silent", "may have known of"),
        ("should resign", "has questions to answer"),
        ("", "Correction"),
    ]
    for step, (gone, came) in enumerate(changes, 1):
        tree = html.fromstring(ask(pages, "/compare", url=COURT, step=str(step)))
        deleted = " ".join(node.text_content() for node in tree.iter("del"))
        inserted = " ".join(node.text_content() for node in tree.iter("ins"))
        assert all(word in deleted for word in gone.split()[:1]), deleted
        assert came.split()[0] in inserted
        assert tree.xpath("//input[@type='range']/@value") == [str(step)]
    ends = html.fromstring(ask(pages, "/compare", url=COURT, **{"from": "20240302", "to": "20261120"}))
    assert "register" in " ".join(node.text_content() for node in ends.iter("del"))
    same = ask(pages, "/compare", url=COURT, **{"from": "20240302", "to": "20240302"})
    assert "The texts are the same" in same
    assert "Only one text is kept" in ask(pages, "/compare", url=TRAIN)
    for odd in ("0", "99", "-1", "x", "9" * 30, "²"):
        ask(pages, "/compare", url=COURT, step=odd)


def test_rows_hold_both_texts_whole() -> None:
    for before in COURT_TEXTS:
        for after in COURT_TEXTS:
            rows = rows_of(compare(before + "\n", after + "\n"))
            for side, text in (("before", before), ("after", after)):
                told = "".join(part for row in rows for _, part in getattr(row, side))
                assert told.replace("\n", "") == text.replace("\n", "")
            assert [row for stretch in folded(rows) for row in stretch.rows] == rows
    (stretch, *_) = folded(rows_of(compare("a\n" * 50, "a\n" * 50 + "b\n")))
    assert stretch.folded


def test_the_board_shows_what_needs_a_look(pages: TestClient) -> None:
    tree = html.fromstring(ask(pages, "/board"))
    shown = [" ".join(node.text_content().split()) for node in tree.find_class("when")]
    assert shown == [
        f"The harbour tax pays for nothing {TAX}",
        f"An open court, at last {COURT}",
        f"Who dredges the channel {WALLED}",
    ]
    assert [" ".join(n.text_content().split()) for n in tree.xpath("//ol//*[contains(@class,'state-')]")] == [
        "✕ to be confirmed: gone since 5 October 2026, 08:00 UTC (410)",
        "◆ to be confirmed: edited since 20 November 2026, 12:00 UTC",
        "◐ to be confirmed: paywalled since 1 September 2026, 10:00 UTC",
    ]
    assert (
        tree.xpath("//a[starts-with(., 'Last good')]/@href")[0]
        == f"/read?{urlencode({'url': TAX, 'at': '20250110080000'})}"
    )
    assert len(html.fromstring(ask(pages, "/board", state="gone")).find_class("when")) == 1
    assert len(html.fromstring(ask(pages, "/board", host="ledger")).find_class("when")) == 1
    assert "7 pages looked at, in 16 of 16 runs" in text_of(ask(pages, "/board", page="99"))


def test_an_empty_archive_says_how_to_begin(library: Library, tmp_path: Path) -> None:
    client = pages_of(library, tmp_path)
    assert "capture https://example.org/" in text_of(ask(client, "/"))
    assert client.get("/search?q=word").status_code == 200
    assert client.get("/board").status_code == 200
    assert client.get(f"/url?url={COURT}").status_code == 404
    assert client.get(f"/read?url={COURT}").status_code == 404


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/url", 400, "name a URL"),
        ("/url?url=ftp://x/", 400, "ftp: is not kept here"),
        ("/url?url=http://x/%0Ay", 400, "control characters"),
        ("/url?url=" + "x" * 9000, 400, "longer than"),
        ("/url?url=https://gazette.example/none", 404, "Nothing is kept of this URL"),
        ("/read?url=https://gazette.example/none&at=2026", 404, "nothing is kept of"),
        (f"/read?url={COURT}&at=soon", 400, "not a time"),
        (f"/compare?url={COURT}&from=99999999999999", 400, "from:"),
        ("/compare?url=https://gazette.example/paper.css", 404, "no text is kept"),
        ("/search?q=-without", 400, "no word to look for"),
        ("/search?q=x&from=soon", 400, "from: not a time"),
        ("/elsewhere", 404, "No such page"),
    ],
)
def test_errors_are_pages(pages: TestClient, path: str, status: int, message: str) -> None:
    answer = pages.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert message in text_of(answer.text)


def test_hosts_of_unknown_urls_are_shown(pages: TestClient) -> None:
    answer = pages.get("/url", params={"url": "https://gazette.example/none"})
    assert "Pages of the same host" in answer.text
    assert COURT in answer.text


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    library = Library.empty(tmp_path, LocalStore(tmp_path / "store"))
    kept = library.keep((COURT, at("2026-01-01T00:00:00"), {"text": "Some text", "title": "A title"}))
    (path,) = (tmp_path / "store").glob("runs/*/pages/pages.jsonl")
    path.write_bytes(path.read_bytes().replace(b"Some text", b"Sane text"))
    answer = pages_of(library, tmp_path).get("/read", params={"url": COURT})
    assert (answer.status_code, "not the one that was written" in text_of(answer.text)) == (502, True)
    (warc,) = (tmp_path / "store").glob("runs/*/archive/*.gz")
    data = bytearray(warc.read_bytes())
    data[kept[0].record.offset + kept[0].record.length // 2] ^= 0xFF
    warc.write_bytes(data)
    damaged = replay_of(library, tmp_path).get(f"/20260101000000/{COURT}")
    assert (damaged.status_code, "Damaged" in damaged.text) == (502, True)


HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202eevil\u202c\x1b[31m{{7*7}}"


def test_untrusted_text_is_escaped_and_harmless_everywhere(library: Library, tmp_path: Path) -> None:
    url = "https://evil.example/%22%3E%3Cscript%3E?a='b'"
    text = (
        f'{HOSTILE}\n# {HOSTILE}\n- {HOSTILE}\n> {HOSTILE}\n[x](javascript:alert(1)) [y](https://ok.example/"onclick=x)'
    )
    more = {
        "author": HOSTILE,
        "sitename": HOSTILE,
        "description": HOSTILE,
        "tags": (HOSTILE,),
        "language": '"><script>',
        "comments": HOSTILE,
        "date": HOSTILE,
    }
    library.keep((url, at("2026-01-01T00:00:00"), {"text": text, "title": HOSTILE, "body": b"one", **more}))
    library.keep(
        (url, at("2026-01-02T00:00:00"), {"text": text + " evil more", "title": HOSTILE, "body": b"two", **more})
    )
    client = pages_of(library, tmp_path)
    for path in ("/", f"/url?{urlencode({'url': url})}", f"/read?{urlencode({'url': url})}", f"/compare?{urlencode({'url': url})}",
                 f"/page?{urlencode({'url': url})}", "/board", "/search?q=evil", f"/search?{urlencode({'q': HOSTILE})}", f"/url?{urlencode({'url': 'https://x.example/' + HOSTILE[:-12]})}",
                 f"/read?{urlencode({'url': url, 'at': HOSTILE})}"):  # fmt: skip
        page = client.get(path).text
        tree = html.fromstring(page)
        assert {node.get("src") for node in tree.iter("script")} <= {"/static/compare.js", "/static/copy.js"}, path
        assert not [node for node in tree.iter("img") if node.get("src") != "/static/mark.svg"], path
        assert not tree.xpath("//@*[starts-with(name(), 'on')]"), path
        assert not [href for href in tree.xpath("//@href") if "javascript:" in href.lower()], path
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page), path
        assert "49" not in re.sub(r"[\da-f]{4,}", "", text_of(page)) or "{{7*7}}" in page


@given(st.text(max_size=200))
@settings(max_examples=examples(80), deadline=None)
def test_prose_is_the_text_and_nothing_else(text: str) -> None:
    made = html.fromstring(f"<div>{prose_of(text)}</div>")
    assert {node.tag for node in made.iter()} <= {
        "div",
        "p",
        "ul",
        "ol",
        "li",
        "blockquote",
        "a",
        "bdi",
        *(f"h{n}" for n in range(2, 7)),
    }
    assert all(href.startswith(("http://", "https://")) for href in made.xpath("//@href"))


_VALUES = st.one_of(
    st.text(max_size=40),
    st.sampled_from([COURT, TAX, "2026", "1", "0", "-1", "http://[::1", "http://x:99999/", "urn:x", "\ud800"]),
)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(["/", "/search", "/url", "/pages", "/read", "/page", "/compare", "/board"]),
    names=st.lists(
        st.tuples(
            st.sampled_from("q url at from to in step page state host site title author match all after".split()),
            _VALUES,
        ),
        max_size=4,
    ),
)
def test_whatever_is_asked_no_question_is_a_bug(pages: TestClient, path: str, names: list[tuple[str, str]]) -> None:
    query = urlencode(names, errors="surrogatepass")
    assert pages.get(f"{path}?{query}").status_code in {200, 303, 400, 404}
