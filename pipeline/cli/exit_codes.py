"""The exit codes, each with its meaning: `--help`, `onrecord help exit-codes` and the README print them."""

from __future__ import annotations

EXIT_CODES = {
    0: "all well",
    1: "a bug in onrecord",
    2: "usage or configuration",
    3: "some targets failed",
    4: "no such snapshot, or it is withheld",
    5: "integrity: bytes are not what they should be",
    10: "store missing, denied or out of reach",
    11: "already running",
    130: "interrupted",
}
