"""What is posted, against a real web server on loopback that checks, fails, dawdles and redirects."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
import time
from pathlib import Path

import pytest

from pipeline.alerts.channel import batch_of
from pipeline.alerts.settings import load_channels
from pipeline.alerts.webhook import Ntfy, Slack, Webhook, secret_note
from pipeline.outbound.errors import DeliveryError
from tests.pipeline.alerts.conftest import NOON, Hook, drip, event, hook_server, moved_to, silent

BATCH = batch_of((event("a"), event("b", "changed", tags=("press",))), "webhook", NOON)


def webhook(hook: Hook, timeout: float = 30.0) -> Webhook:
    return Webhook(lambda: hook.url("/hook?key=hunter2"), None, timeout)


def test_the_receiver_can_check_who_sent_what_and_when(hook: Hook, tmp_path: Path) -> None:
    key = b"0123456789abcdef0123456789abcdef"
    (tmp_path / "secret").write_text("whsec_" + base64.b64encode(key).decode() + "\n")
    (channel,) = load_channels({"webhook": {"url": hook.url(), "secret_file": str(tmp_path / "secret")}})
    channel.sender.send(BATCH)
    ((path, headers, body),) = hook.requests
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{wanted}"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 300
    assert (path, headers["idempotency-key"], headers["webhook-id"]) == ("/hook", BATCH.id, BATCH.id)
    message = json.loads(body)
    assert (message["version"], message["id"], len(message["events"])) == (1, BATCH.id, 2)
    first = message["events"][0]
    assert (first["kind"], first["before"], first["url"]) == ("gone", "ok", "https://gazette.example/a")
    assert first["records"] == ["<urn:uuid:1>", "<urn:uuid:2>"]


@pytest.mark.parametrize(("secret", "explained"), [("hunter2", True), ("whsec_aHVudGVyMg==", False), (None, False)])
def test_a_secret_without_its_mark_is_explained(hook: Hook, secret: str | None, explained: bool) -> None:
    note = secret_note(Webhook(hook.url, (lambda: secret) if secret else None, 30.0))
    assert (note is not None) == explained
    assert note is None or ("whsec_" in note and "hunter2" not in note)
    assert secret_note(Slack(hook.url)) is None


def test_over_tls(tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    with hook_server(tls) as hook:
        webhook(hook).send(BATCH)
        assert len(hook.requests) == 1
        monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
        with pytest.raises(DeliveryError, match="certificate of 127"):
            webhook(hook).send(BATCH)
        assert len(hook.requests) == 1


@pytest.mark.parametrize(
    ("answer", "permanent"),
    [(500, False), (503, False), (429, False), (408, False), (400, True), (401, True), (410, True)],
)
def test_what_is_worth_another_try(hook: Hook, answer: int, permanent: bool) -> None:
    hook.answers = [answer]
    with pytest.raises(DeliveryError, match=f"127.0.0.1 answered {answer}") as failure:
        webhook(hook).send(BATCH)
    assert (failure.value.permanent, failure.value.uncertain) == (permanent, False)
    assert "hunter2" not in str(failure.value)


def test_no_redirect_is_followed(hook: Hook) -> None:
    for location in (hook.url("/other"), "file:///etc/passwd", "//[", ""):
        hook.answers = [moved_to(location)]
        with pytest.raises(DeliveryError, match=r"redirects, to 127\.0\.0\.1: name the final address") as failure:
            webhook(hook).send(BATCH)
        assert failure.value.permanent
    assert [path for path, _, _ in hook.requests] == ["/hook?key=hunter2"] * 4


def test_a_server_that_dawdles_is_left_in_time_and_may_have_it(hook: Hook) -> None:
    hook.answers = [drip, silent]
    for _ in range(2):
        with pytest.raises(DeliveryError, match=r"did not answer within 1 s") as failure:
            webhook(hook, timeout=1.0).send(BATCH)
        assert (failure.value.permanent, failure.value.uncertain) == (False, True)


def test_what_is_no_http_is_an_error_in_words(hook: Hook) -> None:
    hook.answers = [lambda handler: handler.wfile.write(b"\x1b[31mhunter2\r\n\r\n")]  # type: ignore[list-item,return-value]
    with pytest.raises(DeliveryError, match=r"127.0.0.1: BadStatusLine\Z"):
        webhook(hook).send(BATCH)


def test_slack_is_told_no_link_user_or_channel_by_a_stranger(hook: Hook) -> None:
    evil = event(title="<!channel> <https://evil.example|bank> & @here and ida@here.example")
    Slack(hook.url).send(batch_of((evil,), "slack", NOON))
    message = json.loads(hook.requests[0][2])
    assert "&lt;!channel&gt; &lt;https://evil.example|bank&gt; &amp; @\u2060here" in message["text"]
    assert "<" not in message["text"]
    many = tuple(event(f"{number}/{'x' * 400}") for number in range(500))
    Slack(hook.url).send(batch_of(many, "slack", NOON))
    assert len(json.loads(hook.requests[1][2])["text"]) < 40_000


def test_ntfy_is_told_in_its_json(hook: Hook) -> None:
    Ntfy(lambda: hook.url("/base/topic"), lambda: "tk_1", 4).send(batch_of((event(title="Ünï\r\nX: y"),), "ntfy", NOON))
    path, headers, body = hook.requests[0]
    message = json.loads(body)
    assert (path, headers["authorization"]) == ("/base/", "Bearer tk_1")
    assert (message["topic"], message["priority"], message["click"]) == ("topic", 4, "https://gazette.example/post")
    assert message["title"] == "onrecord: gone: Ünï X: y"
    many = tuple(event(f"{number}", title="ß" * 300) for number in range(100))
    Ntfy(lambda: hook.url("/topic")).send(batch_of(many, "ntfy", NOON))
    message = json.loads(hook.requests[1][2])["message"]
    assert len(message.encode()) <= 4096
    assert message.endswith(" more")
    told = message.count("gone:")
    assert f"and {100 - told} more" in message


def test_a_password_in_the_address_is_sent_and_not_told(hook: Hook) -> None:
    hook.answers = [204, 500]
    url = f"http://ida:hunter%402@127.0.0.1:{hook.port}/x"
    sender = Webhook(lambda: url)
    sender.send(BATCH)
    assert base64.b64decode(hook.requests[0][1]["authorization"].removeprefix("Basic ")) == b"ida:hunter@2"
    with pytest.raises(DeliveryError) as failure:
        sender.send(BATCH)
    assert "hunter" not in str(failure.value)
