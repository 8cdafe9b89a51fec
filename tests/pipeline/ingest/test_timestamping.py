"""Authorities: what they say is kept when it is right; what is wrong with it is one line, and harms nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archive.archive import Archive
from archive.crypto.rfc3161 import query
from archive.crypto.signed_note import Signer
from archive.model import Outcome
from archive.runs.warc_files import RunSettings
from pipeline.ingest.timestamping import EvidenceSettings, sign_after_commit, sign_now
from storage.memory import MemoryStore
from tests.authority import EXPIRED, Authority

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    running = Authority(tmp_path / "authority")
    yield running
    running.close()


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """An archive of one small run."""
    made = Archive(MemoryStore(), spool=tmp_path / "spool")
    made.prepare()
    add_run(made)
    return made


def add_run(archive: Archive) -> None:
    session = archive.session(RunSettings("test/1"))
    session.add_outcome(Outcome("http://example.org/", "ok", "2026-11-23T12:00:00Z"))
    assert session.commit()
    archive.refresh()


@pytest.fixture
def settings(tmp_path: Path, authority: Authority) -> EvidenceSettings:
    Signer.create(tmp_path / "key", "clinic.example")
    return EvidenceSettings(
        tmp_path / "key", tmp_path / "last", sign=True, authorities=(authority.url,), roots=authority.roots
    )


def hanging(authority: Authority) -> None:
    authority.pause = 0.05


def wrong_imprint(authority: Authority) -> None:
    authority.asked = lambda _: authority.query(b"something else", "-no_nonce")


def wrong_nonce(authority: Authority) -> None:
    def other(asked: bytes) -> bytes:
        """A query about the same hash, by another number."""
        ours = query(b"x").der
        here, there = (each.index(b"\x04\x20") + 2 for each in (ours, asked))
        return ours[:here] + asked[there : there + 32] + ours[here + 32 :]

    authority.asked = other


def garbage(authority: Authority) -> None:
    authority.altered = lambda _: b"\x30\x84\xff\xff\xff\xff <html>"


def endless(authority: Authority) -> None:
    authority.altered = lambda answer: answer * 100_000


def refusing(authority: Authority) -> None:
    sha256, sha512 = (bytes.fromhex(f"60864801650304020{number}") for number in (1, 3))
    authority.asked = lambda asked: asked.replace(sha256, sha512)


def denied(authority: Authority) -> None:
    authority.status = 503


def absent(authority: Authority) -> None:
    authority.close()


def elsewhere(authority: Authority) -> None:
    authority.status = 302


LIARS: dict[Callable[[Authority], None], str] = {
    hanging: "did not answer within 1 s",
    wrong_imprint: "the token is about something else",
    wrong_nonce: "the token answers another question",
    garbage: "this is no time-stamp answer",
    endless: "this is no time-stamp answer: it is too long",
    refusing: "the time stamp was refused: Message digest algorithm is not supported",
    denied: "answered 503",
    absent: "refused",
    elsewhere: "redirects",
}


@pytest.mark.parametrize("lie", LIARS, ids=lambda lie: lie.__name__)
def test_a_bad_authority_is_one_line_and_harms_nothing(
    archive: Archive, authority: Authority, settings: EvidenceSettings, lie: Callable[[Authority], None]
) -> None:
    store = archive.unguarded().stores.primary
    lie(authority)
    (line,) = sign_after_commit(archive, replace(settings, timeout=1.0 if lie is hanging else 30.0))
    assert line.startswith("no time stamp of 127.0.0.1: ")
    assert LIARS[lie] in line
    assert "\n" not in line
    assert len(list(store.list("evidence/checkpoints/"))) == 1, "what was signed is kept all the same"
    assert not list(store.list("evidence/tokens/"))


def test_a_certificate_that_has_expired_or_leads_elsewhere_is_not_taken(
    archive: Archive, authority: Authority, settings: EvidenceSettings, tmp_path: Path
) -> None:
    expired = Authority(tmp_path / "expired", valid=EXPIRED)
    both = replace(settings, authorities=(expired.url, authority.url), roots=expired.roots)
    lines = sign_after_commit(archive, both)
    expired.close()
    assert len(lines) == 2
    assert "certificate has expired" in lines[0]
    assert "the token's signature does not hold" in lines[1]


def test_a_clock_that_is_wrong_is_told(
    archive: Archive, settings: EvidenceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    from archive import times

    times.rehearse(timedelta(hours=2))
    try:
        (line,) = sign_after_commit(archive, settings)
    finally:
        times.rehearse(timedelta())
    assert "it says that it is 20" in line
    assert "and the clock here 20" in line


def test_several_authorities_are_asked_once_each(
    archive: Archive, authority: Authority, settings: EvidenceSettings, tmp_path: Path
) -> None:
    second = Authority(tmp_path / "second")
    second.status = 503
    both = replace(settings, authorities=(authority.url, second.url), roots=None)
    signed = sign_now(archive, both)
    assert signed is not None
    assert [token.error is None for token in signed.tokens] == [True, False]
    second.status = 200
    signed = sign_now(archive, both)
    assert signed is not None
    (token,) = signed.tokens
    assert token.stamp is not None
    assert not token.stamp.is_trusted, "no root was named"
    signed = sign_now(archive, both)
    second.close()
    assert signed is not None
    assert signed.tokens == ()
    assert (authority.queries, second.queries) == (1, 2)
    assert not [finding for finding in archive.verify() if finding.faults]


def test_without_a_key_or_with_another_log_nothing_is_signed_and_one_line_says_so(
    archive: Archive, settings: EvidenceSettings
) -> None:
    store = archive.unguarded().stores.primary
    (line,) = sign_after_commit(archive, replace(settings, key=settings.key.with_name("none")))
    assert line.startswith("no checkpoint was signed: there is no signing key at ")
    assert sign_after_commit(archive, replace(settings, sign=False)) == ()
    assert not list(store.list("evidence/"))

    assert sign_after_commit(archive, settings) == []
    for info in list(store.list("evidence/")):
        store.delete(info.key)
    store.put("evidence/log/000000000000", b"20200101T000000Z-00000000 sha256:" + b"0" * 64 + b"\n")
    add_run(archive)
    (line,) = sign_after_commit(archive, settings)
    assert "the checkpoint that this machine signed last is of another log" in line
    assert not list(store.list("evidence/checkpoints/"))


def test_every_altered_byte_of_what_is_stored_is_told(archive: Archive, settings: EvidenceSettings) -> None:
    store = archive.unguarded().stores.primary
    sign_after_commit(archive, settings)
    assert [finding.faults for finding in archive.verify()] == [()]
    stored = list(store.list("evidence/"))
    assert len(stored) == 4
    from archive.verify.evidence_check import audit

    for info in stored:
        whole = store.get(info.key)
        for at in range(0, len(whole), max(len(whole) // 40, 1)):
            store.put(info.key, whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            assert list(audit(store, archive.runs())), f"{info.key} at {at}"
        store.put(info.key, whole)


@pytest.mark.parametrize("urls", [("ftp://x",), ("http://[::",), ("http://a.example/",) * 17])
def test_authorities_that_cannot_be_asked_are_refused(settings: EvidenceSettings, urls: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"address|begins|fewer"):
        replace(settings, authorities=urls)


@pytest.mark.parametrize("table", [{"sign": 7}, {"authorities": [7]}, {"roots": 7}, {"authorities": "ftp://x"}])
def test_settings_of_the_wrong_kind_are_usage_errors(table: dict[str, object], tmp_path: Path) -> None:
    import click

    from pipeline.cli.context import Context

    context = Context(str(tmp_path), as_json=False, verbosity=0, defaults={"evidence": table})
    with pytest.raises(click.UsageError, match="evidence"):
        context.evidence()
    given = Context(str(tmp_path), False, 0, {"evidence": {"sign": "1", "authorities": "http://a/ http://b/"}})
    assert given.evidence().authorities == ("http://a/", "http://b/")
    assert given.evidence().sign is True
