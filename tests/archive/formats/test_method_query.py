"""Requests as queries, by the rules of replay programs; the expected ones are what pywb 2.10 makes."""

from __future__ import annotations

import pytest

from archive.formats.method_query import method_query, method_url, without_method
from archive.formats.surt import urlkey
from archive.warc.request_query import query_of_request

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
CHUNKED = (
    b'POST / HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{"a":1}\r\n0\r\n\r\n'
)
PARTS = (
    b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb c\r\n'
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="f.bin"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n\xff\x00\r\n--x--\r\n"
)


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        (FORM, b"foo=bar&dir=%2Fbaz", "foo=bar&dir=/baz"),
        (f"{FORM}; charset=UTF-8", b"q=a+b%26c&h=%C3%A9", "q=a b&c&h=\u00e9"),
        (FORM, b"\xff", "__wb_post_data=/w=="),
        (JSON, b'{"a": "b", "c": {"a": 2, "d": "e"}, "f": true}', "a=b&a.2_=2&d=e&f=true"),
        (JSON, b'{"g": [false, null]}', "g=false&g.2_=null"),
        (JSON, b'{"float": 35.7, "whole": 3.0, "id": "a+b&c= d"}', "float=35.7&whole=3&id=a%2Bb%26c%3D+d"),
        (JSON, b'{"type": "event"}\n{"type": "other"}', "type=event&type.2_=other"),
        (JSON, b"no json", ""),
        (JSON, b"[" * 100_000, ""),
        ("text/plain", b'{"a": 1}', "a=1"),
        ("text/plain", b"a=1", "__wb_post_data=YT0x"),
        ("multipart/form-data; boundary=x", PARTS, "a=b+c&file=%FF%00"),
        ("multipart/form-data", PARTS, None),
        ("", b"a", "__wb_post_data=YQ=="),
        (JSON, b"", ""),
    ],
)  # fmt: skip
def test_a_body_becomes_a_query(kind: str, body: bytes, expected: str | None) -> None:
    found = method_query("POST", kind, body)
    assert found is not None
    assert found.query == expected if expected is not None else found.query.startswith("__wb_post_data=")


def test_a_browser_undoes_other_escapes() -> None:
    found = method_query("POST", FORM, b"q=a+b%26c&h=%C3%A9")
    assert found is not None
    assert found.browser_query == "q=a+b%26c&h=\u00e9"
    assert next(found.urls("http://a.example/?x=1")) == "http://a.example/?x=1&__wb_method=POST&q=a b&c&h=\u00e9"


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", None),
        (b"", None),
        (b"HEAD / HTTP/1.1\r\n\r\n", "http://a.example/x?__wb_method=HEAD"),
        (b"OPTIONS / HTTP/1.1\r\nContent-Length: 1\r\n\r\na", "http://a.example/x?__wb_method=OPTIONS"),
        (b"PUT / HTTP/1.1\r\ncontent-type: text/plain\r\n\r\n1", "http://a.example/x?__wb_method=PUT"),
        (
            CHUNKED,
            "http://a.example/x?__wb_method=POST&a=1",
        ),
    ],
)
def test_a_request_says_its_method_and_its_entity(request_: bytes, expected: str | None) -> None:
    found = query_of_request(request_)
    assert (None if found is None else method_url("http://a.example/x", found.method, found.query)) == expected


def test_the_key_is_sorted_as_that_of_any_query() -> None:
    url = method_url("http://a.example/x?b=2&1=1", "POST", "a=0")
    assert urlkey(url) == "example,a)/x?1=1&__wb_method=post&a=0&b=2"
    assert without_method(url) == "http://a.example/x?b=2&1=1"
    assert without_method("http://a.example/x?b=2") is None
