"""The manifest: WACZ 1.1.1's datapackage.json, with what a run adds to it, and the digest file beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from archive import object_keys
from archive.checked_json import parsed_object, size_of, text_of, texts_of
from archive.digests import digest_of, is_digest
from archive.errors import IntegrityError
from archive.model import Manifest, RecordsRoot, Resource
from archive.times import from_iso, iso
from storage.base import checked_key

WACZ_VERSION = "1.1.1"
LAYOUT = 1
LONGEST = 16 << 20  # bytes: one of a thousand WARC files has a fifth of a million
_TREE = "rfc6962-sha256"
_NOT_IN_NAMES = re.compile(r"[^-a-z0-9._/]")  # of resources, by Data Package
_MOST_SECONDS = 10**11  # some thousand years


def build(
    run: str,
    started: datetime,
    finished: datetime,
    resources: list[Resource],
    *,
    parents: list[str],
    counts: Mapping[str, int],
    software: str,
    settings: Mapping[str, object],
    records: RecordsRoot | None = None,
    clock: Mapping[str, object] | None = None,
    methods: bool = False,
) -> bytes:
    """Return the manifest's bytes (WACZ 1.1.1 §5.1), deterministic for the same arguments."""
    package: dict[str, object] = {
        "profile": "data-package",
        "wacz_version": WACZ_VERSION,
        "title": f"onrecord run {run}",
        "created": iso(finished),
        "software": software,
        "resources": [
            {"name": _NOT_IN_NAMES.sub("-", it.path.lower()), "path": it.path, "hash": it.hash, "bytes": it.bytes}
            for it in resources
        ],
        "run": {
            "id": run,
            "started": iso(started),
            "finished": iso(finished),
            "layout": LAYOUT,
            **({"methods": True} if methods else {}),  # its index names the methods of requests
        },
        "settings": dict(settings),
        "counts": dict(counts),
        "parents": sorted(parents),
    }
    if clock is not None:
        package["clock"] = dict(clock)
    if records is not None:
        package["records"] = {"tree": _TREE, "count": records.count, "root": records.root}
    return json.dumps(package, ensure_ascii=False, indent=2).encode("utf-8", "replace") + b"\n"


def digest_file(manifest: bytes) -> bytes:
    """Return the bytes of datapackage-digest.json (WACZ 1.1.1 §5.3)."""
    return json.dumps({"path": object_keys.MANIFEST, "hash": digest_of(manifest)}, indent=2).encode() + b"\n"


def parse(data: bytes) -> Manifest:
    """Read a run's manifest; raises IntegrityError for anything else."""
    try:
        package = parsed_object(data)
        return Manifest(
            run=text_of(package["run"]["id"]),
            created=from_iso(text_of(package["created"])),
            resources=_resources(package["resources"]),
            parents=texts_of(package["parents"]),
            counts={name: size_of(count) for name, count in package["counts"].items()},
            hash=digest_of(data),
            started=from_iso(text_of(package["run"]["started"])) if "started" in package["run"] else None,
            records=_records(package["records"]) if "records" in package else None,
            ahead=_seconds(package, "ahead"),
            ahead_at_start=_seconds(package, "ahead_at_start"),
            redactions=texts_of(package.get("redactions", [])),
            session=bool(isinstance(package.get("settings"), dict) and package["settings"].get("session")),
            methods=package["run"].get("methods") is True,
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise IntegrityError(f"not a run's manifest: {type(error).__name__} {error}") from error


def _seconds(package: Mapping[str, Any], name: str) -> timedelta:
    """Return a difference of clocks; none where the manifest notes none that can be understood."""
    clock = package.get("clock")
    value = clock.get(name) if isinstance(clock, dict) else None
    return timedelta(seconds=value) if isinstance(value, int) and abs(value) < _MOST_SECONDS else timedelta()


def _resources(entries: list[Mapping[str, Any]]) -> tuple[Resource, ...]:
    resources = []
    for entry in entries:
        resource = Resource(text_of(entry["path"]), text_of(entry["hash"]), size_of(entry["bytes"]))
        if not is_digest(resource.hash):
            raise ValueError(f"resource {resource.path!r} without digest")
        checked_key(resource.path)  # a manifest may come from a stranger
        resources.append(resource)
    if len({resource.path for resource in resources}) < len(resources):
        raise ValueError("a file is named twice")
    return tuple(resources)


def _records(entry: Mapping[str, Any]) -> RecordsRoot | None:
    if entry["tree"] != _TREE:  # of a newer version: the files' own hashes stand
        return None
    found = RecordsRoot(size_of(entry["count"]), text_of(entry["root"]))
    if not is_digest(found.root):
        raise ValueError("the root over its records is no digest")
    return found
