"""Credentials in what is written: masked in their place where the run says so, and not a byte besides."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from archive.archive import Archive
from archive.model import Block, Exchange
from archive.runs.warc_files import RunSettings
from archive.warc.credential_masking import masked
from archive.warc.payload_digest import measure
from storage.memory import MemoryStore
from tests.exchanges import an_exchange

SECRETS = (b"s3cr3t", b"dGhlIHBhc3N3b3Jk", b"tok3n", b"n3w")
REQUEST = (
    b"GET /a HTTP/1.1\r\nHost: example.org\r\nAuthorization: Basic dGhlIHBhc3N3b3Jk\r\n"
    b"cookie:sid=s3cr3t; theme=tok3n;bare\r\nProxy-Authorization: tok3n\r\nX-Other: kept\r\n\r\nbody with s3cr3t"
)
HEAD = b"Content-Type: text/html\r\nSet-Cookie: sid=n3w; Path=/; HttpOnly\r\nset-cookie: b=n3w\r\n"


def exchange(request: bytes = REQUEST, **more: object) -> Exchange:
    return replace(an_exchange(body=b"<p>n3w and s3cr3t</p>", head=HEAD), request=request, **more)  # type: ignore[arg-type]


def head_of(found: Exchange) -> bytes:
    with found.response.open() as stream:
        return stream.read(found.head_length)


def test_values_are_masked_in_their_place() -> None:
    found = masked(exchange())
    assert found.request == (
        b"GET /a HTTP/1.1\r\nHost: example.org\r\nAuthorization: Basic ****************\r\n"
        b"cookie:sid=******; theme=*****;****\r\nProxy-Authorization: *****\r\nX-Other: kept\r\n\r\nbody with s3cr3t"
    )
    assert b"Set-Cookie: sid=***; Path=/; HttpOnly\r\nset-cookie: b=***\r\n" in head_of(found)
    assert found.header("Set-Cookie") == "sid=***; Path=/; HttpOnly"
    assert measure(found).payload == measure(exchange()).payload
    assert measure(found).block != measure(exchange()).block
    assert [note for note in found.notes if note.startswith("masked: ")] == [
        "masked: Authorization in the request", "masked: Proxy-Authorization in the request",
        "masked: cookie in the request", "masked: Set-Cookie in the response",
    ]  # fmt: skip
    assert masked(found).request == found.request


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (b"Cookie: a=s3cr3t\r\n s3cr3t; b=1", b"Cookie: a=******\r\n ******* ***"),
        (b"Cookie: =s3cr3t", b"Cookie: =******"),
        (b"Cookie: a=b=c", b"Cookie: a=***"),
        (b'Authorization: Digest username="ida", response="s3cr3t"', b"Authorization: Digest " + b"*" * 33),
        (b"Authorization:\tBearer  tok3n", b"Authorization:\tBearer  *****"),
        (b"Cookie: ", b"Cookie: "),
        (b"X-Cookie: a=1", b"X-Cookie: a=1"),
    ],
)
def test_odd_forms(line: bytes, kept: bytes) -> None:
    found = masked(exchange(b"GET / HTTP/1.1\r\n" + line + b"\r\n\r\n"))
    assert found.request == b"GET / HTTP/1.1\r\n" + kept + b"\r\n\r\n"


def test_an_answer_to_nobody_in_particular_is_left_as_it_came() -> None:
    whole = exchange(b"GET /a HTTP/1.1\r\nHost: example.org\r\n\r\n")
    assert masked(whole) is whole


def test_a_cookie_of_a_redirect_is_masked_because_it_goes_back() -> None:
    asked = b"GET /a HTTP/1.1\r\nHost: example.org\r\n\r\n"
    found = masked(exchange(asked, status=302))
    assert (found.request, found.header("Set-Cookie")) == (asked, "sid=***; Path=/; HttpOnly")
    unchanged = exchange(asked, status=304)
    assert masked(unchanged) is unchanged


def test_a_body_in_a_file_keeps_every_byte(tmp_path: Path) -> None:
    whole = exchange()
    assert whole.response.data is not None
    path = tmp_path / "body"
    path.write_bytes(whole.response.data)
    found = masked(exchange(response=Block(whole.response.size, path=path)))
    assert path.read_bytes() == masked(whole).response.data
    assert measure(found) == measure(masked(whole))


@pytest.mark.parametrize("mask", [True, False])
def test_what_a_run_writes(mask: bool, tmp_path: Path) -> None:
    store = MemoryStore()
    archive = Archive(store, spool=tmp_path)
    archive.prepare()
    options: dict[str, object] = {"credentials": "mask" if mask else "record"}
    for number in range(2):
        session = archive.session(RunSettings("test/1", options=options, mask=mask))
        whole = exchange(url="http://example.org/a")
        snapshot = session.add(replace(whole, digests=measure(whole)), page=True)
        assert snapshot.revisit is bool(number), "a masked head changes no payload"
        manifest = session.commit()
        assert manifest is not None
        warc = gzip.decompress(store.get(f"runs/{manifest.run}/archive/00000.warc.gz"))
        assert f'onrecord-credentials: "{"mask" if mask else "record"}"'.encode() in warc
        assert f'"credentials": "{"mask" if mask else "record"}"'.encode() in store.get(
            f"runs/{manifest.run}/datapackage.json"
        )
        heads = warc.replace(b"body with s3cr3t", b"").replace(b"<p>n3w and s3cr3t</p>", b"")
        assert [secret in heads for secret in SECRETS] == [not mask] * 4
        assert (b"masked: cookie in the request" in warc) is mask
        archive.refresh()
    assert not [fault for finding in archive.verify() for fault in finding.faults]
    assert archive.closest("http://example.org/a").url == "http://example.org/a"
