"""`onrecord help`: explain terms, outcomes, exit codes and settings, from the tables that the program itself uses."""

from __future__ import annotations

from collections.abc import Mapping

import click

TOPICS = ("terms", "outcomes", "exit-codes", "settings")


@click.command("help")
@click.argument("topic", type=click.Choice(TOPICS), required=False)
def command(topic: str | None) -> None:
    """Explain the terms, the outcomes, the exit codes or the settings.

    Example: onrecord help outcomes
    """
    if topic is None:
        click.echo(
            f"Topics: {', '.join(TOPICS)}. For a topic: onrecord help TOPIC. For a command: onrecord COMMAND --help"
        )
        return
    formatter = click.HelpFormatter(width=100)
    formatter.write_dl(list(_table(topic).items()), col_max=32)
    click.echo(formatter.getvalue(), nl=False)


def _table(topic: str) -> Mapping[str, str]:
    if topic == "terms":
        from pipeline.cli.glossary import TERMS

        return TERMS
    if topic == "outcomes":
        from pipeline.capture.http.failures import MEANINGS

        return MEANINGS
    if topic == "exit-codes":
        from pipeline.cli.exit_codes import EXIT_CODES

        return {str(code): meaning for code, meaning in EXIT_CODES.items()}
    return _settings()


def _settings() -> dict[str, str]:
    """Return each setting of `capture` as the settings file and the variable name it, with what it does."""
    from pipeline.cli.commands.capture import command as capture

    found = {"store = TEXT (ONRECORD_STORE)": "The archive: a directory, s3://bucket/prefix, or a list of several."}
    for option in capture.params:
        if isinstance(option, click.Option) and option.help and option.name:
            found[f"[capture] {option.name} (ONRECORD_{option.name.upper()})"] = option.help
    return found
