"""The time of an S3 server, by the `Date` of its answers (RFC 9110 §6.6.1), or by an object that was just put."""

from __future__ import annotations

import secrets
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client


def server_time(client: S3Client, bucket: str, prefix: str) -> datetime:
    """Return the server's time, UTC; raises what boto3 does."""
    answer = client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
    said = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
    try:
        moment = parsedate_to_datetime(said)
    except ValueError:
        return _of_a_probe(client, bucket, f"{prefix}clock-probe-{secrets.token_hex(8)}")
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _of_a_probe(client: S3Client, bucket: str, key: str) -> datetime:
    client.put_object(Bucket=bucket, Key=key, Body=b"")
    try:
        return client.head_object(Bucket=bucket, Key=key)["LastModified"]
    finally:
        with suppress(ClientError):  # where nothing can be deleted, it stays
            client.delete_object(Bucket=bucket, Key=key)
