"""A store whose user is killed at a chosen call."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from storage.base import ObjectStore

_CHANGES = frozenset({"put", "put_if_absent", "put_file", "delete"})
BEFORE = -1


def dying_store(at: int, what: int) -> Callable[[ObjectStore], ObjectStore]:
    """Wrap stores so that the process ends before, or behind, the n-th call that changes any of them."""
    left = [at]
    lock = threading.Lock()

    class Dying:
        def __init__(self, store: ObjectStore) -> None:
            self._store = store

        def __getattr__(self, name: str) -> Any:
            call = getattr(self._store, name)
            return counted(call) if name in _CHANGES else call

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def calling(*arguments: Any, **options: Any) -> Any:
            with lock:
                left[0] -= 1
                now = left[0] == 0
            if now and what == BEFORE:
                os.kill(os.getpid(), signal.SIGKILL)
            result = call(*arguments, **options)
            if now:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return calling

    return Dying  # type: ignore[return-value]  # it has the methods of the one it wraps
