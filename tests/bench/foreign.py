"""Files of other programs, imported and counted: python -m tests.bench.foreign --data DIR.

Each file of DIR (WARC, ARC, WACZ, HAR, MHTML, saved pages) goes into a store of its own. warcio reads it too, and
trafilatura each of its HTML answers with status 200: a record that is neither kept nor named, and a text that the
store lacks, is a loss. Printed are the losses, the files that were refused, and a table by format; the exit code is 1
where there is a loss.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import sys
import tempfile
import traceback
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import trafilatura
from warcio.archiveiterator import ArchiveIterator

from archive.archive import Archive
from pipeline.extract.extractor_pool import ExtractorPool
from pipeline.ingest.import_files import import_file
from pipeline.ingest.import_flaws import Left
from storage.errors import OnrecordError
from storage.memory import MemoryStore

FORMATS = ("wacz", "warc.zst", "warc.gz", "warc", "arc.gz", "arc", "har", "mhtml", "mht", "html")
LOSSES = ("crashes", "records lost", "texts lost", "bad verify")
COLUMNS = ("files", "exit 0", "exit 2", "exit 3", "theirs", "records", "already", "left", "captures", "notes", "texts")


def kind_of(name: str) -> str:
    """Return the format that a file's name says."""
    return next((kind for kind in FORMATS if f".{kind}" in name.lower()), "other")


def streams(path: Path) -> Iterator[io.BytesIO]:
    """Yield the WARC and ARC files of a file: itself, or the members of a WACZ."""
    if not zipfile.is_zipfile(path):
        yield io.BytesIO(path.read_bytes())
        return
    with zipfile.ZipFile(path) as package:
        for name in package.namelist():
            if ".warc" in name or ".arc" in name:
                yield io.BytesIO(package.read(name))


def entries(path: Path) -> tuple[int, list[tuple[str, bytes]]]:
    """Count the entries of a HAR file that hold a body; what their HTML is, is left to the store."""
    log = json.loads(path.read_bytes().decode("utf-8-sig"))["log"]
    bodies = [each for each in log["entries"] if each["response"].get("content", {}).get("text")]
    pages = [
        (each["request"]["url"], each["response"]["content"]["text"].encode("utf-8", "surrogatepass"))
        for each in bodies
        if each["response"]["status"] == 200
        and "html" in each["response"]["content"].get("mimeType", "")
        and each["response"]["content"].get("encoding") != "base64"
    ]
    return len(bodies), pages


def read(path: Path) -> tuple[int, list[tuple[str, bytes]]]:
    """Return how many records another reader finds, and the address and body of each HTML answer with status 200."""
    if kind_of(path.name) == "har":
        try:
            return entries(path)
        except (ValueError, LookupError, TypeError, AttributeError):
            return 0, []
    count, pages = 0, []
    for stream in streams(path):
        try:
            for record in ArchiveIterator(stream, arc2warc=False, no_record_parse=False):
                count += 1
                head = record.http_headers
                if record.rec_type != "response" or head is None or head.get_statuscode() != "200":
                    continue
                if "html" not in (head.get_header("Content-Type") or ""):
                    continue
                url = record.rec_headers.get_header("WARC-Target-URI") or record.rec_headers.get_header("uri") or ""
                pages.append((url.strip("<>"), record.content_stream().read()))
        except Exception:  # noqa: BLE001 - whatever it raises, it has come to its end
            pass
    return count, pages


def has_text(archive: Archive, url: str) -> bool:
    """Return whether a capture of an address has a text."""
    documents = (archive.document(snapshot) for snapshot in archive.snapshots(url))
    return any(document is not None and document.article.text for document in documents)


def texts_lost(archive: Archive, pages: list[tuple[str, bytes]], seen: Counter[str]) -> list[str]:
    """Return the addresses of pages with a text that the archive lacks."""
    lost = []
    for url, body in pages:
        if url.lower().startswith(("http:", "https:")) and trafilatura.extract(body):
            seen["texts"] += 1
            if not has_text(archive, url):
                lost.append(url)
    return lost


def look(path: Path, pool: ExtractorPool, spool: Path) -> tuple[Counter[str], list[str]]:
    """Import a file and count; also return lines about what was refused or lost."""
    seen: Counter[str] = Counter(files=1)
    lines: list[str] = []
    left: list[Left] = []
    archive = Archive(MemoryStore(), spool=spool)
    archive.prepare()
    count, pages = read(path)
    try:
        done = import_file(archive, path, left.append, pool)
    except OnrecordError as error:
        seen["exit 2"] += 1
        seen["texts refused"] += len(pages)
        return seen, [f"exit 2, {count} records of another reader: {error}"]
    archive.refresh()
    seen[f"exit {3 if done.left or done.clashes else 0}"] += 1
    seen.update({"records": done.records, "already": done.already, "left": done.left})
    seen.update({"captures": done.captures, "notes": done.notes, "theirs": count})
    lost = max(count - done.records - done.already - done.left, 0)
    seen["records lost"] = lost
    lines += [f"RECORDS LOST: {lost} of {count}"] if lost else []
    missing = texts_lost(archive, pages, seen)
    seen["texts lost"] = len(missing)
    lines += [f"TEXT LOST: {url}" for url in missing]
    if faults := [fault for each in archive.verify() for fault in each.faults]:
        seen["bad verify"] += 1
        lines += [f"VERIFY: {faults[0]}"]
    lines += [f"left out: {each.place}: {each.reason}" for each in left if not each.taken][:3]
    return seen, lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a folder of files of other programs")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    table: dict[str, Counter[str]] = {}
    with ExtractorPool(1, time_limit=60.0, memory_limit=1 << 31) as pool, tempfile.TemporaryDirectory() as spools:
        for number, path in enumerate(sorted(path for path in given.data.iterdir() if path.is_file())):
            try:
                seen, lines = look(path, pool, Path(spools) / str(number))
            except Exception:  # noqa: BLE001 - a crash is what is looked for
                seen, lines = Counter({"files": 1, "crashes": 1}), [traceback.format_exc()]
            table.setdefault(kind_of(path.name), Counter()).update(seen)
            for line in lines:
                print(f"{path.name}: {line}", flush=True)
    table["all"] = sum(table.values(), Counter())
    for kind, seen in table.items():
        shown = (f"{what} {seen[what]:,}" for what in (*COLUMNS, *LOSSES))
        print(f"{kind}: {', '.join(shown)}", flush=True)
    return int(any(table["all"][what] for what in LOSSES))


if __name__ == "__main__":
    sys.exit(main())
