"""The table [alerts]: what is wrong is said, and never what is secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.alerts.channel import AlertSettingsError, Rules, batch_of
from pipeline.alerts.mail import Mail
from pipeline.alerts.settings import load_channels
from pipeline.alerts.webhook import Slack, Webhook
from pipeline.outbound.errors import DeliveryError
from tests.pipeline.alerts.conftest import NOON, event

URL = "https://hooks.example/hunter2"
BAD: list[tuple[dict[str, Any], str]] = [
    ({"mail": "ida@quay.example"}, "alerts.mail is no table"),
    ({"mail": {}}, "alerts.mail.to cannot be understood"),
    ({"mail": {"to": "ida"}}, "alerts.mail.to cannot"),
    ({"mail": {"to": "ida@quay.example\nBcc: x@y.example"}}, "alerts.mail.to cannot"),
    ({"mail": {"to": "ida@quay.example", "from": "a@b.example>, <c@d.example"}}, "alerts.mail.to cannot"),
    ({"mail": {"to": "ida@quay.example", "host": "mail.example", "security": "none"}}, "this machine only"),
    ({"mail": {"to": "ida@quay.example", "port": 0}}, "a number from 1 to 65535"),
    ({"mail": {"to": "ida@quay.example", "user": "ida"}}, "password_file"),
    ({"mail": {"to": "ida@quay.example", "colour": "hunter2"}}, "alerts.mail.colour is no setting; known are digest"),
    ({"webhook": {}}, "alerts.webhook.url cannot"),
    ({"webhook": {"url": "file:///etc/passwd"}}, "begins with https"),
    ({"webhook": {"url": "https://hunter2 x/"}}, "percent-encoded"),
    ({"webhook": {"url": "https://[hunter2/"}}, "no address"),
    ({"webhook": {"url": URL, "secret": ["hunter2"]}}, "one line of text"),
    ({"webhook": [{"url": URL}, {"url": URL, "name": "webhook"}]}, "two alert channels"),
    ({"slack": {"url": URL, "kinds": ["vanished"]}}, "some of gone, soft-404"),
    ({"slack": {"url": URL, "digest": "weekly"}}, "one of each, run, daily"),
    ({"slack": {"url": URL, "digest_at": "25:00"}}, "a time UTC"),
    ({"ntfy": {"url": URL, "priority": True}}, "a number from 1 to 5"),
    ({"command": {"argv": []}}, "alerts.command.argv"),
]


@pytest.mark.parametrize(("table", "said"), BAD, ids=[said for _, said in BAD])
def test_what_is_wrong_is_one_line_without_a_secret(table: dict[str, Any], said: str) -> None:
    with pytest.raises(AlertSettingsError, match=said.replace("[", r"\[")) as failure:
        load_channels(table)
    assert "hunter2" not in str(failure.value)
    assert "\n" not in str(failure.value)


def test_channels_as_they_are_named() -> None:
    table = {
        "mail": {"to": ["ida@quay.example"], "host": "mail.example", "digest": "daily", "digest_at": "06:30"},
        "slack": [{"url": URL, "kinds": ["gone"]}, {"url": URL, "tags": "press"}],
    }
    mail, gone, press = load_channels(table)
    assert isinstance(mail.sender, Mail)
    assert (mail.sender.security, mail.sender.port, mail.sender.sender) == ("starttls", 587, "ida@quay.example")
    assert mail.rules == Rules(digest="daily", digest_at=390)
    assert (gone.name, press.name) == ("slack", "slack-2")
    assert (gone.rules.take(event(kind="gone")), gone.rules.take(event(kind="back"))) == (True, False)
    assert (press.rules.take(event(tags=("press",))), press.rules.take(event())) == (True, False)
    assert press.rules.take(event(kind="test"))
    assert load_channels({"healthcheck": URL}) == []


def test_secrets_come_from_files_and_variables_when_they_are_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (channel,) = load_channels({"slack": {"url_file": str(tmp_path / "url")}})
    with pytest.raises(DeliveryError, match="url cannot be read: No such file"):
        channel.sender.send(batch_of((event(),), "slack", NOON))
    (tmp_path / "url").write_text("\n")
    with pytest.raises(DeliveryError, match="url is empty"):
        channel.sender.probe()
    (tmp_path / "url").write_text("ftp://hunter2/")
    with pytest.raises(DeliveryError, match="begins with https") as failure:
        channel.sender.probe()
    assert "hunter2" not in str(failure.value)
    monkeypatch.setenv("ONRECORD_SLACK_URL", URL)
    monkeypatch.setenv("ONRECORD_WEBHOOK_SECRET", "swordfish")
    webhook, slack = load_channels({"webhook": {"url": "http://127.0.0.1:9/"}, "slack": {}})
    assert isinstance(slack.sender, Slack)
    assert slack.sender.url() == URL
    assert isinstance(webhook.sender, Webhook)
    assert webhook.sender.secret is not None
    assert webhook.sender.secret() == "swordfish"
    assert "swordfish" not in repr(webhook)
