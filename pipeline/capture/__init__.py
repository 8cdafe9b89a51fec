"""The byte-exact recorder: URLs in, exchanges out. Async stays in here, behind an iterator."""
