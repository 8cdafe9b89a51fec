"""CDXJ lines in ZipNum blocks, and how a snapshot is found in them."""

from archive.formats.cdxj import REVISIT

__all__ = ["REVISIT"]
