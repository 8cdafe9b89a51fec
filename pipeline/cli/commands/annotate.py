"""`onrecord annotate`: collections, labels and notes, added to what was captured."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.capture_options import words_of
from pipeline.cli.context import Context
from pipeline.cli.output import many, plain, print_json
from pipeline.cli.time_params import Time
from pipeline.cli.withheld_option import withheld_option

if TYPE_CHECKING:
    from archive.annotations import Addition, Signed, Subject, Words
    from archive.archive import Archive, Reader


@click.command("annotate")
@click.argument("url", required=False)
@click.option("--at", type=Time(), help="Only the snapshot of URL that is nearest to this time.  [default: the page]")
@click.option("--run", "runs", multiple=True, metavar="RUN", help="All captures of this run; may be repeated.")
@click.option("--collection", multiple=True, metavar="NAME", help="Put it into a collection; may be repeated.")
@click.option("--label", multiple=True, metavar="TEXT", help="Label it; may be repeated.")
@click.option("--note", metavar="TEXT", help="Say something of it.")
@click.option("--remove", multiple=True, metavar="ANNOTATION", help="End an annotation, by the name that is listed.")
@click.option("--reason", help="Why it is removed; kept with the annotation.")
@withheld_option
@click.pass_obj
def command(
    context: Context,
    url: str | None,
    at: datetime | None,
    runs: tuple[str, ...],
    collection: tuple[str, ...],
    label: tuple[str, ...],
    note: str | None,
    remove: tuple[str, ...],
    reason: str | None,
    withheld: bool,
) -> None:
    """Put captures into collections, label them, and write notes to them; without these options, list what is said.

    An annotation is about a page, one of its snapshots, or a run. It is an object of its own in the store, signed where
    this machine has a signing key. It changes no capture and is never changed itself: remove it, and add another.

    Example: onrecord annotate https://example.org/post --collection 'Case 7' --label draft --note 'See page 2.'
    """
    words = words_of(collection, label, note)
    if at is not None and url is None:
        raise click.UsageError("--at says which snapshot of a URL: name the URL")
    if url is not None and runs:
        raise click.UsageError("an annotation is about a URL or about runs: name one of the two")
    if remove and (url or runs or not words.empty):
        raise click.UsageError("--remove ends annotations by their names: name nothing else beside it")
    archive = context.open_archive()
    archive.require()
    if remove:
        _remove(context, archive, remove, reason)
    elif words.empty:
        _list(context, archive, url, runs, withheld=withheld)
    elif url is None and not runs:
        raise click.UsageError("name what is meant: a URL, or runs with --run")
    else:
        _add(context, archive, _subjects(archive, url, at, runs), words)


def _subjects(archive: Archive, url: str | None, at: datetime | None, runs: Iterable[str]) -> list[Subject]:
    """Return what is to be annotated; raises NoSuchSnapshot for what is not in the archive."""
    from archive.annotations import Subject
    from archive.errors import NoSuchSnapshot

    every = archive.unguarded()  # who keeps the archive may annotate what is withheld
    if url is None:
        there = set(every.runs())
        for run in runs:
            if run not in there:
                raise NoSuchSnapshot(f"there is no run {run}; `onrecord --json snapshots URL` names runs")
        return [Subject(run=run) for run in dict.fromkeys(runs)]
    kept = every.kept_address(url)
    found = every.near(kept, at) if at is not None else next(every.back(kept), None)
    if found is None:
        raise NoSuchSnapshot(f"nothing is kept of {url}; capture it: onrecord capture URL --collection NAME")
    if at is None:
        return [Subject(url=found.url)]
    return [Subject(url=found.url, at=found.timestamp, record_id=found.record_id)]


def _add(context: Context, archive: Archive, subjects: list[Subject], words: Words) -> None:
    signer = context.signer()
    for subject in subjects:
        try:
            made = archive.annotations.add(subject, words, signer)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        if context.as_json:
            print_json(_entry(made, signer.public.name if signer else None))
        else:
            by = f"signed by {signer.public.name}" if signer else "not signed: this machine has no signing key"
            context.say(f"annotation {made.id}: {plain(_about(made))}; {by}")


def _remove(context: Context, archive: Archive, names: Iterable[str], reason: str | None) -> None:
    signer = context.signer()
    for name in names:
        archive.annotations.remove(name, reason, signer)
        context.say(f"annotation {name} is ended")


def _list(context: Context, archive: Archive, url: str | None, runs: Iterable[str], *, withheld: bool) -> None:
    """Print the annotations, or those of a URL or of runs; exit with 5 where some cannot be read."""
    from archive.errors import IntegrityError

    reader = archive.unguarded() if withheld else archive
    found, faults = archive.annotations.additions(context.known_keys())
    named = set(runs)
    kept = archive.kept_address(url) if url else None
    count = 0
    for each in found:
        if (kept and not _is_of(reader, each.addition, kept)) or (named and each.addition.subject.run not in named):
            continue
        count += 1
        hidden = _is_hidden(reader, each.addition)
        if context.as_json:
            print_json(_entry(each.addition, each.by, hidden=hidden))
        else:
            click.echo(_line(each, hidden=hidden))
    if faults:
        raise IntegrityError(
            f"{many(len(faults), 'annotation')} cannot be read, {faults[0][0]} the first ({faults[0][1]}); repair them "
            "from a copy: onrecord repair --from STORE"
        )
    if not count:
        context.say("nothing is said of it" if url or named else "there are no annotations")


def _is_of(reader: Reader, addition: Addition, url: str) -> bool:
    """Return whether an annotation is about a page, or about a run that captured it."""
    subject = addition.subject
    if subject.url is not None:
        return any(reader.matches(each, url, "exact") for each in reader.snapshots(subject.url))
    return any(each.run == subject.run for each in reader.snapshots(url))


def _is_hidden(reader: Reader, addition: Addition) -> bool:
    """Return whether all that an annotation is about is withheld: then its words are not shown."""
    subject = addition.subject
    if subject.url is None:
        from storage.errors import ObjectMissing

        try:
            return reader.shown_ranges(subject.run or "") == {}
        except ObjectMissing:
            return False
    found = reader.snapshots(subject.url, start=subject.at, end=subject.at)
    shown = [each.withheld is None for each in found if subject.record_id in {None, each.record_id}]
    return bool(shown) and not any(shown)


def _about(addition: Addition) -> str:
    from archive.times import iso

    subject = addition.subject
    if subject.run is not None:
        return f"run {subject.run}"
    return f"{subject.url} of {iso(subject.at)}" if subject.at else f"{subject.url}"


def _line(each: Signed, *, hidden: bool) -> str:
    from archive.times import iso

    addition, words = each.addition, each.addition.words
    said = [f"in {plain(name)}" for name in words.collections] + [f"[{plain(name)}]" for name in words.labels]
    said += [plain(" ".join(words.note.split()))] if words.note else []
    shown = "withheld" if hidden else "; ".join(said)
    return f"{addition.id} {iso(addition.added)} {plain(_about(addition))}: {shown}  ({plain(each.by)})"


def _entry(addition: Addition, by: str | None, *, hidden: bool = False) -> dict[str, Any]:
    from archive.times import iso

    subject = addition.subject
    about = {
        "run": subject.run, "url": subject.url, "timestamp": subject.at and iso(subject.at),
        "record_id": subject.record_id, "added": iso(addition.added), "signature": by,
    }  # fmt: skip
    said: dict[str, object] = {"withheld": True} if hidden else addition.words.entry()
    return {"annotation": addition.id} | {name: value for name, value in about.items() if value} | said
