"""Alerts by mail: one plain message a digest, over SMTP (RFC 5321) with TLS from the first byte, STARTTLS, or none."""

from __future__ import annotations

import logging
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from pipeline.alerts.channel import Batch
from pipeline.alerts.message import subject, text
from pipeline.outbound.deadline import TimeUp, bounded
from pipeline.outbound.errors import DeliveryError
from pipeline.outbound.plain_text import one_line
from pipeline.outbound.ways import connected

_log = logging.getLogger("onrecord.alerts")

PORTS = {"starttls": 587, "ssl": 465, "none": 25}
TIMEOUT = 30.0  # seconds for a whole message


@dataclass(frozen=True, slots=True)
class Mail:
    """Sends from `sender` to `to`; `security` is "starttls", "ssl" or "none"."""

    to: tuple[str, ...]
    sender: str
    host: str = "localhost"
    port: int = 25
    security: str = "none"
    user: str | None = None
    password: Callable[[], str] | None = None
    timeout: float = TIMEOUT

    def send(self, batch: Batch) -> None:
        """Send one message; raises DeliveryError."""
        message = made(batch, self.sender, self.to)
        with self._session() as (client, state):
            state.sent = True
            refused = client.send_message(message, self.sender, list(self.to))
        if refused:  # no failure: sending it again would be once too often for the others
            _log.warning("%s refused %d of %d recipients", self.host, len(refused), len(self.to))

    def probe(self) -> None:
        """Connect and log in; raises DeliveryError."""
        with self._session() as (client, _):
            client.noop()

    @contextmanager
    def _session(self) -> Iterator[tuple[smtplib.SMTP, _State]]:
        """Open a client that is logged in; every failure, also while it is used, is a DeliveryError."""
        password = self.password() if self.user and self.password else None
        held: list[smtplib.SMTP] = []
        state = _State()
        try:
            with bounded(self.timeout, lambda: held[0].sock if held else None):
                client = _connected(self.security, held, self.host, self.port, self.timeout)
                if self.security == "starttls":
                    client.starttls(context=ssl.create_default_context())
                if self.user and password is not None:
                    client.login(self.user, password)
                yield client, state
        except (TimeUp, TimeoutError):
            raise DeliveryError(f"{self.host} did not answer within {self.timeout:g} s", uncertain=state.sent) from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise _told(self.host, error, data_sent=state.sent) from None
        finally:
            for opened in held:
                opened.close()


@dataclass(slots=True)
class _State:
    """Whether the message may have gone out."""

    sent: bool = False


def made(batch: Batch, sender: str, to: tuple[str, ...]) -> EmailMessage:
    """Return the message; its Message-ID is the same when it is sent again."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = one_line(subject(batch), 200)
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Date"] = format_datetime(batch.created)
    message["Message-ID"] = f"<{batch.id}@onrecord.invalid>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday notice answers it
    message.set_content(text(batch), cte="quoted-printable")
    return message


class _ByTheWay(smtplib.SMTP):
    """A client that connects by the user's way; TLS is put above its socket."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return connected(host, port, timeout, tls=isinstance(self, smtplib.SMTP_SSL))


class _Plain(_ByTheWay):
    """A client that can be reached, to be cut off, while it still connects."""

    def __init__(self, held: list[smtplib.SMTP], host: str, port: int, timeout: float) -> None:
        held.append(self)
        super().__init__(host, port, timeout=timeout, local_hostname=_own_name())


class _Tls(smtplib.SMTP_SSL, _ByTheWay):
    """The same with TLS from the first byte."""

    def __init__(self, held: list[smtplib.SMTP], host: str, port: int, timeout: float) -> None:
        held.append(self)
        context = ssl.create_default_context()
        super().__init__(host, port, timeout=timeout, local_hostname=_own_name(), context=context)


def _connected(security: str, held: list[smtplib.SMTP], host: str, port: int, timeout: float) -> smtplib.SMTP:
    return (_Tls if security == "ssl" else _Plain)(held, host, port, timeout)


def _own_name() -> str:
    """How this machine introduces itself; the library would ask the DNS for it, which can take long."""
    name = socket.gethostname()
    return name if "." in name else "[127.0.0.1]"


def _told(host: str, error: Exception, *, data_sent: bool) -> DeliveryError:
    """Return what went wrong: the server's code, not its words, which may quote what it was sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return DeliveryError(f"the certificate of {host} is not valid: {error.verify_message}", permanent=True)
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return DeliveryError(f"{host} refuses the user or the password ({error.smtp_code})", permanent=True)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        return DeliveryError(f"{host} refuses every recipient ({codes[0]})", permanent=min(codes) >= 500)
    if isinstance(error, smtplib.SMTPResponseException):
        return DeliveryError(f"{host} answered {error.smtp_code}", permanent=error.smtp_code >= 500)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return DeliveryError(f"{host} cannot do what is asked of it: TLS, a login, or these addresses", permanent=True)
    reason = getattr(error, "strerror", None) or type(error).__name__
    return DeliveryError(f"{host}: {reason}", uncertain=data_sent)
