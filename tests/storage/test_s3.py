"""What servers, networks and credentials do wrong, on a loopback server that does it for real."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from storage.base import CHUNK_SIZE, ObjectStore
from storage.errors import ObjectMissing, StoreDenied, StoreError, StoreMissing, StoreUnavailable
from storage.location import open_store
from storage.s3 import S3Store
from storage.s3_errors import CODES
from tests.servers import S3Server
from tests.storage.odd_s3 import OddS3, Reply, Request, etag, refusal

pytestmark = pytest.mark.usefixtures("aws")

SECRETS = ("AKIAFORTESTSONLY", "secret-for-tests-only", "token-for-tests-only")
BODY = bytes(range(256)) * 20_000  # about five chunks


@pytest.fixture
def odd() -> Iterator[OddS3]:
    with OddS3() as server:
        yield server


def store_on(odd: OddS3, **settings: int | float) -> S3Store:
    return S3Store("bucket", "pre/fix", endpoint=odd.endpoint, **({"attempts": 1, "timeout": 30} | settings))  # type: ignore[arg-type]


def every_call(store: ObjectStore, path: Path) -> list[Callable[[], object]]:
    path.write_bytes(b"x")
    return [
        lambda: store.put("a", b"x"),
        lambda: store.put_if_absent("a", b"x"),
        lambda: store.put_file("a", path),
        lambda: store.get("a"),
        lambda: store.get_range("a", 0, 1),
        lambda: list(store.stream("a")),
        lambda: list(store.list()),
        lambda: store.head("a"),
        lambda: store.delete("a"),
    ]


# -- the border


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_in_the_table_has_its_meaning_and_advice(odd: OddS3, code: str) -> None:
    odd.before = lambda request: refusal(400, code)
    kind, advice = CODES[code]
    with pytest.raises(StoreError) as caught:
        store_on(odd).get("a")
    assert type(caught.value) is kind
    assert str(caught.value) == f"s3://bucket/pre/fix?endpoint={odd.endpoint}: {code}: {advice}"


@pytest.mark.parametrize(
    ("status", "code", "kind", "says"),
    [
        (404, "NoSuchBucket", StoreMissing, "create the bucket"),
        (403, "AccessDenied", StoreDenied, "set AWS_ACCESS_KEY_ID"),
        (403, "RequestTimeTooSkewed", StoreUnavailable, "set this machine's clock"),
        (403, "Odd", StoreDenied, "set AWS_ACCESS_KEY_ID"),
        (401, "Odd", StoreDenied, "set AWS_ACCESS_KEY_ID"),
        (500, "InternalError", StoreUnavailable, "the server failed: run again later"),
        (503, "SlowDown", StoreUnavailable, "run again later"),
        (502, "odd &amp; long", StoreUnavailable, "502: the server failed"),
        (429, "Odd", StoreUnavailable, "the server asks to wait: run again later"),
        (507, "Odd", StoreUnavailable, "run again later"),
        (418, "Teapot", StoreError, "refuses the request with 418 Teapot"),
        (400, "Odd", StoreError, "does not take this request"),
        (404, "NoSuchKey", ObjectMissing, "no object a"),
        (404, "Odd", ObjectMissing, "no object a"),
    ],
)
def test_what_answers_mean(odd: OddS3, status: int, code: str, kind: type[StoreError], says: str) -> None:
    odd.before = lambda request: refusal(status, code)
    with pytest.raises(kind) as caught:
        store_on(odd).get("a")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("status", "kind"), [(403, StoreDenied), (503, StoreUnavailable), (404, StoreMissing)])
def test_answers_without_a_body_to_head(odd: OddS3, status: int, kind: type[StoreError]) -> None:
    odd.before = lambda request: Reply(status)
    with pytest.raises(kind):
        store_on(odd).head("a")


def test_a_missing_object_is_told_from_a_missing_bucket_once(odd: OddS3) -> None:
    store = store_on(odd)
    assert store.head("a") is None
    assert store.head("b") is None
    assert [(request.method, request.key) for request in odd.requests] == [
        *(("HEAD", "pre/fix/a"), ("HEAD", ""), ("HEAD", "pre/fix/b"))
    ]


def test_credentials_for_objects_only_will_do(odd: OddS3) -> None:
    odd.before = lambda request: None if request.key else Reply(403)
    store = store_on(odd)
    assert store.head("a") is None
    assert store.put_if_absent("a", b"x") is True


def test_a_busy_server_is_asked_again(odd: OddS3) -> None:
    odd.before = lambda request: refusal(503, "SlowDown") if len(odd.requests) < 3 else None
    store_on(odd, attempts=3).put("a", b"x")
    assert odd.objects["pre/fix/a"][0] == b"x"
    assert len(odd.requests) == 3


def test_nobody_there(tmp_path: Path) -> None:
    with OddS3() as odd:
        store = store_on(odd)
    for call in every_call(store, tmp_path / "file"):
        with pytest.raises(StoreUnavailable, match=r"does not answer .*: check the endpoint and the network"):
            call()


def test_a_server_that_never_answers(odd: OddS3, tmp_path: Path) -> None:
    def wait(request: Request) -> Reply:
        odd.released.wait(60)
        return Reply(500)

    odd.before = wait
    for call in every_call(store_on(odd, timeout=0.2), tmp_path / "file"):
        with pytest.raises(StoreUnavailable, match="does not answer"):
            call()


def test_a_server_that_hangs_up(odd: OddS3, tmp_path: Path) -> None:
    odd.before = lambda request: Reply(0, silent=True)
    for call in every_call(store_on(odd), tmp_path / "file"):
        with pytest.raises(StoreUnavailable, match="does not answer"):
            call()


def test_a_server_that_is_no_s3(odd: OddS3) -> None:
    odd.before = lambda request: Reply(200, b"<html><body>Welcome to nginx<br></html>", {"Content-Type": "text/html"})
    store = store_on(odd)
    for call in (lambda: store.get("a"), lambda: store.get_range("a", 0, 1)):
        with pytest.raises(StoreUnavailable, match="check the endpoint"):
            call()
    with pytest.raises(StoreUnavailable):
        list(store.list())


def test_a_listing_that_breaks_off(odd: OddS3) -> None:
    odd.before = lambda request: Reply(200, b"<ListBucketResult></ListBucketResult>", cut=10)
    with pytest.raises(StoreUnavailable):
        list(store_on(odd).list())


# -- bodies


@pytest.mark.parametrize("cut", [0, 1, CHUNK_SIZE, CHUNK_SIZE + 7])
def test_a_body_that_breaks_off_is_read_on_from_there(odd: OddS3, cut: int) -> None:
    odd.objects["pre/fix/a"] = (BODY, {})
    odd.after = lambda request, reply: Reply(
        reply.status, reply.body, reply.headers, cut if len(odd.requests) < 3 else None
    )
    store = store_on(odd, attempts=3)
    assert store.get("a") == BODY
    assert [request.headers.get("if-match") for request in odd.requests] == [None, etag(BODY), etag(BODY)]
    odd.requests.clear()
    assert store.get_range("a", 5, len(BODY) - 7) == BODY[5:-2]
    odd.requests.clear()
    assert b"".join(store.stream("a")) == BODY


def test_a_body_that_always_breaks_off_is_never_short_bytes(odd: OddS3) -> None:
    odd.objects["pre/fix/a"] = (BODY, {})
    odd.after = lambda request, reply: Reply(reply.status, reply.body, reply.headers, cut=7)
    store = store_on(odd, attempts=3)
    for call in (lambda: store.get("a"), lambda: store.get_range("a", 3, 50), lambda: list(store.stream("a"))):
        odd.requests.clear()
        with pytest.raises(StoreUnavailable, match="a broke off 3 times"):
            call()
        assert len(odd.requests) == 3


def test_an_object_replaced_while_it_is_read_is_never_a_mixture(odd: OddS3) -> None:
    odd.objects["pre/fix/a"] = (BODY, {})

    def replaced(request: Request, reply: Reply) -> Reply:
        odd.objects["pre/fix/a"] = (BODY[::-1], {})
        return Reply(reply.status, reply.body, reply.headers, cut=1000) if reply.status == 200 else reply

    odd.after = replaced
    with pytest.raises(StoreUnavailable, match="was replaced while it was read"):
        store_on(odd, attempts=3).get("a")


def test_answers_to_another_question_are_refused(odd: OddS3) -> None:
    odd.objects["pre/fix/a"] = (b"0123456789", {})
    store = store_on(odd)
    odd.after = lambda request, reply: Reply(200, b"0123456789", {"ETag": '"x"'})
    with pytest.raises(StoreUnavailable, match="does not answer ranged reads"):
        store.get_range("a", 2, 3)
    odd.after = lambda request, reply: Reply(206, b"345", {"ETag": '"x"', "Content-Range": "bytes 3-5/10"})
    with pytest.raises(StoreUnavailable, match="does not answer ranged reads"):
        store.get_range("a", 2, 3)
    odd.after = lambda request, reply: Reply(200, b"01234", {"ETag": '"x"'}, lengthless=True)
    with pytest.raises(StoreUnavailable, match="check the endpoint"):
        store.get("a")


# -- conditional puts


def test_a_server_with_conditional_puts_is_found_out_on_the_way(odd: OddS3, caplog: pytest.LogCaptureFixture) -> None:
    store = store_on(odd)
    assert store.conditional_puts is None
    assert store.put_if_absent("a", b"one") is True
    assert store.conditional_puts is True
    assert odd.objects["pre/fix/a"][0] == b"one"
    odd.requests.clear()
    assert store.put_if_absent("a", b"two") is False
    assert store.put_if_absent("b", b"two") is True
    assert [request.method for request in odd.requests] == ["PUT", "PUT"]  # and from then on it costs nothing
    assert list(odd.objects) == ["pre/fix/a", "pre/fix/b"]
    assert caplog.text == ""


def ignores(request: Request) -> Reply | None:
    return None


def answers(status: int, code: str) -> Callable[[Request], Reply | None]:
    return lambda request: refusal(status, code) if "if-none-match" in request.headers else None


@pytest.mark.parametrize(
    "before",
    [ignores, answers(501, "NotImplemented"), answers(400, "InvalidArgument"), answers(400, "Odd")],
    ids=["ignores", "501", "400", "400-odd"],
)
def test_a_server_without_conditional_puts_is_named_once(
    odd: OddS3, caplog: pytest.LogCaptureFixture, before: Callable[[Request], Reply | None]
) -> None:
    odd.conditions = False
    odd.before = before
    odd.objects["pre/fix/there"] = (b"before", {})
    store = store_on(odd)
    assert store.put_if_absent("there", b"one") is False  # even while nothing is known of the server
    assert store.put_if_absent("a", b"one") is True
    assert store.conditional_puts is False
    assert store.put_if_absent("a", b"two") is False
    assert store.put_if_absent("b", b"two") is True
    assert {key: data for key, (data, _) in odd.objects.items()} == {
        "pre/fix/there": b"before",
        "pre/fix/a": b"one",
        "pre/fix/b": b"two",
    }
    warnings = [record for record in caplog.records if record.name == "onrecord.storage"]
    assert [record.getMessage() for record in warnings] == [
        f"{store.url} does not honour conditional puts: let only one machine write to it at a time"
    ]
    assert "if-none-match" not in odd.requests[-1].headers


def test_a_400_that_is_not_about_the_condition_is_an_error(odd: OddS3) -> None:
    odd.before = lambda request: refusal(400, "Odd") if request.method == "PUT" else None
    store = store_on(odd)
    with pytest.raises(StoreError, match="does not take this request"):
        store.put_if_absent("a", b"x")
    assert store.conditional_puts is None


def test_the_trial_may_fail_without_harm(odd: OddS3) -> None:
    def only_once(request: Request) -> Reply | None:
        tries = [seen for seen in odd.requests if "if-none-match" in seen.headers]
        return refusal(503, "SlowDown") if "if-none-match" in request.headers and len(tries) == 2 else None

    odd.before = only_once
    store = store_on(odd)
    assert store.put_if_absent("a", b"x") is True
    assert store.conditional_puts is None
    assert store.put_if_absent("b", b"x") is True
    assert store.conditional_puts is True


def test_a_put_whose_answer_was_lost_is_still_ours(odd: OddS3) -> None:
    def lost(request: Request, reply: Reply) -> Reply:
        first = len([seen for seen in odd.requests if seen.key == request.key and seen.method == "PUT"]) == 1
        return Reply(0, silent=True) if first and request.method == "PUT" else reply

    odd.after = lost
    store = store_on(odd, attempts=3)
    assert store.put_if_absent("a", b"x") is True
    assert store.conditional_puts is True
    assert store.put_if_absent("b", b"x") is True
    assert store.put_if_absent("b", b"x") is False


def test_a_put_that_failed_before_another_writer_came_is_not_ours(odd: OddS3) -> None:
    def other_first(request: Request) -> Reply | None:
        if request.method == "PUT" and "pre/fix/a" not in odd.objects:
            odd.objects["pre/fix/a"] = (b"of another", {})
            return refusal(503, "SlowDown")
        return None

    odd.before = other_first
    assert store_on(odd, attempts=3).put_if_absent("a", b"ours") is False
    assert odd.objects["pre/fix/a"][0] == b"of another"


def test_conflicts_are_tried_again(odd: OddS3) -> None:
    odd.before = lambda request: (
        refusal(409, "ConditionalRequestConflict") if request.method == "PUT" and len(odd.requests) < 4 else None
    )
    assert store_on(odd).put_if_absent("a", b"x") is True
    odd.before = lambda request: refusal(409, "ConditionalRequestConflict") if request.method == "PUT" else None
    with pytest.raises(StoreUnavailable, match="others keep writing b"):
        store_on(odd).put_if_absent("b", b"x")


# -- large files


def test_large_files_go_in_parts_that_compatible_servers_take(odd: OddS3, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(BODY * 3)
    store = store_on(odd, multipart=5 << 20)
    store.put_file("a", path)
    store.put("b", b"x")
    store.put_if_absent("c", b"x")
    assert odd.objects["pre/fix/a"][0] == BODY * 3
    assert max(len(request.body) for request in odd.requests) == 5 << 20
    sent = {name for request in odd.requests for name in request.headers}
    assert not {name for name in sent if "checksum" in name or "trailer" in name}
    assert not [request for request in odd.requests if "aws-chunked" in request.headers.get("content-encoding", "")]


def test_the_parts_of_a_failed_upload_are_removed(odd: OddS3, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(BODY * 3)
    odd.before = lambda request: refusal(403, "AccessDenied") if request.query.get("partNumber") == ["2"] else None
    with pytest.raises(StoreDenied, match="AccessDenied"):
        store_on(odd, multipart=5 << 20).put_file("a", path)
    assert odd.objects == {}
    assert [request.query for request in odd.requests if request.method == "DELETE"] == [{"uploadId": ["one"]}]


def test_a_file_that_cannot_be_read(odd: OddS3, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"cannot read .*: No such file"):
        store_on(odd).put_file("a", tmp_path / "absent")
    with pytest.raises(StoreUnavailable, match=r"cannot read .*: Is a directory"):
        store_on(odd).put_file("a", tmp_path)
    assert odd.requests == []


# -- credentials and configuration


def test_credentials_are_in_no_repr_log_or_error(odd: OddS3, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    store = store_on(odd)
    shown = [repr(store), store.url, str(vars(store))]
    store.put("a", b"x")
    assert any(SECRETS[0] in request.headers["authorization"] for request in odd.requests)
    assert any(SECRETS[2] == request.headers["x-amz-security-token"] for request in odd.requests)

    def echo(request: Request) -> Reply:
        told = f"{request.headers['authorization']} {request.headers['x-amz-security-token']}"
        return refusal(status, code or told, told)

    odd.before = echo
    for answer in [(403, "SignatureDoesNotMatch"), (400, "Odd"), (503, ""), (418, ""), (403, "")]:
        status, code = answer
        for call in every_call(store, tmp_path / "file"):
            with pytest.raises(StoreError) as caught:
                call()
            shown += [str(caught.value), repr(caught.value), "".join(traceback.format_exception(caught.value))]
    for secret in SECRETS:
        assert not [text for text in [*shown, caplog.text] if secret in text]


@pytest.mark.parametrize("absent", [["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], ["AWS_SECRET_ACCESS_KEY"]])
def test_no_credentials_or_half_of_them(
    odd: OddS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, absent: list[str]
) -> None:
    for name in absent:
        monkeypatch.delenv(name)
    for number in range(9):
        with pytest.raises(StoreDenied, match=r"no usable credentials .*: set AWS_ACCESS_KEY_ID"):
            every_call(store_on(odd), tmp_path / "file")[number]()
    assert odd.requests == []


def test_a_profile_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(StoreDenied, match="ProfileNotFound"):
        open_store("s3://bucket")


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "file"])
def test_the_endpoint_of_the_environment(odd: OddS3, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    endpoint = odd.endpoint.replace("127.0.0.1", "localhost")  # only before a name could the bucket be put
    if variable == "file":
        folder = Path.home() / ".aws"
        folder.mkdir()
        (folder / "config").write_text(f"[default]\nendpoint_url = {endpoint}\n")
    else:
        monkeypatch.setenv(variable, endpoint)
    store = open_store("s3://bucket/pre/fix")
    store.put("a", b"x")
    assert odd.objects["pre/fix/a"][0] == b"x"  # by path: the bucket is not part of the host's name
    assert store.url == "s3://bucket/pre/fix"


def test_the_bucket_is_in_the_hosts_name_only_where_somebody_asks_for_it(odd: OddS3) -> None:
    endpoint = odd.endpoint.replace("127.0.0.1", "localhost")
    for path_style in (None, True, False):
        with suppress(StoreUnavailable):  # few machines know bucket.localhost
            S3Store("bucket", endpoint=endpoint, path_style=path_style, attempts=1).put(f"key-{path_style}", b"x")
    assert set(odd.objects) - {""} == {"key-None", "key-True"}


def test_the_region_is_east_unless_somebody_says_otherwise(odd: OddS3, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(f"s3://bucket?endpoint={odd.endpoint}").put("a", b"x")
    open_store(f"s3://bucket?endpoint={odd.endpoint}&region=eu-north-1").put("a", b"x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-south-1")
    open_store(f"s3://bucket?endpoint={odd.endpoint}").put("a", b"x")
    regions = [request.headers["authorization"].split("/")[2] for request in odd.requests]
    assert regions == ["us-east-1", "eu-north-1", "ap-south-1"]


# -- the real server


def test_a_bucket_that_is_not_there(s3_server: S3Server, s3_bucket: str, tmp_path: Path) -> None:
    store = open_store(f"s3://no-such-bucket?endpoint={s3_server.endpoint}")
    for call in every_call(store, tmp_path / "file"):
        with pytest.raises(StoreMissing, match="create the bucket, or check its name"):
            call()


def test_the_wrong_secret(s3_bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    for call in every_call(open_store(s3_bucket), tmp_path / "file"):
        with pytest.raises(StoreDenied, match="set AWS_ACCESS_KEY_ID"):
            call()


def test_objects_of_others_are_not_seen(s3_bucket: str, s3_server: S3Server) -> None:
    bucket = s3_bucket.removeprefix("s3://").partition("?")[0]
    for key in ("pre/fix/odd name", "pre/fix/folder/", "pre/fixed", "pre/fix/ours"):
        s3_server.client.put_object(Bucket=bucket, Key=key, Body=b"x")
    store = S3Store(bucket, "pre/fix", endpoint=s3_server.endpoint)
    assert [info.key for info in store.list()] == ["ours"]
