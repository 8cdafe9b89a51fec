"""Bytes under keys. Knows no WARC and no URL of the web."""
