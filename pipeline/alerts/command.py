"""Alerts to a program of the user's: the JSON of `wording.payload` on its stdin; no shell."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass

from pipeline.alerts.channel import Batch
from pipeline.alerts.message import payload
from pipeline.outbound.errors import DeliveryError

TIMEOUT = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Command:
    """Starts `argv`; exit code 0 means that it has the message, and what it prints goes nowhere."""

    argv: tuple[str, ...]
    timeout: float = TIMEOUT

    def send(self, batch: Batch) -> None:
        """Hand one message over; raises DeliveryError."""
        name = self.argv[0]
        try:
            process = subprocess.Popen(  # noqa: S603 - the user's own settings name it
                self.argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # a group of its own: what it starts ends with it
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise DeliveryError(f"{name} cannot be started: {reason}", permanent=True) from None
        try:
            process.communicate(payload(batch), timeout=self.timeout)
        except subprocess.TimeoutExpired:
            raise DeliveryError(f"{name} took more than {self.timeout:g} s", permanent=True, uncertain=True) from None
        finally:
            _end(process)
        if process.returncode:
            raise DeliveryError(f"{name} ended with {process.returncode}")

    def probe(self) -> None:
        """Look for the program; raises DeliveryError."""
        if shutil.which(self.argv[0]) is None:
            raise DeliveryError(f"there is no program {self.argv[0]}", permanent=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
