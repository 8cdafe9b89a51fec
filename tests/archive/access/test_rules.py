"""Rules: which captures they mean, that any number may write them at once, and that forged ones show nothing."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from archive import object_keys
from archive.access.rule_store import MOST, Notices
from archive.access.rules import LONGEST, Policy, Rule, decode_rule, encode_rule
from archive.archive import Archive
from archive.copies.replicate import Replica
from archive.digests import self_digested
from archive.errors import IntegrityError, NoSuchRule, Withheld
from archive.local_cache import Cache
from archive.times import now
from storage.base import ObjectStore
from storage.location import open_store
from storage.memory import MemoryStore
from tests.archive.conftest import Keep
from tests.exchanges import NOON, an_exchange

PAGE = "https://example.org/people/ida"
HOUR = timedelta(hours=1)


def means(url: str, match: str, other: str) -> bool:
    return Policy([Rule(url, match)]).at(other, NOON) is not None


@pytest.mark.parametrize(
    "other",
    [
        "http://example.org/people/ida", "https://www.example.org:443/people/ida/", "HTTPS://Example.ORG/p/../people/Ida",
        "https://example.org/people/%69da#top", "https://ida:pass@example.org/people/ida",
        f"urn:dom:{PAGE}", f"urn:fullPageFinal:{PAGE}", f"urn:view:{PAGE}", f"screenshot:{PAGE}",
        f"urn:dom:urn:dom:{PAGE}",
        "metadata://example.org/people/ida", "https://example.org/people/ida?",
    ],
)  # fmt: skip
def test_a_page_is_meant_under_all_its_addresses(other: str) -> None:
    for match in ("exact", "prefix", "host", "domain"):
        assert means(PAGE, match, other)
        assert means(f"urn:dom:{PAGE}", match, other), "and by what was made of it"


@pytest.mark.parametrize(
    ("match", "meant", "not_meant"),
    [
        ("exact", PAGE, "https://example.org/people/ida/photo"),
        ("exact", f"{PAGE}?b=2&a=1", PAGE),
        ("prefix", "https://example.org/people/ida/photo.png", "https://example.org/people/eva"),
        ("host", "https://example.org/anything", "https://news.example.org/people/ida"),
        ("host", "https://example.org:8080/people/ida", "https://example.com/people/ida"),
        ("domain", "https://news.example.org:8443/x", "https://myexample.org/people/ida"),
    ],
)
def test_what_a_match_means(match: str, meant: str, not_meant: str) -> None:
    named = f"{PAGE}?a=1&b=2" if "?" in meant else PAGE
    assert means(named, match, meant)
    assert not means(named, match, not_meant)


def test_a_rule_of_a_port_means_that_port() -> None:
    assert not means("http://127.0.0.1:8080/", "host", "http://127.0.0.1:8081/a")
    assert means("http://127.0.0.1:8080/", "host", "http://127.0.0.1:8080/a")
    assert means("http://[::1]/", "domain", "http://[::1]:8080/a")


def test_the_strictest_rule_is_told() -> None:
    tomorrow, later = now() + timedelta(days=1), now() + timedelta(days=2)
    rules = [Rule(PAGE, until=tomorrow), Rule(PAGE, until=later), Rule(PAGE, until=now() - HOUR, reason="over")]
    found = Policy(rules).at(PAGE, NOON)
    assert found is not None
    assert (found.kind, found.until) == ("embargoed", later)
    found = Policy([*rules, Rule(PAGE, reason="for good")]).at(PAGE, NOON)
    assert str(found) == "withheld: for good"
    assert Policy(rules[2:]).at(PAGE, NOON) is None


def test_both_ends_of_a_span_are_meant() -> None:
    policy = Policy([Rule(PAGE, start=NOON, end=NOON + HOUR)])
    for moment, meant in ((NOON, True), (NOON + HOUR, True), (NOON - HOUR, False), (NOON + 2 * HOUR, False)):
        assert (policy.at(PAGE, moment) is not None) is meant


def test_a_rule_is_read_back_as_it_was_written() -> None:
    rule = Rule(PAGE, "prefix", NOON, NOON + HOUR, NOON + 2 * HOUR, "réason", "note", NOON)
    assert decode_rule(encode_rule(rule)) == rule
    with pytest.raises(ValueError, match="at most"):
        encode_rule(Rule(PAGE, reason="x" * LONGEST))


GOOD = {"form": 1, "url": PAGE, "match": "exact", "added": "2026-11-26T00:00:00Z"}
FORGED = {
    "empty": b"",
    "no json": b"nonsense",
    "altered": encode_rule(Rule(PAGE)).replace(b"ida", b"eva"),
    "no digest": json.dumps(GOOD).encode(),
    "newer": self_digested(GOOD | {"form": 2}),
    "a match of its own": self_digested(GOOD | {"match": "regex"}),
    "a word of its own": self_digested(GOOD | {"except": "https://example.org/people/ida"}),
    "no url": self_digested(GOOD | {"url": ""}),
    "a long url": self_digested(GOOD | {"url": "http://x/" + "a" * 9000}),
    "a number": self_digested(GOOD | {"url": 7}),
    "no time": self_digested(GOOD | {"until": "soon"}),
    "deep": b'{"hash":"' + b"[" * 5000,
    "huge": encode_rule(Rule(PAGE)) + b" " * LONGEST,
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_rule_shows_nothing(name: str, store: MemoryStore, archive: Archive, keep: Keep) -> None:
    keep(an_exchange())
    store.put(object_keys.rule_key("20261126T000000Z-00000000"), FORGED[name])
    archive.refresh()
    with pytest.raises(
        IntegrityError, match=r"nothing is shown until it is mended.*withhold remove 20261126T000000Z-00"
    ):
        list(archive.snapshots("http://example.org/a"))
    with pytest.raises(IntegrityError):
        list(archive.unguarded().snapshots("http://example.org/a"))
    assert ["nothing is shown until" in fault for finding in archive.verify() for fault in finding.faults] == [True]
    archive.notices.remove("20261126T000000Z-00000000")
    assert len(list(archive.snapshots("http://example.org/a"))) == 1


def test_too_many_rules_show_nothing(store: MemoryStore, archive: Archive, keep: Keep) -> None:
    keep(an_exchange())
    for number in range(MOST + 1):
        store.put(f"notices/rules/20261126T000000Z-{number:08x}.json", b"")
    archive.refresh()
    with pytest.raises(IntegrityError, match="more than 10,000"):
        list(archive.snapshots("http://example.org/a"))


def test_no_rule_is_added_that_would_be_one_too_many(store: MemoryStore, archive: Archive) -> None:
    for number in range(MOST - 100):
        store.put(f"notices/rules/20261126T000000Z-{number:08x}.removed.json", b"")
    with pytest.raises(ValueError, match="all the rules and redactions that it can"):
        archive.notices.add(Rule(PAGE))
    store.delete(f"notices/rules/20261126T000000Z-{0:08x}.removed.json")
    name = archive.notices.add(Rule(PAGE))
    archive.notices.remove(name)
    assert archive.notices.rules() == [], "there is room for what ends one"


def test_a_revisit_of_a_withheld_record_is_withheld(archive: Archive, keep: Keep) -> None:
    keep(an_exchange(), an_exchange("http://example.org/b"))
    keep(an_exchange("http://example.org/b", at=NOON + HOUR))
    archive.notices.add(Rule("http://example.org/a"))
    archive.refresh()
    kept = list(archive.snapshots("http://example.org/b"))
    assert [each.withheld is not None for each in kept] == [True, True]
    for each in archive.unguarded().snapshots("http://example.org/b"):
        assert each.title
        for read in (archive.read, archive.payload, archive.payload_record, archive.document, archive.page_body):
            with pytest.raises(Withheld):
                read(each)
    assert all(each.title is None and each.document is None and not each.digest for each in kept)


def test_removing_is_once_and_by_name(archive: Archive) -> None:
    name = archive.notices.add(Rule(PAGE))
    assert [each.name for each in archive.notices.rules()] == [name]
    archive.notices.remove(name, "the order was lifted")
    assert archive.notices.rules() == []
    for unknown in (name, "20261126T000000Z-ffffffff", "../x"):
        with pytest.raises(NoSuchRule):
            archive.notices.remove(unknown)


@pytest.mark.parametrize("kind", ["memory", "s3"])
def test_any_number_write_rules_at_once(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    store: ObjectStore = MemoryStore()
    location = request.getfixturevalue("s3_bucket") if kind == "s3" else ""

    def opened() -> ObjectStore:
        return open_store(location) if location else store

    def write(number: int) -> tuple[str, str]:
        notices = Notices(opened(), Cache(None))
        kept = notices.add(Rule(f"{PAGE}/{number}"))
        ended = notices.add(Rule(f"{PAGE}/{number}/ended"))
        notices.remove(ended)
        return kept, ended

    with ThreadPoolExecutor(8) as pool:
        names = dict(pool.map(write, range(12)))
    found = Notices(opened(), Cache(tmp_path)).rules()
    assert {each.name for each in found} == set(names)
    assert {each.rule.url for each in found} == {f"{PAGE}/{number}" for number in range(12)}


def test_a_copy_has_its_rules_before_it_has_a_run(
    store: MemoryStore, archive: Archive, keep: Keep, tmp_path: Path
) -> None:
    keep(an_exchange())
    name = archive.notices.add(Rule("http://example.org/a"))

    class Watched(MemoryStore):
        def put_file(self, key: str, path: Path) -> None:
            assert self.head(object_keys.rule_key(name)) is not None
            super().put_file(key, path)

    target = Watched()
    list(Replica(store, target, tmp_path).replicate())
    target.put(object_keys.rule_key(name), b"damaged")
    list(Replica(store, target, tmp_path).repair())
    assert target.get(object_keys.rule_key(name)) == store.get(object_keys.rule_key(name))
    archive.notices.remove(name)
    list(Replica(store, target, tmp_path).replicate())
    assert Notices(target, Cache(None)).rules() == [], "what ends a rule is carried too"
    store.put(object_keys.rule_key("20261126T000000Z-00000000"), b"nonsense")
    copies = list(Replica(store, target, tmp_path).replicate())
    assert [len(copied.faults) for copied in copies] == [1]
    with pytest.raises(IntegrityError, match="nothing is shown until it is mended"):
        Notices(target, Cache(None)).policy()  # as in the store that it is a copy of
