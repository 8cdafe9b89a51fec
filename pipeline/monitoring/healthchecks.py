"""Pings to a monitor that misses them: `URL/start`, `URL` and `URL/fail`, as healthchecks.io and its kin take them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from pipeline.alerts.channel import AlertSettingsError
from pipeline.outbound.errors import DeliveryError

_log = logging.getLogger("onrecord.health")

TIMEOUT = 5.0  # seconds


@dataclass(frozen=True, slots=True)
class Healthcheck:
    """Tells a monitor of a run's start and end; never raises, and never takes longer than `timeout` seconds a ping.

    Without a `url` it does nothing. Each method returns whether the monitor answered with a 2xx.
    """

    url: str | None
    timeout: float = TIMEOUT

    def start(self) -> bool:
        """Report that the run begins."""
        return self._ping("/start")

    def success(self) -> bool:
        """Report that the run ended well."""
        return self._ping("")

    def fail(self) -> bool:
        """Report that the run ended, and not well."""
        return self._ping("/fail")

    def _ping(self, ending: str) -> bool:
        if not self.url:
            return False
        from pipeline.outbound.http import request

        parts = urlsplit(self.url)
        path = parts.path.rstrip("/") + ending if ending else parts.path
        try:
            request(urlunsplit(parts._replace(path=path)), None, {}, method="GET", timeout=self.timeout)
        except (DeliveryError, OSError, ValueError) as error:
            _log.warning("the healthcheck got no ping: %s", error)
            return False
        return True


def healthcheck(url: str | None) -> Healthcheck:
    """Return the monitor at an address; raises AlertSettingsError for what is no address."""
    if url is not None:
        from pipeline.outbound.http import address

        try:
            address(url)
        except (ValueError, AttributeError, TypeError) as error:
            raise AlertSettingsError(f"alerts.healthcheck cannot be used: {error}") from None
    return Healthcheck(url)
