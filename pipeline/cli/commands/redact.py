"""`onrecord redact`: what the law demands to be gone is taken out of the runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.context import Context
from pipeline.cli.output import many, plain, print_json
from pipeline.cli.unfinished_redactions import finish, say_finished, say_kept

if TYPE_CHECKING:
    from archive.redaction import Plan


@click.command("redact")
@click.argument("run", required=False)
@click.option("--url", "urls", multiple=True, help="Captures of this URL; may be repeated.")
@click.option(
    "--record",
    "records",
    multiple=True,
    metavar="ID",
    help="The capture of this record id, or at this place ('KEY OFFSET'); may be repeated.",
)
@click.option("--reason", help="One line, kept in the signed statement and shown to readers.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--finish", "finishing", is_flag=True, help="Only finish what was begun and broke off.")
@click.pass_obj
def command(
    context: Context,
    run: str | None,
    urls: tuple[str, ...],
    records: tuple[str, ...],
    reason: str | None,
    dry_run: bool,
    yes: bool,
    finishing: bool,
) -> None:
    """Take the content of captures out of the archive, for good, and keep a signed statement of it.

    The records of the captures, their requests and notes, and what was made of their pages are replaced by empty ones
    of the same ids; texts and titles go from every run. Addresses stay. Copies of the store are redacted by
    `onrecord replicate`. Needs a signing key.

    Example: onrecord redact 20261123T172500Z-7f3a1b2c --url https://example.org/post --reason 'Court order 3 O 17/26'
    """
    from archive.crypto import Signer
    from archive.redaction import plan_redaction, redact

    archive = context.open_archive()
    archive.require()
    finish(context, archive)
    if finishing:
        say_kept(context, archive)
        return
    if run is None or not (urls or records):
        raise click.UsageError("name a run, and what of it: --url or --record", click.get_current_context())
    reason = " ".join((reason or "").split())
    if not reason:
        raise click.UsageError("say why, in a line, with --reason: it is kept and shown", click.get_current_context())
    signer = None if dry_run else Signer.load(context.signing_key())
    what = plan_redaction(archive, run, urls, records)
    _say(context, what, done=False)
    if signer is None:
        return
    if not (yes or _is_wanted()):
        click.echo("onrecord: nothing was redacted", err=True)
        sys.exit(130)
    try:
        statement = redact(archive, what, signer, reason)
    except ValueError as error:
        raise click.UsageError(f"--reason: {error}") from error
    say_finished(context, statement)


def _is_wanted() -> bool:
    try:
        return click.confirm("This cannot be undone. Go on?", err=True)
    except click.Abort:  # nobody is there to answer
        click.echo(err=True)
        return False


def _say(context: Context, what: Plan, *, done: bool) -> None:
    from archive.times import iso

    if context.as_json:
        print_json(_entry(what) | {"done": done})
        return
    verb = "is" if len(what.gone) == 1 else "are"
    runs = f"{many(len(what.runs), 'run')}: {', '.join(what.runs)}"
    context.say(f"{many(len(what.gone), 'record')} {verb} to go, from {runs}")
    for word, captures in (("content of", what.captures), ("loses its payload:", what.repeats)):
        for each in captures:
            click.echo(
                f"{word} {iso(each.timestamp)} {plain(each.url)} {plain(each.record_id)} in run {each.run}", err=True
            )


def _entry(what: Plan) -> dict[str, Any]:
    from archive.times import iso

    def told(captures: Any) -> list[dict[str, str]]:
        return [
            {"url": each.url, "timestamp": iso(each.timestamp), "record_id": each.record_id, "run": each.run}
            | {"place": each.place}
            for each in captures
        ]

    records = {run: [each.record_id for each in gone] for run, gone in what.records.items()}
    return {
        "records": records,
        "captures": told(what.captures),
        "lose_their_payload": told(what.repeats),
        "runs": list(what.runs),
    }
