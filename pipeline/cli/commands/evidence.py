"""`onrecord evidence`: the archive signed, and a snapshot proved to others."""

from __future__ import annotations

import click

from pipeline.cli.commands import evidence_checkpoint, evidence_create, evidence_key, evidence_verify


@click.group("evidence")
def command() -> None:
    """Sign the archive, have it stamped, and prove a snapshot to others.

    Example: onrecord evidence create https://example.org/post -o post.evidence.zip
    """


for _each in (evidence_checkpoint, evidence_create, evidence_key, evidence_verify):
    command.add_command(_each.command)
