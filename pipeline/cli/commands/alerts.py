"""`onrecord alerts`: the channels tried before they are needed."""

from __future__ import annotations

import sys

import click

from pipeline.cli.context import Context
from pipeline.cli.output import plain, print_json


@click.group("alerts")
def command() -> None:
    """Send a test alert to every channel of the settings.

    Example: onrecord alerts test
    """


@command.command("test")
@click.pass_obj
def test(context: Context) -> None:
    """Send a test alert to every channel of [alerts], now, and print how each went.

    Example: onrecord alerts test
    """
    from archive.times import now
    from pipeline.alerts.channel import batch_of
    from pipeline.alerts.event import Event
    from pipeline.alerts.settings import load_channels
    from pipeline.alerts.webhook import secret_note
    from pipeline.outbound.errors import DeliveryError

    channels = load_channels(context.alerts)
    if not channels:
        raise click.UsageError("no channel is set up: write [alerts.mail] or another into the configuration")
    event = Event("test", "https://onrecord.invalid/test", now(), "A test alert", summary="This channel works.")
    failed = False
    for channel in channels:
        error, note = None, secret_note(channel.sender)
        try:
            channel.sender.send(batch_of((event,), channel.name, now()))
        except DeliveryError as failure:
            error = str(failure)
            failed = True
        if context.as_json:
            print_json({"channel": channel.name, "sent": error is None, "error": error})
        else:
            detail = "".join(f": {plain(each)}" for each in (error, note) if each)
            click.echo(f"{'failed' if error else 'sent':<8} {plain(channel.name)}{detail}")
    if failed:
        sys.exit(3)
