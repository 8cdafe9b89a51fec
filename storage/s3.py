"""A store in a bucket of any S3-compatible server, through boto3.

Credentials come from the usual AWS chain, and from nowhere else; they are in no address, error or log of this room.
"""

from __future__ import annotations

import logging
import random
import re
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from s3transfer.manager import TransferConfig, TransferManager

from storage.base import CHUNK_SIZE, Leftover, ObjectInfo, checked_key
from storage.errors import LocationError, ObjectMissing, StoreDenied, StoreUnavailable
from storage.files import checked_range, opened_source, store_error
from storage.s3_client import connect
from storage.s3_clock import server_time
from storage.s3_errors import ConditionRefused, KeyTaken, PutConflict, RangePastEnd, mapped
from storage.s3_order import in_key_order, is_key, position_before
from storage.s3_uploads import abort, incomplete

_log = logging.getLogger("onrecord.storage")

MULTIPART = 64 << 20  # bytes from which a file is sent in parts
_PART = 16 << 20  # bytes a part, of which four are on their way at once
_CONFLICTS = 8  # times another writer may be in the way
_WRITER = "onrecord-writer"  # metadata that tells whose put it was that arrived
_BUCKET = re.compile(r"[A-Za-z0-9._-]{3,255}\Z")


class S3Store:
    """Objects in a bucket, below a prefix.

    `conditional_puts` says whether the server honours `If-None-Match: *`; unknown until the first put_if_absent that
    creates an object has found out.
    """

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        endpoint: str | None = None,
        region: str | None = None,
        path_style: bool | None = None,
        multipart: int = MULTIPART,
        attempts: int = 5,
        timeout: float = 60,
    ) -> None:
        if not _BUCKET.match(bucket):
            raise LocationError(f"{bucket!r} cannot be a bucket's name: write s3://bucket/prefix")
        self._bucket = bucket
        self._prefix = f"{checked_key(prefix)}/" if prefix else ""
        flag = None if path_style is None else str(path_style).lower()
        options = {"endpoint": endpoint, "region": region, "path_style": flag}
        query = urlencode({name: value for name, value in options.items() if value is not None}, safe=":/")
        self._url = f"s3://{bucket}" + (f"/{prefix}" if prefix else "") + (f"?{query}" if query else "")
        self._multipart = multipart
        self._attempts = attempts
        self._trial = threading.Lock()
        self._bucket_seen = False
        self.conditional_puts: bool | None = None
        with mapped(self._url):
            self._client = connect(endpoint, region, path_style, attempts, timeout)

    def __repr__(self) -> str:
        return f"S3Store({self._url!r})"

    @property
    def url(self) -> str:
        """The address in the form that `open_store` reads; it never holds credentials."""
        return self._url

    def put(self, key: str, data: bytes) -> None:
        """Keep bytes under a key."""
        place = self._place(key)
        with mapped(self._url, key):
            self._client.put_object(**place, Body=data)

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Keep bytes unless the key exists, by a conditional put where the server honours one, else by a look first."""
        checked_key(key)
        if self.conditional_puts:
            return self._conditional_put(key, data)
        with self._trial:
            if self.conditional_puts:
                return self._conditional_put(key, data)
            if self.head(key) is not None:
                return False
            if self.conditional_puts is None:
                return self._first_conditional_put(key, data)
            self.put(key, data)
            return True

    def put_file(self, key: str, path: Path) -> None:
        """Keep a file's bytes, in parts when it is large; the parts of an upload that failed are removed."""
        place = self._place(key)
        with opened_source(path) as source, mapped(self._url, key):
            size = path.stat().st_size
            if size < self._multipart:
                self._client.put_object(**place, Body=source)
                return
            settings = TransferConfig(
                multipart_threshold=self._multipart,
                multipart_chunksize=min(_PART, self._multipart),
                max_request_concurrency=4,
            )
            with TransferManager(self._client, settings) as manager:
                try:
                    manager.upload(str(path), self._bucket, place["Key"]).result()
                except OSError as error:
                    raise store_error(error, path) from None

    def get(self, key: str) -> bytes:
        """Return the whole object; raises ObjectMissing, StoreError."""
        return b"".join(self.stream(key))

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Part of an object; raises ObjectMissing, StoreError."""
        checked_range(start, length)
        if length == 0:
            if self.head(key) is None:
                raise ObjectMissing(key)
            return b""
        return b"".join(self._chunks(key, start, start + length))

    def stream(self, key: str) -> Iterator[bytes]:
        """Return the object in chunks.

        Raises ObjectMissing, and StoreUnavailable if it is replaced while it is read.
        """
        checked_key(key)
        return self._chunks(key, 0, None)

    def list(self, prefix: str = "", start_after: str = "") -> Iterator[ObjectInfo]:
        """Objects in key order, a request a thousand.

        One folder below the prefix is in memory at a time, because servers differ in their order: `storage.s3_order`.
        """
        return in_key_order(self._listed(prefix, start_after), prefix.rfind("/") + 1)

    def head(self, key: str) -> ObjectInfo | None:
        """Return the object's size, or None."""
        place = self._place(key)
        try:
            with mapped(self._url, key):
                answer = self._client.head_object(**place)
        except ObjectMissing:
            self._require_bucket()
            return None
        return ObjectInfo(key, answer["ContentLength"], answer.get("LastModified"))

    def delete(self, key: str) -> None:
        """Remove an object, if it is there."""
        place = self._place(key)
        with suppress(ObjectMissing), mapped(self._url, key):
            self._client.delete_object(**place)

    def now(self) -> datetime:
        """Return the server's time, by which it dates objects."""
        with mapped(self._url):
            return server_time(self._client, self._bucket, self._prefix)

    def leftovers(self, before: datetime) -> Iterator[Leftover]:
        """Yield uploads in parts that began before a time and were not ended."""
        try:
            with mapped(self._url):
                yield from incomplete(self._client, self._bucket, self._prefix, before)
        except ConditionRefused:  # not every server has this request
            _log.warning("%s does not list uploads in parts: what was left of them stays", self._url)

    def clear(self, leftover: Leftover) -> None:
        """End an upload and remove its parts."""
        with suppress(ObjectMissing), mapped(self._url, leftover.name):
            abort(self._client, self._bucket, self._prefix, leftover)

    def _place(self, key: str) -> Any:
        return {"Bucket": self._bucket, "Key": self._prefix + checked_key(key)}

    def _require_bucket(self) -> None:
        """Check that the bucket exists: a missing object and a missing bucket answer HEAD alike."""
        if not self._bucket_seen:
            with suppress(StoreDenied), mapped(self._url):  # credentials may be for objects only
                self._client.head_bucket(Bucket=self._bucket)
            self._bucket_seen = True

    # -- reading

    def _chunks(self, key: str, start: int, end: int | None) -> Iterator[bytes]:
        """Bytes from `start` to before `end`; where a body breaks off, the rest of the same is asked for."""
        place = self._place(key)
        at, breaks = start, 0
        while True:
            if at or end is not None:
                place["Range"] = f"bytes={at}-" + ("" if end is None else str(end - 1))
            try:
                with mapped(self._url, key):
                    answer = self._client.get_object(**place)
            except RangePastEnd:
                return
            except KeyTaken:
                raise StoreUnavailable(f"{self._url}: {key} was replaced while it was read: run again") from None
            self._check_answer(key, at, answer, ranged="Range" in place)
            end = at + answer["ContentLength"]
            place["IfMatch"] = answer["ETag"]
            with suppress(StoreUnavailable), mapped(self._url, key):
                for chunk in answer["Body"].iter_chunks(CHUNK_SIZE):
                    at += len(chunk)
                    yield chunk
            if at >= end:
                return
            breaks += 1
            if breaks == self._attempts:
                raise StoreUnavailable(
                    f"{self._url}: {key} broke off {breaks} times: check the network, then run again"
                )

    def _check_answer(self, key: str, at: int, answer: Any, *, ranged: bool) -> None:
        """Bytes of another range, or of an unknown number, would be taken for the object's."""
        wrong = "ContentLength" not in answer or "ETag" not in answer
        if wrong or (ranged and not answer.get("ContentRange", "").startswith(f"bytes {at}-")):
            raise StoreUnavailable(f"{self._url}: {key}: the server does not answer ranged reads: check the endpoint")

    def _listed(self, prefix: str, start_after: str) -> Iterator[ObjectInfo]:
        """Keys below the prefix after `start_after`, in the server's order."""
        position: dict[str, str] = {}
        if before := position_before(start_after):
            position["StartAfter"] = self._prefix + before
        while True:
            with mapped(self._url):
                page = self._client.list_objects_v2(
                    Bucket=self._bucket,
                    Prefix=self._prefix + prefix,
                    **position,  # type: ignore[arg-type]
                )
            if "IsTruncated" not in page:  # an empty answer would be taken for an empty store
                raise StoreUnavailable(
                    f"{self._url}: a listing came without its end: check the endpoint, then run again"
                )
            for entry in page.get("Contents", []):
                key = entry["Key"][len(self._prefix) :]
                if key > start_after and key.startswith(prefix) and is_key(key):
                    yield ObjectInfo(key, entry["Size"], entry.get("LastModified"))
            token = page.get("NextContinuationToken")
            if not page.get("IsTruncated") or not token:
                return
            position = {"ContinuationToken": token}

    # -- putting only what is absent

    def _conditional_put(self, key: str, data: bytes) -> bool:
        place, writer = self._place(key), secrets.token_hex(16)
        for attempt in range(_CONFLICTS):
            try:
                with mapped(self._url, key):
                    self._client.put_object(**place, Body=data, IfNoneMatch="*", Metadata={_WRITER: writer})
            except KeyTaken as taken:
                return taken.repeated and self._writer(place) == writer
            except PutConflict:
                time.sleep(random.uniform(0, min(1, 0.05 * 2**attempt)))  # noqa: S311 - it keeps writers apart, nothing secret
            else:
                return True
        raise StoreUnavailable(f"{self._url}: others keep writing {key}: run again")

    def _writer(self, place: Any) -> str:
        """Whose put is kept: one that was sent twice finds the key taken by itself, if its first answer was lost."""
        with mapped(self._url, place["Key"]):
            return self._client.head_object(**place)["Metadata"].get(_WRITER, "")

    def _first_conditional_put(self, key: str, data: bytes) -> bool:
        """Put where nothing is, and then the same again: a server that takes that too ignores conditions."""
        try:
            if not self._conditional_put(key, data):
                self.conditional_puts = True
                return False
        except ConditionRefused:
            self.put(key, data)  # raises what was wrong if that was not the condition
            self._note_conditions(honoured=False)
            return True
        with suppress(StoreUnavailable):  # the object is kept; the next one may tell
            try:
                self._note_conditions(honoured=not self._conditional_put(key, data))
            except ConditionRefused:
                self._note_conditions(honoured=False)
        return True

    def _note_conditions(self, *, honoured: bool) -> None:
        self.conditional_puts = honoured
        if not honoured:
            _log.warning("%s does not honour conditional puts: let only one machine write to it at a time", self._url)
