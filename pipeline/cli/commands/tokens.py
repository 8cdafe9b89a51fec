"""`onrecord tokens`: who may save pages through `serve --write`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Context
from pipeline.cli.output import many, plain, print_json

if TYPE_CHECKING:
    from pipeline.web.write.tokens import Token


@click.group("tokens")
def command() -> None:
    """Say who may save pages into the archive through `onrecord serve --write`.

    Each person has a token of their own. This machine keeps only a hash of it; the name is kept with what was captured.
    """


@command.command("add")
@click.argument("name")
@click.option(
    "--expires",
    default="365d",
    show_default=True,
    metavar="SPAN|TIME|never",
    help="When the token ends: after 12h, 30d or 8w, or at a time as 2027-01-31.",
)
@click.pass_obj
def add(context: Context, name: str, expires: str) -> None:
    """Make a token for a person, and print it: it is shown this once.

    Example: onrecord tokens add ida --expires 90d
    """
    written, token = context.tokens().add(name, _end(expires))
    if context.as_json:
        print_json({**_entry(token), "token": written})
        return
    click.echo(written)
    until = f"until {_time(token.expires)}" if token.expires else "until it is revoked"
    context.say(f"this is {plain(token.name)}'s token, {until}: keep it, it is not shown again")


@command.command("list")
@click.pass_obj
def list_(context: Context) -> None:
    """List the tokens: id, name, when each was made, and until when it holds.

    Example: onrecord tokens list
    """
    from archive.times import now

    tokens = context.tokens().all()
    for token in tokens:
        if context.as_json:
            print_json(_entry(token))
            continue
        if token.revoked:
            state = f"revoked {_time(token.revoked)}"
        elif not token.holds(now()):
            state = f"expired {_time(token.expires)}"
        else:
            state = f"until {_time(token.expires)}" if token.expires else "until it is revoked"
        click.echo(f"{token.id}  {_time(token.created)}  {state:<28}  {plain(token.name)}")
    if not tokens:
        context.say("nobody has a token; make one: onrecord tokens add NAME")


@command.command("revoke")
@click.argument("name")
@click.pass_obj
def revoke(context: Context, name: str) -> None:
    """End the tokens of a person, or one token by its id, at once: a server that runs refuses them from now on.

    Example: onrecord tokens revoke ida
    """
    ended = context.tokens().revoke(name)
    for token in ended if context.as_json else ():
        print_json(_entry(token))
    context.say(f"revoked {many(len(ended), 'token')} of {plain(ended[0].name)}")


def _end(written: str) -> datetime | None:
    """Return when a token ends; raises click.UsageError for what is no time to come."""
    from archive.times import now, parse_time
    from pipeline.watch.watch_list import span

    if written == "never":
        return None
    present = now()
    try:
        return (present + span(written)).replace(microsecond=0)
    except ValueError:
        pass
    try:
        end = parse_time(written)
    except (ValueError, OverflowError) as error:
        raise click.UsageError(
            f"--expires {plain(written, 100)!r}: write a span as 30d, a time as 2027-01-31, or never"
        ) from error
    if end <= present:
        raise click.UsageError(f"--expires {plain(written, 100)!r} has passed; name a time to come")
    return end


def _time(moment: datetime | None) -> str:
    from archive.times import iso

    return iso(moment) if moment else ""


def _entry(token: Token) -> dict[str, str]:
    times = {"created": token.created, "expires": token.expires, "revoked": token.revoked}
    return {"id": token.id, "name": token.name} | {name: _time(value) for name, value in times.items() if value}
