"""Verification: every byte, digest, index line and link between runs held against what was written."""
