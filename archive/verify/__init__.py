"""Verification: every byte, digest, index line and link between runs held against what was written."""

from archive.verify.history import Readings
from archive.verify.run_check import Finding
from archive.verify.verification import Verification

__all__ = ["Finding", "Readings", "Verification"]
