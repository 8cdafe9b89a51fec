"""`onrecord embargo`: what is not to be shown before a date."""

from __future__ import annotations

from typing import Any

import click

from pipeline.cli.context import Context
from pipeline.cli.time_params import Time
from pipeline.cli.withholding_rules import end, keep, rule_options, show


@click.group("embargo")
def command() -> None:
    """Say what is kept and not shown before a date; else as `onrecord withhold`."""


@command.command("add")
@rule_options
@click.option("--until", required=True, type=Time(), help="From then on it is shown: 20270101, or ISO 8601.")
@click.pass_obj
def add(context: Context, /, url: str, **given: Any) -> None:
    """Withhold the captures of a URL until a date.

    Example: onrecord embargo add https://example.org/draft --until 2027-03-01
    """
    keep(context, url, given)


@command.command("list")
@click.pass_obj
def list_(context: Context) -> None:
    """List the rules, as `onrecord withhold list` does.

    Example: onrecord embargo list
    """
    show(context)


@command.command("remove")
@click.argument("names", nargs=-1, required=True, metavar="RULE...")
@click.option("--reason", help="Why; it is kept with the rule.")
@click.pass_obj
def remove(context: Context, names: tuple[str, ...], reason: str | None) -> None:
    """End rules, by the names that `list` gives; what they withheld is shown again.

    Example: onrecord embargo remove 20261126T210000Z-3fa85f64
    """
    end(context, names, reason)
