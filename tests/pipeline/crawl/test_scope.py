"""What lies within a scope, what looks endless, what is one page under several addresses."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from pipeline.capture.http.urls import checked_url
from pipeline.crawl.scope import Rules, Scope, page_key, registrable, trap_in, within


@pytest.mark.parametrize(
    ("url", "root", "prefix", "host", "domain"),
    [
        ("https://quay.example.org/a/b", "https://quay.example.org/a/c", True, True, True),
        ("https://quay.example.org/a/", "https://quay.example.org/a/c", True, True, True),
        ("https://quay.example.org/ab", "https://quay.example.org/a/c", False, True, True),
        ("https://quay.example.org/", "https://quay.example.org/a/c", False, True, True),
        ("http://www.quay.example.org/x", "https://quay.example.org", True, True, True),
        ("https://quay.example.org/x", "https://quay.example.org/?page=/deep/er", True, True, True),
        ("https://blog.example.org/x", "https://quay.example.org/", False, False, True),
        ("https://quay.example.org:8443/x", "https://quay.example.org/", False, False, True),
        ("https://other.org/x", "https://example.org/", False, False, False),
        ("https://b.co.uk/x", "https://a.co.uk/", False, False, False),
        ("https://a.b.co.uk/x", "https://c.b.co.uk/", False, False, True),
        ("https://127.0.0.2/x", "https://127.0.0.1/", False, False, False),
    ],
)
def test_scopes(url: str, root: str, prefix: bool, host: bool, domain: bool) -> None:
    found = {scope: within(checked_url(url), checked_url(root), scope) for scope in Scope}
    assert found == {Scope.PAGE: False, Scope.PREFIX: prefix, Scope.HOST: host, Scope.DOMAIN: domain}


def test_registrable_domains() -> None:
    assert registrable("www.quay.co.uk") == "quay.co.uk"
    assert registrable("localhost") == "localhost"
    assert registrable("10.0.0.1") == "10.0.0.1"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://quay.example/a?utm_source=x&b=1", "http://www.quay.example/a?b=1", True),
        ("https://quay.example/a?b=1&a=2", "https://quay.example/a?a=2&b=1", True),
        ("https://quay.example/a?fbclid=x", "https://quay.example/a", True),
        ("https://quay.example/a#top", "https://quay.example/a", True),
        ("https://quay.example/a?page=1", "https://quay.example/a?page=2", False),
        ("https://quay.example/a?empty=", "https://quay.example/a", False),
        ("https://quay.example/Doc/A", "https://quay.example/doc/a", False),
        ("https://quay.example/?q=%E0", "https://quay.example/?q=%E1", False),
        ("https://quay.example/?q=a+b", "https://quay.example/?q=a%2Bb", False),
        ("https://quay.example/~a/%c3%a9", "https://QUAY.example/%7Ea/é", True),
        ("https://quay.example/b;jsessionid=0123456789abcdef0123456789abcdef", "https://quay.example/b/", True),
    ],
)
def test_addresses_of_one_page(one: str, other: str, same: bool) -> None:
    assert (page_key(one) == page_key(other)) is same


def test_traps() -> None:
    queries: Counter[tuple[str, str]] = Counter()
    assert trap_in(checked_url("https://quay.example/2026/05/05/05-essays"), queries) is None
    assert trap_in(checked_url("https://quay.example/a/a/a/a/"), queries) is not None
    assert trap_in(checked_url("https://quay.example/" + "/".join(map(str, range(30)))), queries) is not None
    assert trap_in(checked_url("https://quay.example/?q=" + "x" * 2000), queries) is not None
    reasons = [trap_in(checked_url(f"https://quay.example/calendar?day={day}"), queries) for day in range(201)]
    assert (reasons[:200], reasons[200] is None) == ([None] * 200, False)
    assert trap_in(checked_url("https://quay.example/other?day=1"), queries) is None


def test_patterns() -> None:
    rules = Rules(include=(re.compile("/essays/"), re.compile("/columns/")), exclude=(re.compile(r"\.pdf$"),))
    assert rules.excluded("https://quay.example/essays/1") is None
    assert rules.excluded("https://quay.example/essays/1.pdf") is not None
    assert rules.excluded("https://quay.example/ads/1") is not None
