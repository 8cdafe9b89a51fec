"""Whatever is sent to the routes that write: no fault of ours, and nothing is written without a token that holds."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from archive.archive import Archive
from archive.times import now
from pipeline.web.app import create_app
from pipeline.web.common.archive_reader import Reading
from pipeline.web.write import guard, job_queue
from pipeline.web.write.job_queue import JobQueue
from pipeline.web.write.rates import Rates
from pipeline.web.write.routes import Writing
from pipeline.web.write.tokens import Tokens
from storage.memory import MemoryStore
from tests.torture.scale import examples

BASE = "http://testserver"
FORM = "application/x-www-form-urlencoded"


@dataclass
class Written:
    """The application with its queue, without a worker."""

    client: TestClient
    folder: Path
    token: str

    @property
    def jobs(self) -> list[tuple[str, str, str]]:
        if not (self.folder / "queue.db").exists():
            return []
        with sqlite3.connect(self.folder / "queue.db") as database:
            return database.execute("SELECT kind, what, person FROM jobs ORDER BY number").fetchall()

    @property
    def files(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file() and path.parent != self.folder]

    def post(self, path: str, token: str | None = None, **more: Any) -> Any:
        headers = more.pop("headers", {}) | ({"Authorization": f"Bearer {token}"} if token is not None else {})
        return self.client.post(path, headers=headers, follow_redirects=False, **more)


def _written(folder: Path, largest: int = 10_000) -> Written:
    archive = Archive(MemoryStore(), spool=folder / "spool")
    archive.prepare()
    tokens = Tokens(folder / "tokens.jsonl")
    token, _ = tokens.add("ida", None)
    queue = JobQueue(folder / "queue")
    app = create_app(Reading(archive), 8081, writing=Writing(tokens, queue, lambda: None, None, largest))
    return Written(TestClient(app, raise_server_exceptions=True), folder / "queue", token)


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return _written(tmp_path)


@pytest.fixture(scope="module", autouse=True)
def patient() -> Iterator[None]:
    """Let requests come as fast as tests send them, but for the tests that are about that."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guard, "_ASKED_AT_ONCE", 1_000_000)
        patch.setattr(job_queue, "MOST_WAITING", 1_000_000)
        yield


def test_without_write_there_is_no_route_that_writes(tmp_path: Path) -> None:
    archive = Archive(MemoryStore(), spool=tmp_path / "spool")
    archive.prepare()
    client = TestClient(create_app(Reading(archive), 8081))
    for path in ("/capture", "/import", "/save", "/saved/" + "0" * 32):
        assert (client.post(path).status_code, client.get(path).status_code, client.put(path).status_code) == (404,) * 3
    app = create_app(Reading(archive), 8081)
    posts = {route.path for route in app.routes if (getattr(route, "methods", None) or set()) - {"GET", "HEAD"}}  # type: ignore[attr-defined]  # each is a Route
    assert posts == {"/cdx", "/cdx/search/cdx", "/index"}, "these take long questions, and write nothing"
    assert "POST" not in client.get("/help").text
    assert "/save" not in client.get("/").text


def test_a_token_in_a_header_or_a_form_writes(written: Written) -> None:
    assert written.post("/capture", written.token, json={"url": "gazette.example/court"}).status_code == 202
    done = written.post("/capture", data={"url": "http://quay.example/", "token": written.token})
    assert (done.status_code, done.json()["state"]) == (202, "queued")
    assert written.post("/import?name=a.warc", written.token, content=b"WARC/1.1").status_code == 202
    assert written.jobs == [
        ("capture", "https://gazette.example/court", "ida"),
        ("capture", "http://quay.example/", "ida"),
        ("import", "a.warc", "ida"),
    ]
    job = written.client.get(done.headers["location"])
    assert (job.status_code, job.json()["ahead"]) == (200, 1)
    assert "ida" not in job.text


