"""From addresses to stores, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from storage.errors import LocationError
from storage.local import LocalStore
from storage.location import address_of, member_addresses, mirror_address, open_store, open_stores
from storage.memory import MemoryStore
from storage.s3 import S3Store

pytestmark = pytest.mark.usefixtures("aws")


def test_memory_is_new_each_time() -> None:
    store = open_store("memory:")
    store.put("a", b"x")
    assert isinstance(store, MemoryStore)
    assert store.url == "memory:"
    assert list(open_store("memory:").list()) == []


def test_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for location, path in [
        ("store", tmp_path / "store"),
        ("./a/../store", tmp_path / "store"),
        (str(tmp_path / "a b"), tmp_path / "a b"),
        ("~/store", tmp_path / "home" / "store"),
        ("what?is#this", tmp_path / "what?is#this"),
        ("notes:2026", tmp_path / "notes:2026"),
        (f"file://{tmp_path}/x%20y%3F", tmp_path / "x y?"),
        (f"file://localhost{tmp_path}/x", tmp_path / "x"),
        (f"file:{tmp_path}/x", tmp_path / "x"),
    ]:
        store = open_store(location)
        assert isinstance(store, LocalStore)
        assert store.url == str(path), location
        assert open_store(store.url).url == store.url
        assert not path.exists()


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("s3://bucket", "s3://bucket"),
        ("s3://bucket/", "s3://bucket"),
        ("s3://bucket/a/b-c/", "s3://bucket/a/b-c"),
        ("s3://bucket/a?endpoint=http://127.0.0.1:8333", "s3://bucket/a?endpoint=http://127.0.0.1:8333"),
        ("s3://bucket?endpoint=http%3A%2F%2F127.0.0.1%3A8333/", "s3://bucket?endpoint=http://127.0.0.1:8333"),
        ("s3://bucket?endpoint=http://[::1]:8333", "s3://bucket?endpoint=http://%5B::1%5D:8333"),
        (
            "s3://bucket?path_style=false&region=eu-west-1&endpoint=https://s3.example.org",
            "s3://bucket?endpoint=https://s3.example.org&region=eu-west-1&path_style=false",
        ),
    ],
)
def test_buckets_and_the_way_back(location: str, url: str) -> None:
    store = open_store(location)
    assert isinstance(store, S3Store)
    assert store.url == url
    assert open_store(url).url == url


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("", "no address"),
        ("  ", "no address"),
        ("a\nb", "control characters"),
        ("a\0b", "control characters"),
        ("gs://bucket/x", "cannot be at gs: write a directory, file:"),
        ("http://example.org/", "cannot be at http"),
        ("S4://bucket", "cannot be at S4"),
        ("file://host/share", "file:///directory"),
        ("file:///a?b=c", "file:///directory"),
        ("file:relative", "file:///directory"),
        ("~no-such-user-here/x", "write the whole path"),
        ("s3:", "names no bucket"),
        ("s3:bucket", "names no bucket"),
        ("s3://", "names no bucket"),
        ("s3:///prefix", "names no bucket"),
        ("s3://bucket#frag", "names no bucket"),
        ("s3://bucket:9000/x", "a bucket has no port"),
        ("s3://bu(ket", "cannot be a bucket's name"),
        ("s3://[bucket", "cannot be read"),
        ("s3://bucket/a b", "cannot be a prefix"),
        ("s3://bucket/a/../b", "cannot be a prefix"),
        ("s3://bucket/a//b", "cannot be a prefix"),
        ("s3://bucket?colour=red", "unknown in a store's address: colour: write"),
        ("s3://bucket?nonsense", "cannot be read"),
        ("s3://bucket?region=", "is empty, or there twice"),
        ("s3://bucket?region=a&region=b", "is empty, or there twice"),
        ("s3://bucket?path_style=maybe", "path_style is true or false"),
        ("s3://bucket?endpoint=127.0.0.1:8333", "the endpoint is no http"),
        ("s3://bucket?endpoint=ftp://host", "the endpoint is no http"),
        ("s3://bucket?endpoint=http://", "the endpoint is no http"),
        ("s3://bucket?endpoint=http://host:99999", "the endpoint is no http"),
        ("s3://bucket?endpoint=http://a_b..c/", "the endpoint cannot be read"),
    ],
)
def test_addresses_that_are_refused(location: str, says: str) -> None:
    with pytest.raises(LocationError) as caught:
        open_store(location)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "location",
    [
        "s3://AKIAKEY:hunter2@bucket/x",
        "s3://hunter2@bucket",
        "s3://bucket?endpoint=http://AKIAKEY:hunter2@127.0.0.1:8333",
        "s3://bucket?aws_secret_access_key=hunter2",
        "s3://bucket?session_token=hunter2",
        "gs://AKIAKEY:hunter2@bucket",
        "https://user:hunter2@host/bucket",
        "s3://AKIAKEY:hunter2@[bucket",
        "s3://bucket?endpoint=hunter2",
        "s3://bucket?path_style=hunter2",
    ],
)
def test_credentials_in_an_address_are_refused_and_not_repeated(location: str) -> None:
    with pytest.raises(LocationError) as caught:
        open_store(location)
    assert "hunter2" not in str(caught.value)
    assert "AKIAKEY" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_it_says_where_credentials_go() -> None:
    with pytest.raises(LocationError, match=r"set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"):
        open_store("s3://AKIAKEY:hunter2@bucket/x")


def test_only_buckets_cost_the_import_of_boto3() -> None:
    script = (
        "import sys; from storage.location import open_store; open_store('memory:'); open_store('/nowhere/x');"
        "print(sorted(sys.modules.keys() & {'boto3', 'botocore', 'urllib3', 'asyncio', 'ssl', 'http.client'}))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (ran.stdout.strip(), ran.stderr) == ("[]", "")


@pytest.mark.parametrize(
    "addresses",
    [
        ["/a", "/b"],
        ["/a,b", "/c%2Cd", "/e%25f", "/g%h", "/100%"],
        ["s3://bucket/p?endpoint=http://%5B::1%5D:8333&region=x", "file:///with%20space"],
    ],
)
def test_addresses_and_the_way_back(addresses: list[str]) -> None:
    assert member_addresses(mirror_address(addresses)) == addresses


def test_an_address_names_a_primary_and_its_replicas(tmp_path: Path) -> None:
    stores = open_stores(f"mirror:{tmp_path}/one,{tmp_path}/a%2Cb")
    assert [store.url for store in stores] == [f"{tmp_path}/one", f"{tmp_path}/a,b"]
    assert [store.url for store in open_stores(address_of(stores))] == [store.url for store in stores]
    (alone,) = open_stores(str(tmp_path))
    assert address_of([alone]) == alone.url == str(tmp_path)


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("mirror:", "two members or more"),
        ("mirror:/a", "two members or more"),
        ("mirror:/a,", "two members or more"),
        ("mirror:/a,/b/../a", "different places"),
        ("mirror:/a,mirror:/b", "cannot be a member"),
        ("mirror:/a,gs://b", "cannot be at gs"),
        ("mirror:/a,s3://key:secret@b", "credentials do not belong"),
    ],
)
def test_what_is_no_mirror(location: str, says: str) -> None:
    with pytest.raises(LocationError, match=says) as caught:
        open_stores(location)
    assert "secret@" not in str(caught.value)


def test_a_mirror_is_not_one_store(tmp_path: Path) -> None:
    with pytest.raises(LocationError, match="a mirror is several"):
        open_store(f"mirror:{tmp_path}/one,{tmp_path}/two")
