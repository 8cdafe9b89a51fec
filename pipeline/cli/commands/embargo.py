"""`onrecord embargo`: what is not to be shown before a date."""

from __future__ import annotations

from typing import Any

import click

from pipeline.cli.context import Context
from pipeline.cli.time_params import Time
from pipeline.cli.withholding_rules import keep, list_command, remove_command, rule_options


@click.group("embargo")
def command() -> None:
    """Hide captures from readers until a date; else as `onrecord withhold`."""


@command.command("add")
@rule_options
@click.option("--until", required=True, type=Time(), help="From then on it is shown: 20270101, or ISO 8601.")
@click.pass_obj
def add(context: Context, /, url: str, **given: Any) -> None:
    """Withhold the captures of a URL until a date.

    Example: onrecord embargo add https://example.org/draft --until 2027-03-01
    """
    keep(context, url, given)


command.add_command(list_command("List the rules, as `onrecord withhold list` does.\n\nExample: onrecord embargo list"))
command.add_command(remove_command("embargo"))