def test_no_token_a_wrong_one_an_ended_one_write_nothing(written: Written) -> None:
    tokens = Tokens(written.folder.with_name("tokens.jsonl"))
    over, _ = tokens.add("over", now() - timedelta(seconds=1))
    revoked, token = tokens.add("gone", None)
    tokens.revoke(token.id)
    for wrong in (None, "", "onr_", over, revoked, written.token[:-1], f"{written.token} x"):
        sent = [
            written.post("/capture", wrong, json={"url": "http://quay.example/"}),
            written.post("/import?name=a.warc", wrong, content=b"WARC/1.1"),
            written.post("/capture", data={"url": "http://quay.example/"} | ({"token": wrong} if wrong else {})),
        ]
        assert {each.status_code for each in sent} <= {401, 429}, wrong
    in_other_places = [
        written.client.post(f"/capture?token={written.token}", json={"url": "http://quay.example/"}),
        written.client.post(
            "/capture", json={"url": "http://quay.example/", "token": written.token},
        ),
        written.client.post("/import", content=b"WARC/1.1", headers={"Cookie": f"token={written.token}"}),
        written.client.post("/import", content=f"token={written.token}", headers={"Content-Type": FORM}),
        written.client.post("/capture", content=b"url=x", headers={"Authorization": f"Basic {written.token}"}),
    ]  # fmt: skip
    assert {each.status_code for each in in_other_places} == {401}
    assert (written.jobs, written.files) == ([], [])


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"{BASE}.evil.example"},
        {"Origin": f"{BASE}:8081"},  # captured pages are shown there
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": BASE},
    ],
)
def test_a_page_of_another_origin_writes_nothing(written: Written, headers: dict[str, str]) -> None:
    for sent in (
        written.post("/capture", data={"url": "http://quay.example/", "token": written.token}, headers=headers),
        written.post("/capture", written.token, json={"url": "http://quay.example/"}, headers=headers),
        written.post("/import", written.token, content=b"WARC/1.1", headers=headers),
    ):
        assert sent.status_code == 403
    assert written.jobs == []
    own = {"Origin": BASE, "Sec-Fetch-Site": "same-origin"}
    assert written.post("/capture", written.token, json={"url": "http://quay.example/"}, headers=own).status_code == 202


@pytest.mark.parametrize("scheme", ["chrome", "moz", "safari-web"])
def test_an_extension_of_a_browser_writes_with_a_token_in_a_header(written: Written, scheme: str) -> None:
    headers = {"Origin": f"{scheme}-extension://0123", "Sec-Fetch-Site": "cross-site"}
    assert written.post("/import?name=a.warc", written.token, content=b"WARC/1.1", headers=headers).status_code == 202
    form = {"url": "http://quay.example/", "token": written.token}
    assert written.post("/capture", data=form, headers=headers).status_code == 403
    assert written.post("/capture", "onr_wrong", json=form, headers=headers).status_code == 401
    assert len(written.jobs) == 1


def test_bodies_are_bounded(written: Written) -> None:
    long = {"url": "http://quay.example/" + "x" * 70_000}
    assert written.post("/capture", written.token, json=long).status_code == 413
    assert written.post("/import", written.token, content=b"x" * 10_001).status_code == 413
    pieces = (b"x" * 1_000 for _ in range(11))  # without a Content-Length
    assert written.post("/import", written.token, content=pieces).status_code == 413
    for body in (b"", b"--b\r\n", b"--b\r\nContent-Disposition: form-data; filename=a\r\n\r\nhalf", b"\x00--b--"):
        kind = {"Content-Type": "multipart/form-data; boundary=b"}
        assert written.post("/import", written.token, content=body, headers=kind).status_code == 400, body
    assert (written.jobs, written.files) == ([], [])


@pytest.mark.parametrize(
    "url",
    ["", " ", "javascript:alert(1)", "file:///etc/passwd", "http://ida:secret@quay.example/", "http://a b/", "\ud800"],
)
def test_what_is_no_address_is_refused_at_once(written: Written, url: str) -> None:
    sent = written.post(
        "/capture", written.token, content=json.dumps({"url": url}), headers={"Content-Type": "application/json"}
    )
    assert (sent.status_code, len(sent.text.splitlines())) == (400, 1)
    assert written.jobs == []


