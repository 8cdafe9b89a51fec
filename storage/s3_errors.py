"""What an S3 server's answers, and boto3's failures to get one, mean: the one border where they become storage errors.

A server's own words are not repeated, and boto3's exceptions are not chained: both may echo parts of a request, which
holds the access key's name and a session token. The error code and the status say enough to act on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from boto3.exceptions import Boto3Error
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoAuthTokenError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    RefreshWithMFAUnsupportedError,
    SSLError,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from storage.errors import ObjectMissing, StoreDenied, StoreError, StoreMissing, StoreUnavailable

_KEYS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, to credentials that may use it"
_RENEW = "renew the credentials, then run again"
_REGION = "the bucket lies in another region: name it with ?region="
_BUCKET = "create the bucket, or check its name, the endpoint and the account"
_LATER = "the server asks to wait: run again later"
_FAILED = "the server failed: run again later; if it fails again, its log says why"

# The code in the server's answer, the kind of error it is here, and what to do about it.
CODES: dict[str, tuple[type[StoreError], str]] = {
    "NoSuchBucket": (StoreMissing, _BUCKET),
    "InvalidBucketName": (StoreMissing, "no bucket can have that name: name another with --store s3://bucket"),
    "PermanentRedirect": (StoreMissing, _REGION),
    "IllegalLocationConstraintException": (StoreMissing, _REGION),
    "AuthorizationHeaderMalformed": (StoreDenied, _REGION),
    "AccessDenied": (StoreDenied, _KEYS),
    "AllAccessDisabled": (StoreDenied, _KEYS),
    "AccountProblem": (StoreDenied, "the provider has closed this account's access: ask it why"),
    "InvalidAccessKeyId": (StoreDenied, _KEYS),
    "InvalidToken": (StoreDenied, _KEYS),
    "SignatureDoesNotMatch": (StoreDenied, f"the secret key is not this access key's: {_KEYS}"),
    "ExpiredToken": (StoreDenied, _RENEW),
    "ExpiredTokenException": (StoreDenied, _RENEW),
    "TokenRefreshRequired": (StoreDenied, _RENEW),
    "InvalidObjectState": (StoreDenied, "the object lies in cold storage: restore it first"),
    "KeyTooLongError": (StoreDenied, "the key is too long for this server: use a shorter prefix"),
    "EntityTooLarge": (StoreDenied, "the object is larger than this server takes"),
    "NoSuchUpload": (StoreUnavailable, "the upload is over and no answer told how it ended: run again"),
    "RequestTimeTooSkewed": (StoreUnavailable, "set this machine's clock, then run again"),
    "RequestTimeout": (StoreUnavailable, _LATER),
    "RequestLimitExceeded": (StoreUnavailable, _LATER),
    "SlowDown": (StoreUnavailable, _LATER),
    "Throttling": (StoreUnavailable, _LATER),
    "ThrottlingException": (StoreUnavailable, _LATER),
    "TooManyRequests": (StoreUnavailable, _LATER),
    "InternalError": (StoreUnavailable, _FAILED),
    "ServiceUnavailable": (StoreUnavailable, _LATER),
    "QuotaExceeded": (StoreUnavailable, "the bucket is full: free space or raise its quota, then run again"),
    "XMinioStorageFull": (StoreUnavailable, "the server's disk is full: free space there, then run again"),
    "InsufficientStorage": (StoreUnavailable, "the server's disk is full: free space there, then run again"),
}
_CREDENTIALS = (
    *(NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, ProfileNotFound),
    *(NoAuthTokenError, TokenRetrievalError, SSOError, RefreshWithMFAUnsupportedError),
)
_PLAIN_CODE = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")


class RangePastEnd(StoreError):
    """The range begins at or after the object's end."""


class KeyTaken(StoreError):
    """The conditional put found the key taken; `repeated` if the request had been sent before, without an answer."""

    def __init__(self, text: str, *, repeated: bool) -> None:
        super().__init__(text)
        self.repeated = repeated


class PutConflict(StoreError):
    """The conditional put met another one at the same key."""


class ConditionRefused(StoreError):
    """The server does not know conditional puts, or this request for another reason."""


@contextmanager
def mapped(url: str, key: str | None = None) -> Iterator[None]:
    """Turn what boto3 raises into storage errors that name the store, and what to do next."""
    try:
        yield
    except (ClientError, BotoCoreError, Boto3Error, ResponseParserError, HTTPError) as error:
        raise meaning(error, url, key) from None


def meaning(error: Exception, url: str, key: str | None = None) -> StoreError:
    """Return the storage error for an exception of boto3 or of the HTTP library below it."""
    if isinstance(error, ClientError):
        return _answered(error, url, key)
    name = type(error).__name__
    if isinstance(error, _CREDENTIALS):
        return StoreDenied(f"{url}: no usable credentials ({name}): {_KEYS}")
    if isinstance(error, SSLError):
        return StoreUnavailable(
            f"{url}: the server's certificate is not trusted: check the endpoint, or set AWS_CA_BUNDLE"
        )
    if isinstance(error, ResponseParserError):
        return StoreUnavailable(f"{url}: this is not how an S3 server answers: check the endpoint")
    if isinstance(error, (HTTPClientError, NoConnectionError, HTTPError)):
        return StoreUnavailable(f"{url} does not answer ({name}): check the endpoint and the network, then run again")
    return StoreUnavailable(f"{url}: {name}: check the store's address and the AWS configuration, then run again")


def _answered(error: ClientError, url: str, key: str | None) -> StoreError:
    metadata = error.response.get("ResponseMetadata", {})
    status = int(metadata.get("HTTPStatusCode", 0))
    code = str(error.response.get("Error", {}).get("Code", ""))
    if not _PLAIN_CODE.match(code):
        code = str(status)
    if code in CODES:
        kind, advice = CODES[code]
        if code == "AccessDenied" and error.operation_name == "DeleteObject":
            advice += "; where the bucket keeps its objects (Object Lock), nothing can be deleted"
        return kind(f"{url}: {code}: {advice}")
    if status == 404 or code == "NoSuchKey":
        return StoreMissing(f"{url}: {code}: {_BUCKET}") if key is None else ObjectMissing(key)
    return _reply(code, status, int(metadata.get("RetryAttempts", 0)), url) or _by_status(code, status, url)


def _reply(code: str, status: int, retries: int, url: str) -> StoreError | None:
    """Answers that are no faults, but replies to a question that was put."""
    text = f"{url}: {code}"
    if status == 416:
        return RangePastEnd(text)
    if status == 412:
        return KeyTaken(text, repeated=retries > 0)
    if status == 409:
        return PutConflict(f"{text}: others write the same object: run again")
    if status in {400, 501}:
        return ConditionRefused(f"{text}: the server does not take this request: check the endpoint")
    return None


def _by_status(code: str, status: int, url: str) -> StoreError:
    if status in {401, 403}:
        return StoreDenied(f"{url}: {code}: {_KEYS}")
    if status in {408, 425, 429} or status >= 500:
        return StoreUnavailable(f"{url}: {code}: {_FAILED if status in {500, 502} else _LATER}")
    if status in {301, 307, 308}:
        return StoreMissing(f"{url}: {code}: {_REGION}")
    return StoreError(f"{url}: the server refuses the request with {status} {code}: check the endpoint")
