"""`onrecord withhold`: what is not to be shown."""

from __future__ import annotations

from typing import Any

import click

from pipeline.cli.context import Context
from pipeline.cli.withholding_rules import end, keep, rule_options, show


@click.group("withhold")
def command() -> None:
    """Say what is kept and not shown: by get, search, diff, export, status, alerts and serve.

    Nothing that was captured is changed. The rules lie in the store, so that all who read it heed them.
    """


@command.command("add")
@rule_options
@click.pass_obj
def add(context: Context, /, url: str, **given: Any) -> None:
    """Withhold the captures of a URL, until the rule is removed.

    Example: onrecord withhold add https://example.org/people/ --match prefix --reason 'Court order 3 O 17/26'
    """
    keep(context, url, given)


@command.command("list")
@click.pass_obj
def list_(context: Context) -> None:
    """List the rules, embargoes among them, with the names they are removed by.

    Example: onrecord withhold list
    """
    show(context)


@command.command("remove")
@click.argument("names", nargs=-1, required=True, metavar="RULE...")
@click.option("--reason", help="Why; it is kept with the rule.")
@click.pass_obj
def remove(context: Context, names: tuple[str, ...], reason: str | None) -> None:
    """End rules, by the names that `list` gives; what they withheld is shown again.

    Example: onrecord withhold remove 20261126T210000Z-3fa85f64
    """
    end(context, names, reason)