def test_who_asks_too_often_waits_and_wrong_tokens_wait_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_ASKED_AT_ONCE", 3)
    written = _written(tmp_path)
    wrong = [written.post("/capture", "onr_wrong", json={"url": "x.example"}).status_code for _ in range(20)]
    assert wrong[:10] == [401] * 10
    assert 429 in wrong
    right = [written.post("/capture", written.token, json={"url": "x.example"}) for _ in range(5)]
    assert [each.status_code for each in right[:3]] == [202] * 3, "wrong tokens from its address are not its fault"
    assert right[4].status_code == 429
    assert int(right[4].headers["retry-after"]) > 0


def test_permits_come_back_with_time() -> None:
    at = 0.0
    rates = Rates(2, 60, lambda: at)
    assert [rates.wait("a"), rates.wait("a"), rates.wait("b")] == [0, 0, 0]
    assert rates.wait("a") == pytest.approx(1)
    at = 1.5
    assert [rates.wait("a") > 0, rates.wait("a") > 0] == [False, True]


_TEXT = st.text(max_size=60) | st.sampled_from(["http://quay.example/a", "quay.example", "onr_x", "\udc80", "a\r\nb"])
_HEADERS = st.dictionaries(
    st.sampled_from(["Content-Type", "Authorization", "Origin", "Sec-Fetch-Site", "Accept", "Content-Length", "X-Other"]),
    st.sampled_from(
        [FORM, "application/json", "multipart/form-data", "multipart/form-data; boundary=b", "multipart/form-data; boundary=",
         "text/html", "Bearer", "Bearer onr_wrong", "bearer  ", "null", BASE, "same-origin", "*/*", "7", "-1", "\xff"]
    ) | st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=40),
    max_size=5,
)  # fmt: skip
_PART = st.sampled_from(
    [b"--b", b"\r\n", b"--b--\r\n", b"Content-Disposition: form-data; name=file; filename=a.warc", b"\r\n\r\n", b":", b"url=", b"&",
     b'{"url": ', b'"x"', b"[" * 5000, b"token=", b"%ff", b"x" * 9000]
) | st.binary(max_size=30)  # fmt: skip
_BODIES = st.lists(_PART, max_size=8).map(b"".join)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    logging.getLogger("onrecord.save").setLevel(logging.ERROR)
    yield _written(tmp_path_factory.mktemp("written"))
    logging.getLogger("onrecord.save").setLevel(logging.NOTSET)


@settings(max_examples=examples(50), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(["/capture", "/import", "/import?name=%2e%2e%2f%00", "/save", "/saved/x", "/capture/x"]),
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]),
    query=_TEXT, headers=_HEADERS, body=_BODIES, known=st.booleans(),
)  # fmt: skip
def test_no_request_is_a_fault_of_ours_and_none_without_a_token_writes(
    shared: Written, path: str, method: str, query: str, headers: dict[str, str], body: bytes, known: bool
) -> None:
    before = (shared.jobs, shared.files)
    quoted = urlencode({"url": query, "name": query}, errors="replace")
    sent = {name: value.encode("latin-1") for name, value in headers.items()}
    if known:
        sent["Authorization"] = f"Bearer {shared.token}".encode()
    address = f"{path}{'&' if '?' in path else '?'}{quoted}"
    answer = shared.client.request(method, address, content=body, headers=sent, follow_redirects=False)  # type: ignore[arg-type]  # values may be bytes
    assert answer.status_code < 500, answer.text
    if not known:
        assert answer.status_code not in {202, 303}
        assert (shared.jobs, shared.files) == before


@settings(max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fields=st.dictionaries(st.sampled_from(["url", "token", "name", "x"]), _TEXT, max_size=4), as_json=st.booleans())
def test_no_field_is_a_fault_of_ours(shared: Written, fields: dict[str, str], as_json: bool) -> None:
    before = shared.jobs
    data = json.dumps(fields) if as_json else urlencode(fields, errors="replace")
    kind = {"Content-Type": "application/json" if as_json else FORM}
    answer = shared.client.post("/capture", content=data, headers=kind)
    assert answer.status_code in {400, 401, 429}
    assert shared.jobs == before
    answer = shared.post("/capture", shared.token, content=data, headers=kind)
    assert answer.status_code in {202, 400}
