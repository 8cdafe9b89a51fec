"""`onrecord withhold`: what is not to be shown."""

from __future__ import annotations

from typing import Any

import click

from pipeline.cli.context import Context
from pipeline.cli.withholding_rules import keep, list_command, remove_command, rule_options


@click.group("withhold")
def command() -> None:
    """Hide captures from readers, without deleting them: from get, search, diff, export, status, alerts and serve.

    Nothing that was captured is changed. The rules are in the store, so they apply to all who read it.
    """


@command.command("add")
@rule_options
@click.pass_obj
def add(context: Context, /, url: str, **given: Any) -> None:
    """Withhold the captures of a URL, until the rule is removed.

    Example: onrecord withhold add https://example.org/people/ --match prefix --reason 'Court order 3 O 17/26'
    """
    keep(context, url, given)


command.add_command(
    list_command(
        "List the rules, embargoes among them, with the names they are removed by.\n\nExample: onrecord withhold list"
    )
)
command.add_command(remove_command("withhold"))
