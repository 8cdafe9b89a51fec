"""The client of an S3-compatible server; credentials come from the usual AWS chain."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from storage.errors import LocationError
from storage.s3_digests import send_digests

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

for _name in ("boto3", "botocore", "s3transfer"):  # below that they write whole requests, session tokens and all
    logging.getLogger(_name).setLevel(logging.WARNING)

_CONNECTIONS = 16


def connect(
    endpoint: str | None, region: str | None, path_style: bool | None, attempts: int, timeout: float
) -> S3Client:
    """Return a client that asks `attempts` times, and waits `timeout` seconds for an answer.

    `path_style` says whether the bucket is named in the path; None leaves it to boto3. Raises LocationError for an
    endpoint that cannot be read, and what boto3 does.
    """
    # Left to itself, boto3 names the bucket in the path wherever an endpoint is given.
    style: dict[str, Any] = {} if path_style is None else {"addressing_style": "path" if path_style else "virtual"}
    session = boto3.Session()
    config = Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=min(10, timeout),
        read_timeout=timeout,
        max_pool_connections=_CONNECTIONS,
        # The newer defaults add checksum trailers that many S3-compatible servers refuse.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3=style or None,  # type: ignore[arg-type] # a typed dictionary, of which this is one
    )
    place = region or session.region_name or "us-east-1"
    try:
        client = session.client("s3", endpoint_url=endpoint, region_name=place, config=config)
    except ValueError:
        raise LocationError("the endpoint cannot be read: write ?endpoint=https://host:port") from None
    send_digests(client)
    return client
