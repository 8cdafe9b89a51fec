"""Saving pages over HTTP: who may, what waits for it, and the routes. Without `serve --write` none of it is there."""
