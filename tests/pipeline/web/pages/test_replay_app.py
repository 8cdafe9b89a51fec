"""The second origin: captured pages found, followed, decoded, walled in."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.pipeline.web.pages.conftest import PAGES, replay_of
from tests.pipeline.web.pages.library import COURT, PICTURE, PNG, STYLE, TAX, Library, at
from tests.torture.scale import examples


def test_every_answer_is_walled_in(replay: TestClient) -> None:
    for path in (
        f"/2026/{COURT}",
        f"/2026/{PICTURE}",
        f"/2026cs_/{STYLE}",
        f"/2026id_/{COURT}",
        "/",
        "/2026/http://no.example/",
    ):
        headers = replay.get(path).headers
        policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
        assert policy["sandbox"] == ""  # no allow-scripts, no allow-same-origin
        assert (
            policy["default-src"] == policy["script-src"] == policy["form-action"] == policy["connect-src"] == "'none'"
        )
        assert policy.get("frame-ancestors") == f"'self' http://127.0.0.1:{PAGES}"
        assert "set-cookie" not in headers
        assert "access-control-allow-origin" not in headers
        assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")


def test_a_frame_within_a_page_may_stand_in_it(replay: TestClient) -> None:
    policy = replay.get(f"/2026if_/{COURT}").headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "frame-ancestors" not in policy


def test_pages_lead_to_the_archive_at_their_own_time(replay: TestClient) -> None:
    page = replay.get(f"/20240401000000/{COURT}")
    assert page.headers["memento-datetime"] == "Mon, 01 Apr 2024 09:00:00 GMT"
    assert f'href="/20240401090000cs_/{STYLE}"' in page.text
    assert f'src="/20240401090000/{PICTURE}"' in page.text
    sheet = replay.get(f"/20240401090000cs_/{STYLE}")
    assert sheet.headers["content-type"] == "text/css; charset=utf-8"
    assert '@import "/20240302090001cs_/https://gazette.example/type.css"' in sheet.text
    assert replay.get(f"/20240401090000/{PICTURE}").content == PNG


def test_what_is_not_kept_is_a_404_and_nothing_else(replay: TestClient) -> None:
    missing = replay.get("/2026/https://gazette.example/missing.png")
    assert (missing.status_code, "nothing is kept" in missing.text) == (404, True)
    assert replay.get("/nothing").status_code == 404
    refused = replay.post(f"/2026/{COURT}")
    assert (refused.status_code, refused.headers["content-security-policy"][:8]) == (405, "sandbox;")
    assert replay.get(f"/2026/{COURT}", headers={"Service-Worker": "script"}).status_code == 403


def test_redirects_and_tombstones(replay: TestClient) -> None:
    followed = replay.get("/20250110075959/http://www.gazette.example/harbour-tax")
    assert (followed.status_code, "pays for nothing" in followed.text) == (200, True)
    assert replay.get(f"/20250601000000/{TAX}").text == followed.text
    assert replay.get(f"/20261005080000/{TAX}").status_code == 410


def test_requisites_are_the_nearest_ones_that_stand(library: Library, tmp_path: Path) -> None:
    picture = "https://a.example/x.png"
    for day, status, body in ((1, 200, b"GIF8 one"), (10, 404, b"no"), (20, 200, b"GIF8 two"), (28, 302, b"")):
        head = "Location: https://a.example/x.png?later\r\n" if status == 302 else ""
        library.keep(
            (
                picture,
                at(f"2026-01-{day:02}T00:00:00"),
                {"status": status, "body": body, "kind": "image/gif", "head": head},
            )
        )
    client = replay_of(library, tmp_path)
    for day, body in (("05", b"GIF8 one"), ("12", b"GIF8 two"), ("22", b"GIF8 two")):
        assert client.get(f"/202601{day}/{picture}", headers={"sec-fetch-dest": "image"}).content == body
    assert client.get(f"/20260110/{picture}").status_code == 404, "a page that is named is shown as it was"
    assert client.get(f"/20260131/{picture}").status_code == 404, "it redirected to what is not kept"


def test_redirects_in_a_circle_end(library: Library, tmp_path: Path) -> None:
    one, two = "https://a.example/one", "https://a.example/two"
    for url, to in ((one, two), (two, one)):
        library.keep((url, at("2026-01-01T00:00:00"), {"status": 302, "body": b"", "head": f"Location: {to}\r\n"}))
    answer = replay_of(library, tmp_path).get(f"/2026/{one}")
    assert (answer.status_code, "in a circle" in answer.text) == (404, True)


@pytest.mark.parametrize(
    ("kind", "body", "head", "served", "text"),
    [
        ("text/html; charset=windows-1251", "<p>Привет".encode("cp1251"), "", "text/html; charset=utf-8", "<p>Привет"),
        ("text/html", "<meta charset=shift_jis><p>法廷".encode("cp932"), "", "text/html; charset=utf-8", "<p>法廷"),
        ("application/xhtml+xml", b"<p>x</p>", "", "text/html; charset=utf-8", "<p>x</p>"),
        (
            "text/html",
            gzip.compress(b"<p>x", mtime=0),
            "Content-Encoding: gzip\r\n",
            "text/html; charset=utf-8",
            "<p>x",
        ),
        ("", b" <!doctype html><p>x", "", "text/html; charset=utf-8", " <!doctype html><p>x"),
        ("", b"GIF89a", "", "image/gif", "GIF89a"),
        ("text/javascript", b"alert(1)", "", "text/plain; charset=utf-8", "alert(1)"),
        ("application/rss+xml", b"<?xml-stylesheet href='//c.example'?><rss/>", "", "text/plain; charset=utf-8", None),
        (
            "image/svg+xml",
            b"<svg/>",
            "",
            "text/html; charset=utf-8",
            '<img src="/20260101000000/https://a.example/" alt="">',
        ),
        ("text/css", b"@import 'x'", "", "text/plain; charset=utf-8", "@import 'x'"),
        ("text/html\x0bx", b"<p>x", "", "text/plain; charset=utf-8", "<p>x"),
    ],
)
def test_what_bodies_are_served_as(
    library: Library, tmp_path: Path, kind: str, body: bytes, head: str, served: str, text: str | None
) -> None:
    library.keep(("https://a.example/", at("2026-01-01T00:00:00"), {"body": body, "kind": kind, "head": head}))
    answer = replay_of(library, tmp_path).get("/2026/https://a.example/")
    assert (answer.status_code, answer.headers["content-type"]) == (200, served)
    assert text is None or answer.content.decode().endswith(text)
    raw = replay_of(library, tmp_path).get("/2026id_/https://a.example/")
    assert raw.headers["content-type"] == "application/octet-stream"
    assert re.fullmatch(r'attachment; filename="[\w.-]+"', raw.headers["content-disposition"])


def test_codings_that_cannot_be_undone_are_named(library: Library, tmp_path: Path) -> None:
    damaged = b"\x1f\x8b\x08\x00" + b"\xff" * 40
    for number, (coding, body) in enumerate((("compress", b"\x1f\x9d\x90\xff\xfe\x80" * 9), ("gzip", damaged))):
        url = f"https://a.example/{number}"
        library.keep((url, at("2026-01-01T00:00:00"), {"body": body, "head": f"Content-Encoding: {coding}\r\n"}))
        answer = replay_of(library, tmp_path).get(f"/2026/{url}")
        assert (answer.status_code, "cannot be shown" in answer.text) == (422, True)


def test_odd_addresses_are_found_again(library: Library, tmp_path: Path) -> None:
    urls = ["https://a.example/b//c", "https://a.example/%2e%2e/x?u=https://b.example/&v=%2F", "https://é.example/ü?ö"]
    for number, url in enumerate(urls):
        library.keep((url, at("2026-01-01T00:00:00"), {"body": b"<p>%d" % number}))
    client = replay_of(library, tmp_path)
    for number, url in enumerate(urls):
        assert client.get("/2026/" + quote(url, safe=":/?&=%")).text == f"<p>{number}"


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(max_size=60),
    st.sampled_from(["/", "/2026/", "/20261124000004cs_/", "/20261399/", "/2026id_/", f"/2026/{COURT}"]),
)
def test_whatever_is_asked_no_request_is_a_bug(replay: TestClient, text: str, begin: str) -> None:
    assert replay.get(begin + quote(text, safe="/:?&=%")).status_code in {200, 404, 405, 410, 503}
