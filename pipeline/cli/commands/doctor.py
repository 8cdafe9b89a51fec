"""`onrecord doctor`: what would keep captures from working here."""

from __future__ import annotations

import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

from pipeline.cli.check import Check
from pipeline.cli.commands.doctor_schedule import checks
from pipeline.cli.context import Context
from pipeline.cli.interrupted import resume_command
from pipeline.cli.output import many, plain, print_json
from pipeline.cli.paths import config_file, state_folder
from pipeline.cli.unfinished_runs import undecided_way
from storage.base import ObjectStore
from storage.errors import OnrecordError, StoreError, StoreMissing, StoreUnavailable
from storage.private import private_folder

_ROOM_WANTED = 2_000_000_000  # bytes: one WARC file and the pages on their way to it
_ROOM_NEEDED = 100_000_000  # bytes: less is used up by a few pages
_SAMPLE = b"<html><title>Sample</title><body><article><p>" + b"A sentence that is long enough to be text. " * 8


@click.command("doctor")
@click.option("--store-only", is_flag=True, help="Look at the store alone.")
@click.pass_obj
def command(context: Context, store_only: bool) -> None:
    """Say what would keep captures from working here.

    Looked at are the store, the disk, certificates, the extractor, the clock, the schedule and what runs it, and the
    ways by which alerts are sent. Nothing is sent.

    Example: onrecord --store s3://commentary doctor
    """
    states = set()
    store_failed = False
    for check in _store(context) if store_only else _checks(context):
        states.add(check.state)
        store_failed |= check.name.startswith("store") and check.state == "failed"
        if context.as_json:
            print_json({"check": check.name, "state": check.state, "detail": check.detail})
        elif not context.quiet or check.state != "ok":
            click.echo(f"{check.state:<8} {check.name}: {plain(check.detail)}")
    if "failed" in states:
        sys.exit(10 if store_failed else 2)


def _checks(context: Context) -> Iterator[Check]:
    yield Check("versions", "ok", ", ".join(_versions()))
    found = config_file()
    yield Check("configuration", "ok", f"{found}{'' if found.exists() else ' (none: the defaults hold)'}")
    yield from _store(context)
    yield _guarded("spool", lambda: _spool(context))
    yield _guarded("certificates", _certificates)
    yield _guarded("extractor", _extractor)
    yield _guarded("proxy", lambda: _proxy(context))
    yield from checks(context)


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except (OnrecordError, OSError) as error:
        return Check(name, "failed", str(error))


def _versions() -> Iterator[str]:
    yield f"Python {sys.version.split()[0]}"
    for package in ("onrecord", "trafilatura", "warcio", "boto3", "h11"):
        yield f"{package} {version(package)}"
    try:
        yield f"isal {version('isal')}"
    except PackageNotFoundError:
        yield "no isal: compression is slower"


def _store(context: Context) -> Iterator[Check]:
    from storage.location import open_stores

    try:
        stores = open_stores(context.store)
    except OnrecordError as error:
        yield Check("store", "failed", f"{context.store}: {error}")
        return
    for store in stores:
        try:
            context.known_stores().check(store)  # before anything is put, which would make its folder
        except OnrecordError as error:
            yield Check("store", "failed", str(error))
            continue
        yield from _member(store)


def _member(store: ObjectStore) -> Iterator[Check]:
    probe = f"onrecord-doctor-{secrets.token_hex(8)}"
    try:
        try:
            first = store.put_if_absent(probe, b"first")
            second = store.put_if_absent(probe, b"second")
            kept = store.get(probe)
        finally:
            kept_by = _kept_by(store, probe)
    except OnrecordError as error:
        yield Check("store", "failed", f"{store.url}: {error}")
        return
    if kept != b"first" or not first or second:
        yield Check("store", "failed", f"{store.url} lets a second writer replace what was put only if absent")
        return
    yield Check("store", "ok", f"{store.url} can be written{' and read' if kept_by else ', read and deleted from'}")
    if kept_by:
        yield Check(
            "store deletes",
            "warning",
            f"nothing can be deleted here ({kept_by}), by Object Lock or for want of the right: captures are kept, "
            f"gc has no use, and the probe {probe} stays",
        )
    yield _conditional(store)


