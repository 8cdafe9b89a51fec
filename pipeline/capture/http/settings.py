"""How pages are fetched."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.capture.http.proxies import DIRECT, Ways
from pipeline.capture.http.site_session import NOBODY, SiteSession


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """Limits and manners; sizes in bytes, times in seconds."""

    user_agent: str
    delay: float = 0.5  # between the starts of two requests to a host
    connections_per_host: int = 2
    concurrency: int = 64  # targets under way at once, over all hosts
    max_size: int = 1_000_000_000  # of a response as it is on the wire
    timeout: float = 60.0  # without a byte
    deadline: float = 1800.0  # for a whole response
    low_speed: float = 100.0  # bytes a second that a response must come with, 0 for any number,
    low_speed_time: float = 60.0  # over each span of so many seconds
    connect_timeout: float = 20.0
    max_redirects: int = 20
    max_header_bytes: int = 256 * 1024
    retries: int = 2  # of a 429 or 503
    retry_wait: float = 2.0  # before the first retry when the server names no time; doubled for the next
    max_retry_wait: float = 60.0  # the longest a server's Retry-After is followed
    allow_private: bool = False
    insecure: bool = False  # record a bad certificate and go on
    ways: Ways = DIRECT  # by which proxies
    session: SiteSession = NOBODY  # of the reader with sites
    memory_limit: int = 1 << 20  # of a response held in memory before it goes to a file
