"""The time of a server that does not date its answers."""

from __future__ import annotations

from datetime import timedelta

from storage.location import open_store
from storage.s3 import S3Store
from storage.s3_clock import _of_a_probe


def test_a_server_that_gives_no_date_is_asked_by_an_object(s3_bucket: str) -> None:
    store = open_store(s3_bucket)
    assert isinstance(store, S3Store)
    moment = _of_a_probe(store._client, store._bucket, "clock-probe-0")
    assert abs(moment - store.now()) < timedelta(minutes=1)
    assert list(store.list()) == []
