"""Another name for a sealed run, where garbage collection holds the first one in the store and does not end.

The WARC files stay as they are, byte for byte. What says the run's name is written anew beside the old files: pages,
index, outcomes, manifest. Then one small file, put in its place at once, says which name holds: a writer that is killed
before that leaves the run under its first name, whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from archive import object_keys
from archive.checked_json import parsed_object
from archive.digests import digest_of_file, read_self_digested, self_digested
from archive.formats import manifest
from archive.formats.cdxj import parse_line
from archive.formats.zipnum import BlockIndex, decode_block, encode
from archive.runs.spool import SpooledRun
from storage.errors import StoreError, StoreUnavailable


def rename(spooled: SpooledRun) -> str:
    """Give a sealed run another name, under which it was never put; returns it. Raises StoreError."""
    old, new = spooled.run, object_keys.renamed(spooled.run)
    try:
        spooled.write_as(new, object_keys.PAGES, _pages(spooled, old, new))
        spooled.write_as(new, object_keys.OUTCOMES, _outcomes(spooled, old, new))
        cdx, idx = encode(_lines(spooled, old, new), roomy=True)
        spooled.write_as(new, object_keys.CDX, [cdx])
        spooled.write_as(new, object_keys.IDX, [idx])
        data = _manifest(spooled, old, new)
        spooled.write_as(new, object_keys.MANIFEST_DIGEST, [manifest.digest_file(data)])
        spooled.write_as(new, object_keys.MANIFEST, [data])
    except OSError as error:
        raise StoreUnavailable(f"cannot read {spooled.folder}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"run {old} in the spool is damaged ({error}): see {spooled.folder}") from error
    spooled.take_name(new)
    return new


def moved(key: str, old: str, new: str) -> str:
    """Return an object key, or a text that begins with one, under the run's new name where it is one of the run."""
    prefix = object_keys.run_key(old, "")
    return object_keys.run_key(new, key.removeprefix(prefix)) if key.startswith(prefix) else key


def _pages(spooled: SpooledRun, old: str, new: str) -> Iterator[bytes]:
    """Return the lines of the documents, each as long as it was: the index names them by their offsets."""
    with spooled.path(object_keys.PAGES).open("rb") as lines:
        for number, line in enumerate(lines):
            if not number:
                yield line
                continue
            entry = read_self_digested(line)
            for place in (entry, entry.get("rendered", {})):
                if "warc" in place:
                    place["warc"] = moved(place["warc"], old, new)
            written = self_digested(entry)
            if len(written) != len(line):
                raise ValueError(f"line {number + 1} of {object_keys.PAGES} would have another length")
            yield written


def _outcomes(spooled: SpooledRun, old: str, new: str) -> Iterator[bytes]:
    with spooled.path(object_keys.OUTCOMES).open("rb") as lines:
        for line in lines:
            entry = parsed_object(line)
            if isinstance(entry.get("key"), str):
                entry["key"] = moved(entry["key"], old, new)
            yield json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def _lines(spooled: SpooledRun, old: str, new: str) -> Iterator[str]:
    data = spooled.path(object_keys.CDX).read_bytes()
    for block in BlockIndex(spooled.path(object_keys.IDX).read_bytes()):
        for text in decode_block(data[block.offset : block.offset + block.length]):
            line = parse_line(text)
            fields = {
                name: moved(value, old, new) if name in {"document", "refers"} else value
                for name, value in line.fields.items()
            }
            yield f"{line.key} {line.timestamp} {json.dumps(fields, ensure_ascii=False, separators=(',', ':'))}"


def _manifest(spooled: SpooledRun, old: str, new: str) -> bytes:
    package: dict[str, Any] = parsed_object(spooled.path(object_keys.MANIFEST).read_bytes())
    package["title"] = f"onrecord run {new}"
    package["run"] = {**package["run"], "id": new, "first_name": package["run"].get("first_name", old)}
    for entry in package["resources"]:
        if entry["path"] in object_keys.NAMING:
            entry["hash"], entry["bytes"] = digest_of_file(spooled.path_as(new, entry["path"]))
    return json.dumps(package, ensure_ascii=False, indent=2).encode("utf-8", "replace") + b"\n"
