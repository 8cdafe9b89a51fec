"""Mail, against a real SMTP server on loopback."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from pipeline.alerts.channel import batch_of
from pipeline.alerts.mail import Mail
from pipeline.alerts.settings import load_channels
from pipeline.outbound.errors import DeliveryError
from tests.pipeline.alerts.conftest import NOON, Letters, event, smtp, stranger

TO = ("ida@quay.example",)


def mail(port: int, **more: object) -> Mail:
    values = {"to": TO, "sender": "onrecord@quay.example", "host": "127.0.0.1", "port": port, "timeout": 5.0}
    return Mail(**(values | more))  # type: ignore[arg-type]


def test_one_mail_tells_all_with_records_and_commands(letters: Letters) -> None:
    batch = batch_of((event("a"), event("b", "changed", diff="The tax [-stays-]{+goes+}."), event("c")), "mail", NOON)
    with smtp(letters) as port:
        mail(port).send(batch)
    (message,) = letters.messages
    assert message["Subject"] == "onrecord: 2 gone, 1 edited"
    assert (message["From"], message["To"]) == ("onrecord@quay.example", "ida@quay.example")
    assert message["Auto-Submitted"] == "auto-generated"
    assert batch.id in message["Message-ID"]
    text = message.get_content()  # type: ignore[attr-defined]
    assert text.count("record: <urn:uuid:1> of 2026-11-24T12:00:00Z") == 3
    assert (
        "see: onrecord --store s3://commentary diff https://gazette.example/b "
        "--from 2026-11-24T12:00:00Z --to 2026-11-24T13:00:00Z"
    ) in text
    assert "The tax [-stays-]{+goes+}." in text
    assert "see: onrecord --store s3://commentary get https://gazette.example/a --at 2026-11-24T12:00:00Z" in text
    assert text.count(" diff ") == 1


def test_what_a_page_says_of_itself_adds_no_header_line_or_command(letters: Letters) -> None:
    evil = event(
        "x'; rm -rf ~; '\r\nBcc: all@quay.example", title="Tax\r\nBcc: all@quay.example\r\n\r\n\x1b[2J\ud800 Ünï"
    )
    with smtp(letters) as port:
        mail(port).send(batch_of((evil,), "mail", NOON))
    (message,) = letters.messages
    assert message["Bcc"] is None
    assert message["Subject"] == "onrecord: gone: Tax Bcc: all@quay.example [2J\ufffd Ünï"
    text = message.get_content()  # type: ignore[attr-defined]
    assert "\x1b" not in text
    assert """'https://gazette.example/x'"'"'; rm -rf ~; '"'"' Bcc: all@quay.example'""" in text
    assert letters.got[0].rcpt_tos == list(TO)


def test_login_over_starttls(letters: Letters, tls: ssl.SSLContext, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("open sesame\n")
    options = {"tls_context": tls, "authenticator": letters.authenticate, "auth_required": True}
    with smtp(letters, **options) as port:
        table = {"to": TO[0], "host": "127.0.0.1", "port": port, "security": "starttls", "user": "ida"}
        (channel,) = load_channels({"mail": table | {"password_file": str(tmp_path / "password")}})
        channel.sender.probe()
        assert letters.got == []
        channel.sender.send(batch_of((event(),), "mail", NOON))
        assert len(letters.got) == 1
        (tmp_path / "password").write_text("wrong horse")
        with pytest.raises(DeliveryError, match=r"refuses the user or the password \(535\)") as failure:
            channel.sender.send(batch_of((event(),), "mail", NOON))
        assert failure.value.permanent
        assert "horse" not in str(failure.value)
    assert letters.logins[-1] == b"wrong horse"


def test_tls_from_the_first_byte(letters: Letters, tls: ssl.SSLContext) -> None:
    with smtp(letters, tls=tls) as port:
        mail(port, security="ssl").send(batch_of((event(),), "mail", NOON))
    assert len(letters.got) == 1


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_a_strangers_certificate_gets_no_password(letters: Letters, security: str) -> None:
    options = {"tls": stranger()} if security == "ssl" else {"tls_context": stranger()}
    options["authenticator"] = letters.authenticate
    with smtp(letters, **options) as port:
        sender = mail(port, security=security, user="ida", password=lambda: "open sesame")
        with pytest.raises(DeliveryError, match=r"the certificate of 127\.0\.0\.1 is not valid"):
            sender.send(batch_of((event(),), "mail", NOON))
    assert (letters.logins, letters.got) == ([], [])


def test_no_starttls_no_password(letters: Letters) -> None:
    with smtp(letters, authenticator=letters.authenticate, auth_require_tls=False) as port:
        sender = mail(port, security="starttls", user="ida", password=lambda: "open sesame")
        with pytest.raises(DeliveryError, match="cannot do what is asked"):
            sender.send(batch_of((event(),), "mail", NOON))
    assert letters.logins == []


@pytest.mark.parametrize(("answer", "permanent"), [("451 later", False), ("554 never", True)])
def test_failing_servers(letters: Letters, answer: str, permanent: bool) -> None:
    letters.answers = [answer]
    with smtp(letters) as port, pytest.raises(DeliveryError, match=answer[:3]) as failure:
        mail(port).send(batch_of((event(),), "mail", NOON))
    assert failure.value.permanent is permanent
    with pytest.raises(DeliveryError, match="refused") as failure:
        mail(port).send(batch_of((event(),), "mail", NOON))
    assert (failure.value.permanent, failure.value.uncertain) == (False, False)


def test_one_bad_recipient_keeps_it_from_nobody_else(letters: Letters) -> None:
    letters.refused = {"gone@quay.example"}
    with smtp(letters) as port:
        mail(port, to=(*TO, "gone@quay.example")).send(batch_of((event(),), "mail", NOON))
        assert [envelope.rcpt_tos for envelope in letters.got] == [list(TO)]
        with pytest.raises(DeliveryError, match="refuses every recipient"):
            mail(port, to=("gone@quay.example",)).send(batch_of((event(),), "mail", NOON))


@contextmanager
def talker(piece: bytes) -> Iterator[int]:
    """A server that says this again and again, and never ends a line."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()

        def talk() -> None:
            with suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    while not over.wait(0.05):
                        connection.sendall(piece)

        thread = threading.Thread(target=talk)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize("piece", [b"", b"2"], ids=["silent", "a byte at a time"])
def test_slow_servers_are_left_in_time(piece: bytes) -> None:
    with talker(piece) as port, pytest.raises(DeliveryError, match="did not answer within") as failure:
        mail(port, timeout=0.3).send(batch_of((event(),), "mail", NOON))
    assert (failure.value.permanent, failure.value.uncertain) == (False, False)
