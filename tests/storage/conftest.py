"""The stores of the contract, each empty, and what the tests of this room share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from moto import mock_aws

from archive.copies.failover import FailoverStore
from storage.base import ObjectStore
from storage.local import LocalStore
from storage.location import open_store, open_stores
from storage.memory import MemoryStore
from storage.s3 import S3Store

MULTIPART = 5 << 20  # the smallest part that S3 takes
KINDS = ["memory", "local", pytest.param("moto", marks=pytest.mark.full), "seaweedfs", "replicas"]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that open nothing, and nothing of this user's configuration."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFORTESTSONLY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-for-tests-only")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token-for-tests-only")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def moto_store() -> Iterator[S3Store]:
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="moto-bucket")
        yield S3Store("moto-bucket", multipart=MULTIPART)


def seaweedfs_store(location: str) -> S3Store:
    parts = urlsplit(location)
    endpoint = parse_qs(parts.query)["endpoint"][0]
    return S3Store(parts.netloc, "a-prefix/of.two", endpoint=endpoint, multipart=MULTIPART)


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    if request.param == "memory":
        yield MemoryStore()
    elif request.param == "local":
        yield LocalStore(tmp_path / "new" / "store")
    elif request.param == "moto":
        request.getfixturevalue("aws")
        yield from moto_store()
    elif request.param == "replicas":
        yield FailoverStore([LocalStore(tmp_path / "one, or" / "store"), LocalStore(tmp_path / "100%2C")])
    else:
        assert request.param == "seaweedfs"
        yield seaweedfs_store(request.getfixturevalue("s3_bucket"))


@pytest.fixture
def again(store: ObjectStore) -> Callable[[], ObjectStore]:
    """Open the same store once more, as another process would."""
    if isinstance(store, MemoryStore):
        return lambda: store
    if isinstance(store, FailoverStore):
        return lambda: FailoverStore(open_stores(store.url))
    return lambda: open_store(store.url)
