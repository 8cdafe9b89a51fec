"""Redactions that an earlier command began and did not finish."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.cli.context import Context
from pipeline.cli.output import many, print_json

if TYPE_CHECKING:
    from archive.access import Statement
    from archive.archive import Archive


def finish(context: Context, archive: Archive) -> None:
    """Finish redactions that were decided and broke off; raises IntegrityError, StoreError.

    One that another came before is made again, and signed by this machine's key.
    """
    if not archive.unfinished_redactions():
        return
    from archive.redaction import finish as finish_all

    known = context.known_keys()
    for statement in [*finish_all(archive, known), *_made_again(context, archive)]:
        say_finished(context, statement)
    stated = {each.statement.id: each for each in archive.notices.statements(known)}
    for name in [name for name in archive.unfinished_redactions() if name in stated and not stated[name].signers]:
        context.say(
            f"the redaction {name} is not finished, and nobody who is known here signed it: finish it where its key "
            "is, or name that in the setting trusted_keys"
        )


def _made_again(context: Context, archive: Archive) -> list[Statement]:
    from archive.crypto import Signer
    from archive.redaction import finish_overtaken, overtaken

    left = overtaken(archive, context.known_keys())
    if not left:
        return []
    if not context.signing_key().exists():
        names = ", ".join(each.id for each in left)
        context.say(
            f"of the same run, another redaction came before {names}: run `onrecord redact --finish` where a signing "
            "key is, which states it again"
        )
        return []
    return finish_overtaken(archive, Signer.load(context.signing_key()), context.known_keys())


def say_kept(context: Context, archive: Archive) -> None:
    """Name what keeps files of finished redactions aside: another machine may yet move some of them."""
    from archive.redaction import kept_for

    for key in kept_for(archive):
        context.say(
            f"another machine says by {key} that it moves a redaction's files, or was killed: run `onrecord redact "
            "--finish` there, or delete that key from the store if it is gone for good"
        )


def say_finished(context: Context, statement: Statement) -> None:
    """Print that a redaction is done."""
    if context.as_json:
        replaced = [{"run": each.run, "old": each.old, "new": each.new} for each in statement.replaced]
        print_json({"redaction": statement.id, "records": list(statement.records), "replaced": replaced})
        return
    context.say(
        f"redaction {statement.id}: {many(len(statement.records), 'record')} removed from "
        f"{many(len(statement.replaced), 'run')}; "
        "redact each copy of the store with: onrecord replicate STORE"
    )
