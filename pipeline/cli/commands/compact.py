"""`onrecord compact`: the indexes of many runs become one."""

from __future__ import annotations

import click

from pipeline.cli.context import Context
from pipeline.cli.output import many, print_json


@click.command("compact")
@click.option("--all", "whole", is_flag=True, help="Join everything, so that a lookup asks one index only.")
@click.option("--rebuild", is_flag=True, help="Believe no merged index: make it again from the runs.")
@click.pass_obj
def command(context: Context, whole: bool, rebuild: bool) -> None:
    """Merge the indexes of the runs, so that a lookup takes a few requests however many runs there are.

    Captures do so by themselves from time to time. Readers and writers need not wait, and nothing that was captured is
    changed.

    Example: onrecord compact
    """
    from archive.errors import IntegrityError

    archive = context.open_archive()
    merged = archive.merge(whole=whole, rebuild=rebuild)
    made = merged.generation
    if context.as_json:
        print_json(
            {
                "generation": made and made.name,
                "captures": made and made.lines,
                "bytes": made and made.cdx[1],
                "runs": merged.runs,
                "generations": merged.generations,
                "left_out": list(merged.left_out),
            }
        )
    elif made is None:
        context.say("nothing to merge")
    else:
        joined = f" and {merged.generations:,} merged before" if merged.generations else ""
        context.say(
            f"{many(merged.runs, 'run')}{joined} merged into one index: {many(made.lines, 'line')}, "
            f"{many(made.cdx[1], 'byte')}"
        )
    if merged.left_out:
        raise IntegrityError(
            f"the index of {many(len(merged.left_out), 'run')} is damaged; run `onrecord verify --deep`"
        )
