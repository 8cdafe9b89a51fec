"""Feeds of what happened to pages: Atom (RFC 4287) and JSON Feed 1.1."""
