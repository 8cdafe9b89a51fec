"""What can go wrong below the archive; the root of the one error tree of the program.

OnrecordError                    carries `exit_code`, printed as one line by `main()`
├── StoreError                   exit 10: the bytes could not be kept or had
│   ├── StoreUnavailable         not now: network, timeout, 5xx, throttled, disk full; worth a retry later
│   ├── StoreMissing             no such bucket or directory
│   ├── StoreDenied              credentials absent, wrong or not sufficient
│   └── ObjectMissing            no object under that key (an answer more often than a fault)
├── LocationError                exit 2: the store's address cannot be understood
└── archive.errors.ArchiveError  drawn in its own module
"""

from __future__ import annotations


class OnrecordError(Exception):
    """The root: its text is one line that says what to do next."""

    exit_code = 1


class StoreError(OnrecordError):
    """The store could not do what was asked of it."""

    exit_code = 10


class StoreUnavailable(StoreError):
    """The store does not answer now; the same call may work later."""


class StoreMissing(StoreError):
    """The bucket or directory does not exist."""


class StoreDenied(StoreError):
    """The store refuses these credentials."""


class ObjectMissing(StoreError):
    """No object lies under the key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"no object {key}")
        self.key = key


class LocationError(OnrecordError):
    """The address of a store cannot be understood."""

    exit_code = 2
