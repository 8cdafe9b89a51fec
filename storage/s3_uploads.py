"""Uploads in parts that were begun and never ended: they cost what their parts do, and no listing shows them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from storage.base import Leftover
from storage.s3_order import is_key

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client


def incomplete(client: S3Client, bucket: str, prefix: str, before: datetime) -> Iterator[Leftover]:
    """Yield uploads of keys below a prefix that began before a time; raises what boto3 does."""
    position: dict[str, Any] = {}
    while True:
        page = client.list_multipart_uploads(Bucket=bucket, Prefix=prefix, **position)
        for upload in page.get("Uploads", []):
            key, begun = upload["Key"][len(prefix) :], upload["Initiated"]
            if upload["Key"].startswith(prefix) and is_key(key) and begun < before:
                yield Leftover(f"{key} {upload['UploadId']}", _size(client, bucket, upload), begun)
        if not page.get("IsTruncated") or not page.get("NextKeyMarker"):
            return
        position = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page.get("NextUploadIdMarker", "")}


def abort(client: S3Client, bucket: str, prefix: str, leftover: Leftover) -> None:
    """End an upload and remove its parts; raises what boto3 does."""
    key, _, upload = leftover.name.rpartition(" ")
    client.abort_multipart_upload(Bucket=bucket, Key=prefix + key, UploadId=upload)


def _size(client: S3Client, bucket: str, upload: Any) -> int:
    pages = client.get_paginator("list_parts").paginate(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    return sum(part["Size"] for page in pages for part in page.get("Parts", []))
