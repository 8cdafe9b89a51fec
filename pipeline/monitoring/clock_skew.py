"""Whether this machine's clock is right, by the `Date` of the server that keeps the archive (RFC 9110 §6.6.1)."""

from __future__ import annotations

import http.client
import os
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qs, urlsplit

TIMEOUT = 10.0  # seconds


def endpoint(store_url: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the address of the server behind a store; None for one without a server."""
    parts = urlsplit(store_url)
    if parts.scheme != "s3":
        return None
    named = parse_qs(parts.query)
    region = named.get(
        "region", [environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"]
    )
    from_environment = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
    return named.get("endpoint", [from_environment or f"https://s3.{region[0]}.amazonaws.com"])[0]


def skew(url: str, timeout: float = TIMEOUT) -> float | None:
    """Seconds by which this clock is ahead of a server's; None where the server does not say. Raises OSError."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(
            host, parts.port, timeout=timeout, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=timeout)
    try:
        before = datetime.now(UTC)
        connection.request("HEAD", "/")
        said = connection.getresponse().getheader("Date")
        between = before + (datetime.now(UTC) - before) / 2
    except http.client.HTTPException as error:
        raise OSError(f"{host}: {type(error).__name__}") from None
    finally:
        connection.close()
    try:
        moment = parsedate_to_datetime(said or "")
    except ValueError:
        return None
    return (between - (moment if moment.tzinfo else moment.replace(tzinfo=UTC))).total_seconds()
