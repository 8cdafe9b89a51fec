"""Alerts over HTTP: a signed webhook, ntfy, and incoming webhooks as Slack has them.

The signature is that of the Standard Webhooks specification: `webhook-signature: v1,BASE64(HMAC-SHA256(secret,
"ID.TIMESTAMP.BODY"))` beside `webhook-id` and `webhook-timestamp` (seconds since 1970).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from archive.times import now
from pipeline.alerts.channel import Batch
from pipeline.alerts.message import payload, short, subject, text
from pipeline.outbound.errors import DeliveryError
from pipeline.outbound.http import TIMEOUT, address, reach, request
from pipeline.outbound.plain_text import one_line

Secret = Callable[[], str]  # read when it is needed; raises DeliveryError

_JSON = {"Content-Type": "application/json"}
_SLACK_ROOM = 30_000  # characters of a message; Slack cuts at 40,000
_NTFY_ROOM = 4_000  # bytes of a message; ntfy makes an attachment of more than 4,096
_PREFIX = "whsec_"  # of the Standard Webhooks specification
_AS_IT_IS = (
    "its secret does not begin with whsec_, so its characters are the key as they are; a receiver that uses a Standard "
    "Webhooks library needs whsec_ and the base64 of them: printf whsec_; base64 -w0 < FILE"
)
_MENTIONS = re.compile(r"@(?=(?:channel|here|all|everyone)\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Webhook:
    """Posts the JSON of `wording.payload`, signed where there is a secret."""

    url: Secret
    secret: Secret | None = None
    timeout: float = TIMEOUT

    def send(self, batch: Batch) -> None:
        """Post one message; raises DeliveryError."""
        body = payload(batch)
        moment = str(int(now().timestamp()))
        headers = _JSON | {"Idempotency-Key": batch.id, "webhook-id": batch.id, "webhook-timestamp": moment}
        if self.secret is not None:
            headers["webhook-signature"] = signature(self.secret(), batch.id, moment, body)
        _post(self.url(), body, headers, self.timeout)

    def probe(self) -> None:
        """Read the secrets and connect; raises DeliveryError."""
        if self.secret is not None:
            signature(self.secret(), "", "", b"")
        _connect(self.url(), self.timeout)


@dataclass(frozen=True, slots=True)
class Ntfy:
    """Publishes to a topic, whose address is `https://HOST/TOPIC`, in ntfy's JSON: no stranger's text in a header."""

    url: Secret
    token: Secret | None = None
    priority: int | None = None
    timeout: float = TIMEOUT

    def send(self, batch: Batch) -> None:
        """Publish one message; raises DeliveryError."""
        parts = urlsplit(self.url())
        root, _, topic = parts.path.rstrip("/").rpartition("/")
        message: dict[str, object] = {
            "topic": topic,
            "title": one_line(subject(batch), 200),
            "message": short(batch, _NTFY_ROOM),
        }
        if self.priority is not None:
            message["priority"] = self.priority
        if len(batch.events) == 1 and batch.events[0].url.startswith(("http://", "https://")):
            message["click"] = one_line(batch.events[0].url, 2000)
        headers = _JSON | ({"Authorization": f"Bearer {self.token()}"} if self.token is not None else {})
        _post(urlunsplit(parts._replace(path=f"{root}/", query="")), _json(message), headers, self.timeout)

    def probe(self) -> None:
        """Read the token and connect; raises DeliveryError."""
        if self.token is not None:
            self.token()
        _connect(self.url(), self.timeout)


@dataclass(frozen=True, slots=True)
class Slack:
    """Posts to an incoming webhook of Slack, Mattermost, or others that take the same JSON."""

    url: Secret
    timeout: float = TIMEOUT

    def send(self, batch: Batch) -> None:
        """Post one message; raises DeliveryError."""
        words = f"{subject(batch)}\n\n{text(batch, diffs=False)}"
        cut = words if len(words) <= _SLACK_ROOM else short(batch, _SLACK_ROOM)
        _post(self.url(), _json({"text": escaped(cut), "mrkdwn": False}), _JSON, self.timeout)

    def probe(self) -> None:
        """Connect; raises DeliveryError."""
        _connect(self.url(), self.timeout)


def escaped(words: str) -> str:
    """Text for Slack: its three characters escaped, so that no link, user or channel is named by a stranger."""
    entities = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MENTIONS.sub("@\u2060", entities)


def secret_note(sender: object) -> str | None:
    """Return how a webhook's secret is used that does not begin as the specification has it; None for all others."""
    with suppress(DeliveryError):  # a file that cannot be read is named when it is needed
        if isinstance(sender, Webhook) and sender.secret is not None and not sender.secret().startswith(_PREFIX):
            return _AS_IT_IS
    return None


def signature(secret: str, identity: str, moment: str, body: bytes) -> str:
    """Return the value of the header `webhook-signature`; a secret that begins with `whsec_` is base64."""
    key = secret.encode()
    if secret.startswith(_PREFIX):
        try:
            key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            raise DeliveryError(
                "its secret begins with whsec_, and what follows is no base64: copy it whole from the receiver",
                permanent=True,
            ) from None
    made = hmac.new(key, b".".join((identity.encode(), moment.encode(), body)), hashlib.sha256).digest()
    return "v1," + base64.b64encode(made).decode()


def _connect(url: str, timeout: float) -> None:
    _wanted(url)
    reach(url, timeout=timeout)


def _wanted(url: str) -> None:
    try:
        address(url)
    except ValueError as error:
        raise DeliveryError(f"its url cannot be used: {error}", permanent=True) from None


def _post(url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> None:
    _wanted(url)
    request(url, body, headers, timeout=timeout)


def _json(message: Mapping[str, object]) -> bytes:
    return json.dumps(message).encode()
