"""How often somebody may ask: a bucket of permits per key, which fills again with time."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

_MOST_KEYS = 10_000


class Rates:
    """At most `burst` at once, and `per_minute` after that, per key; the keys that asked last are remembered."""

    def __init__(self, burst: int, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._per_second = per_minute / 60
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: OrderedDict[str, tuple[float, float]] = OrderedDict()  # permits that were left, and when

    def wait(self, key: str) -> float:
        """Take a permit and return 0, or the seconds until there is one."""
        with self._lock:
            at = self._clock()
            left, before = self._keys.pop(key, (float(self._burst), at))
            left = min(left + (at - before) * self._per_second, float(self._burst))
            taken = left >= 1
            self._keys[key] = (left - 1 if taken else left, at)
            if len(self._keys) > _MOST_KEYS:
                self._keys.popitem(last=False)
            return 0.0 if taken else (1 - left) / self._per_second
