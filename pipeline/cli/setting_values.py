"""Settings that may be written in more than one way."""

from __future__ import annotations

import click


def address(store: object) -> str | None:
    """Return a store's address as a setting: one text, or a list of the members of a mirror."""
    if isinstance(store, list) and len(store) > 1 and all(isinstance(member, str) for member in store):
        from storage.location import mirror_address

        return mirror_address(store)
    if store is None or isinstance(store, str):
        return store
    raise click.UsageError('store is an address, or a list of two or more: write store = ["DIR", "s3://bucket"]')


def flag(name: str, *values: object) -> bool:
    """Return a setting that is on or off, and on unless the first value there is says otherwise."""
    value = str(next((value for value in values if value is not None), True)).lower()
    if value not in {"true", "false"}:
        raise click.UsageError(f"{name} is true or false")
    return value == "true"