def _kept_by(store: ObjectStore, probe: str) -> str:
    """Delete a probe; the server's word for refusing that, or "". Raises where the store cannot be asked."""
    try:
        store.delete(probe)
    except (StoreUnavailable, StoreMissing):
        raise
    except StoreError as error:
        return str(error).removeprefix(f"{store.url}: ").partition(":")[0]
    return ""


def _conditional(store: ObjectStore) -> Check:
    if not getattr(store, "conditional_puts", True):  # not known is not safe
        return Check(
            "store conditions", "warning", "no conditional puts: let only one machine write to this store at a time"
        )
    return Check("store conditions", "ok", "puts are conditional: any number of writers is safe")


def _spool(context: Context) -> Check:
    from archive.runs import left_runs

    folder = state_folder() / "spool"
    private_folder(folder)
    probe = folder / ".doctor"
    probe.write_bytes(b"")
    probe.unlink()
    free = shutil.disk_usage(folder).free
    spool = context.open_archive().spool
    left = dict(left_runs(spool))
    told = f"{folder}: {free / 1e9:.1f} GB free, {len(spool.names())} runs under way or waiting for this store"
    if left:
        runs = ", ".join(f"{run} ({many(len(urls), 'capture')})" for run, urls in left.items())
        told += f"; waiting: {runs}: {resume_command(context)} publishes them"
    told += _elsewhere(folder, context)
    if free < _ROOM_NEEDED:
        return Check("spool", "failed", f"{told}; a capture has no room there: free some space")
    if free < _ROOM_WANTED:
        return Check("spool", "warning", f"{told}; a capture may need more room")
    return Check("spool", "ok", told)


def _elsewhere(folder: Path, context: Context) -> str:
    """Return which runs wait for other stores: only a command that names their store publishes them."""
    own = context.address()
    waiting = [
        address
        for address in folder.glob("*/store.json")
        if any(path.is_dir() and not path.name.startswith(".") for path in address.parent.iterdir())
    ]
    urls = {_url_in(address) for address in waiting}
    others = sorted(urls - {own})
    return f"; runs wait for {', '.join(others)}" if others else ""


def _url_in(address: Path) -> str:
    from archive.checked_json import parsed_object, text_of

    try:
        return text_of(parsed_object(address.read_bytes()).get("url"))
    except ValueError:
        return f"an address that cannot be read, in {address}"


def _proxy(context: Context) -> Check:
    from pipeline.capture.http.proxies import undecided_line, ways_of

    chosen = context.defaults.get("capture", {}).get("proxy")
    if (variable := undecided_way(context)) is not None:
        return Check("proxy", "warning", undecided_line(variable))
    return Check("proxy", "ok", f"captures go by {ways_of(str(chosen) if chosen else None)}")


def _certificates() -> Check:
    import ssl

    paths = ssl.get_default_verify_paths()
    count = len(ssl.create_default_context().get_ca_certs())
    if count or (paths.capath and any(Path(paths.capath).glob("*"))):
        return Check("certificates", "ok", f"{count} authorities loaded from {paths.cafile or paths.capath}")
    return Check("certificates", "failed", "no certificate authorities: install ca-certificates, or https fails")


def _extractor() -> Check:
    from pipeline.extract.extractor_pool import ExtractorPool, extracted
    from pipeline.extract.extractor_version import extractor_version
    from pipeline.extract.tasks import Page

    with ExtractorPool(1) as pool:
        done = extracted(pool.submit(Page("http://sample.invalid/", _SAMPLE, "text/html")))
    if done.article is None or not done.article.text:
        return Check(
            "extractor", "failed", f"{extractor_version()} makes no text of a sample page: {done.verdict.error}"
        )
    return Check("extractor", "ok", extractor_version())
