"""Redactions that an earlier command began and did not finish."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.cli.context import Context
from pipeline.cli.output import print_json

if TYPE_CHECKING:
    from archive.access import Statement
    from archive.archive import Archive


def finish(context: Context, archive: Archive) -> None:
    """Finish redactions that were decided and broke off; raises IntegrityError, StoreError."""
    from archive.redaction import finish as finish_all
    from archive.redaction import unfinished

    store = archive.unguarded().stores.view
    if not unfinished(store):
        return
    for statement in finish_all(archive, context.known_keys()):
        say_finished(context, statement)
    known = {each.statement.id for each in archive.notices.statements()}
    for name in [name for name in unfinished(store) if name in known]:
        context.say(
            f"the redaction {name} is not finished, and nobody who is known here signed it: finish it where its key "
            "is, or name that in the setting trusted_keys"
        )


def say_finished(context: Context, statement: Statement) -> None:
    """Print that a redaction is done."""
    if context.as_json:
        replaced = [{"run": each.run, "old": each.old, "new": each.new} for each in statement.replaced]
        print_json({"redaction": statement.id, "records": list(statement.records), "replaced": replaced})
        return
    context.say(
        f"redaction {statement.id}: {len(statement.records):,} records are gone from {len(statement.replaced):,} runs; "
        "redact each copy of the store with: onrecord replicate STORE"
    )
