"""The way of alerts, pings and time stamps: by the proxy that captures go by, and no resolver is asked for a name."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.alerts.channel import batch_of
from pipeline.alerts.mail import Mail
from pipeline.monitoring.healthchecks import Healthcheck
from pipeline.outbound import ways
from pipeline.outbound.errors import DeliveryError
from pipeline.outbound.http import ask, request
from tests.command import Command
from tests.pipeline.alerts.conftest import NOON, Letters, event, hook_server, smtp
from tests.proxies import TestProxy

pytestmark = pytest.mark.usefixtures("looked_up")


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Names that a resolver was asked for; addresses are none."""
    names: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: Any, *rest: Any, **more: Any) -> Any:
        if not str(host).startswith("127."):
            names.append(str(host))
        return real(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield names
    assert names == []


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_the_proxy_of_captures_carries_requests_and_mail(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    letters = Letters()
    with hook_server() as hook, smtp(letters) as port:
        here = {"hooks.example": ("127.0.0.1", hook.port), "mail.example": ("127.0.0.1", port)}
        with TestProxy(here, ("ada", "open sesame")).running() as proxy:
            monkeypatch.setattr(ways, "chosen", f"{scheme}://ada:open%20sesame@127.0.0.1:{proxy.port}")
            request(f"http://hooks.example:{hook.port}/hook", b"{}", {})
            assert Healthcheck(f"http://hooks.example:{hook.port}/ping").start()
            batch = batch_of((event(),), "mail", NOON)
            Mail(("ada@quay.example",), "onrecord@quay.example", "mail.example", port, timeout=30.0).send(batch)
            with pytest.raises(DeliveryError, match=r"the proxy \S+ does not connect to elsewhere\.example port 80"):
                ask("http://elsewhere.example/tsa", b"", {})
    assert [path for path, _, _ in hook.requests] == ["/hook", "/ping/start"]
    assert len(letters.messages) == 1
    method = "CONNECT" if scheme == "http" else "socks5"
    wanted = [f"hooks.example:{hook.port}"] * 2 + [f"mail.example:{port}", "elsewhere.example:80"]
    assert list(dict.fromkeys(proxy.asked)) == [(method, target) for target in dict.fromkeys(wanted)]


def test_what_a_mail_server_says_first_is_heard_behind_the_answer_of_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    letters = Letters()
    with (
        smtp(letters) as port,
        TestProxy({"mail.example": ("127.0.0.1", port)}, joins=True).running() as proxy,
    ):
        monkeypatch.setattr(ways, "chosen", f"http://127.0.0.1:{proxy.port}")
        batch = batch_of((event(),), "mail", NOON)
        Mail(("ada@quay.example",), "onrecord@quay.example", "mail.example", port, timeout=10.0).send(batch)
    assert len(letters.messages) == 1


def test_hosts_of_the_local_network_are_reached_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    with hook_server() as hook, TestProxy({}).running() as proxy:
        monkeypatch.setattr(ways, "chosen", f"socks5h://127.0.0.1:{proxy.port}")
        request(hook.url(), b"{}", {})
        assert len(hook.requests) == 1
        assert proxy.asked == []


def test_a_proxy_that_is_gone_is_named_without_its_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    with TestProxy({}).running() as proxy:
        port = proxy.port
    monkeypatch.setattr(ways, "chosen", f"socks5h://ada:hunter2@127.0.0.1:{port}")
    with pytest.raises(DeliveryError, match=rf"the proxy socks5h://127\.0\.0\.1:{port} cannot be reached") as failure:
        request("http://hooks.example/hook", b"{}", {})
    assert "hunter2" not in str(failure.value)


def test_a_setting_sends_alerts_by_the_proxy(tmp_path: Path) -> None:
    onrecord = Command.at(tmp_path / "store", tmp_path / "home")
    with hook_server() as hook, TestProxy({"hooks.example": ("127.0.0.1", hook.port)}).running() as proxy:
        config = tmp_path / "settings.toml"
        config.write_text(
            f'[capture]\nproxy = "socks5h://127.0.0.1:{proxy.port}"\n'
            f'[[alerts.webhook]]\nname = "desk"\nurl = "http://hooks.example:{hook.port}/hook"\n'
        )
        done = onrecord("--config", str(config), "alerts", "test")
        assert done.code == 0, done.err
        assert len(hook.requests) == 1
        assert proxy.asked == [("socks5", f"hooks.example:{hook.port}")]


def test_no_resolver_is_asked_for_an_onion_address() -> None:
    with pytest.raises(DeliveryError, match=r"hooks\.onion is reached through Tor alone: set proxy in \[capture\]"):
        request("http://hooks.onion/hook", b"{}", {})
