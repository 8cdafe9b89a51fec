"""A bucket with a default retention: it wants a digest with every put and part, and gives nothing up."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.errors import StoreDenied
from storage.s3 import S3Store
from tests.command import Command
from tests.storage.odd_s3 import OddS3, Reply, Request, refusal

pytestmark = pytest.mark.usefixtures("aws")


def locked(request: Request) -> Reply | None:
    if request.method == "DELETE" and "uploadId" not in request.query:
        return refusal(403, "AccessDenied")
    if request.method != "PUT":
        return None
    if "content-encoding" in request.headers or "x-amz-trailer" in request.headers:
        return refusal(411, "MissingContentLength")
    digest = base64.b64encode(hashlib.md5(request.body).digest()).decode()
    return None if request.headers.get("content-md5") == digest else refusal(400, "InvalidRequest")


@pytest.fixture
def odd() -> Iterator[OddS3]:
    with OddS3() as server:
        server.before = locked
        yield server


def test_a_digest_goes_with_every_put_and_part(odd: OddS3, tmp_path: Path) -> None:
    store = S3Store("bucket", "a", endpoint=odd.endpoint, multipart=5 << 20, attempts=1)
    store.put("empty", b"")
    store.put("bytes", b"bytes")
    assert [store.put_if_absent("once", data) for data in (b"1", b"2")] == [True, False]
    for name, size in (("small", 100_000), ("parts", 11 << 20)):
        path = tmp_path / name
        path.write_bytes(bytes(range(250)) * (size // 250))
        store.put_file(name, path)
        assert store.get(name) == path.read_bytes()
    assert len([each for each in odd.requests if "partNumber" in each.query]) == 3
    with pytest.raises(StoreDenied, match=r"Object Lock"):
        store.delete("bytes")


def test_doctor_says_that_nothing_can_be_deleted(odd: OddS3, tmp_path: Path) -> None:
    command = Command.at(f"s3://bucket/a?endpoint={odd.endpoint}&path_style=true", tmp_path / "home")
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    done = Command(command.store, command.env | keys)("--json", "doctor")
    found = {line["check"]: line for line in done.lines}
    assert (done.code, found["store"]["state"], found["store deletes"]["state"]) == (0, "ok", "warning"), done.out
    assert "gc has no use" in found["store deletes"]["detail"]
    assert "AWS_ACCESS_KEY_ID" not in done.out
