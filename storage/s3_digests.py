"""A digest with every put and part: AWS and others demand it of buckets whose objects have a default retention."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

_CHUNK = 1 << 20  # bytes of a body that are in memory at once


def send_digests(client: S3Client) -> None:
    """Have a client send Content-MD5 (RFC 1864) with every body it puts.

    boto3's own checksums come as a trailer of an aws-chunked body, which many S3-compatible servers refuse.
    """
    for operation in ("PutObject", "UploadPart"):
        client.meta.events.register(f"before-call.s3.{operation}", _add_content_md5)


def _add_content_md5(params: dict[str, Any], **_: object) -> None:
    digest = hashlib.md5(usedforsecurity=False)  # what the header is; TLS and the manifest's SHA-256 guard the bytes
    body = params["body"]
    if hasattr(body, "read"):
        start = body.tell()
        while chunk := body.read(_CHUNK):
            digest.update(chunk)
        body.seek(start)
    else:
        digest.update(body)
    params["headers"]["Content-MD5"] = base64.b64encode(digest.digest()).decode("ascii")
