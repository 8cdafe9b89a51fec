"""Which URLs are taken, in which form, and which addresses are refused."""

from __future__ import annotations

import pytest

from pipeline.capture.http.address_policy import refusal
from pipeline.capture.http.failures import MEANINGS, Failure
from pipeline.capture.http.urls import checked_url

FORMS = {
    "http://EXAMPLE.org": "http://example.org/",
    " https://example.org:443/a?b#c ": "https://example.org/a?b",
    "http://example.org:8080": "http://example.org:8080/",
    "http://example.org:0000008080": "http://example.org:8080/",
    "https://bücher.example/ä?ö=ü": "https://xn--bcher-kva.example/%C3%A4?%C3%B6=%C3%BC",
    "http://example.org/a b/%7Ec%2fd": "http://example.org/a%20b/%7Ec%2fd",
    "http://example.org/a/./b/../c/": "http://example.org/a/c/",
    "http://example.org/a/..": "http://example.org/",
    "http://example.org/../../a": "http://example.org/a",
    "http://example.org/a/%2e%2e/b": "http://example.org/b",
    "http://example.org//a//b": "http://example.org//a//b",
    "http:\\\\example.org\\a": "http://example.org/a",
    "http://example.org?q": "http://example.org/?q",
    "http://ex%41mple.org/": "http://example.org/",
    "http://[2001:DB8::1]:80/": "http://[2001:db8::1]/",
    "http://2130706433/": "http://127.0.0.1/",
    "http://0x7f000001/": "http://127.0.0.1/",
    "http://0177.0.0.1/": "http://127.0.0.1/",
    "http://017700000001/": "http://127.0.0.1/",
    "http://127.1/": "http://127.0.0.1/",
    "http://0/": "http://0.0.0.0/",
    "http://127.0.0.1./": "http://127.0.0.1/",
    "http://１２７.0.0.1/": "http://127.0.0.1/",
    "http://%31%32%37.0.0.1/": "http://127.0.0.1/",
    "http://example.org/a'\"<>`{}|^": "http://example.org/a'%22%3C%3E%60%7B%7D|^",
}


@pytest.mark.parametrize("written", FORMS)
def test_urls_get_the_form_that_browsers_give_them(written: str) -> None:
    assert str(checked_url(written)) == FORMS[written]
    assert str(checked_url(FORMS[written])) == FORMS[written]


REFUSED = {
    "": "invalid-url",
    "   ": "invalid-url",
    "example.org/page": "invalid-url",
    "//example.org/": "invalid-url",
    "http://": "invalid-url",
    "http:///path": "invalid-url",
    "http://exa mple.org/": "invalid-url",
    "http://example.org/a\r\nHost: evil/": "invalid-url",
    "http://example.org/a\nb": "invalid-url",
    "http://example.org/a\tb": "invalid-url",
    "http://example.org\x00/": "invalid-url",
    "http://user:password@example.org/": "invalid-url",
    "http://example.org@127.0.0.1/": "invalid-url",
    "http://example.org:0/": "invalid-url",
    "http://example.org:99999/": "invalid-url",
    "http://example.org:00008012345/": "invalid-url",
    "http://example.org:x/": "invalid-url",
    "http://[::1/": "invalid-url",
    "http://[::1]x/": "invalid-url",
    "http://[fe80::1%25eth0]/": "invalid-url",
    "http://1.2.3.4.5/": "invalid-url",
    "http://256.1.1.1/": "invalid-url",
    "http://a..b/": "invalid-url",
    "http://exa<mple.org/": "invalid-url",
    "http://\ud800.example/": "invalid-url",
    "http://example.org/\ud800": "invalid-url",
    "http://example.org/" + "a" * 9000: "invalid-url",
    "ftp://example.org/": "unsupported-scheme",
    "file:///etc/passwd": "unsupported-scheme",
    "FILE:///etc/passwd": "unsupported-scheme",
    "gopher://example.org/": "unsupported-scheme",
    "data:text/html,x": "unsupported-scheme",
    "javascript:alert(1)": "unsupported-scheme",
    "view-source:http://example.org/": "unsupported-scheme",
}


@pytest.mark.parametrize("written", REFUSED)
def test_what_is_no_url_is_named(written: str) -> None:
    with pytest.raises(Failure) as failure:
        checked_url(written)
    assert failure.value.verdict.name == REFUSED[written]
    assert failure.value.verdict.error


NOT_PUBLIC = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 169.254.0.1
169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255
198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe
64:ff9b:1::1 100::1 2001::1 2001:db8::1 2002:7f00:1:: 2002:a00:1:: 2002:a9fe:a9fe:: 3fff::1 fc00::1 fd12:3456::1
fe80::1 fe80::1%eth0 fec0::1 ff02::1 4000::1 no-address 1.2.3 2130706433 168.63.129.16 2606:4700::5efe:7f00:1
2606:4700::200:5efe:a00:1 ::ffff:0:7f00:1
""".split()


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_what_is_not_public_is_refused(address: str) -> None:
    assert refusal(address)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "1.1.1.1",
            "8.8.8.8",
            "93.184.216.34",
            "172.15.0.1",
            "172.32.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "169.253.1.1",
        ),
        *("2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"),
    ],
)
def test_what_is_public_is_not(address: str) -> None:
    assert refusal(address) is None


def test_every_verdict_of_the_code_has_its_meaning() -> None:
    import re
    from pathlib import Path

    import pipeline

    named = set()
    for source in Path(pipeline.__path__[0]).rglob("*.py"):
        named |= set(re.findall(r'(?<!Task)(?:Failure|Verdict)\(\s*"([a-z-]+)"', source.read_text()))
    assert named >= {"invalid-url", "truncated", "refused-address"}
    assert named <= MEANINGS.keys()
