"""What `onrecord withhold` and `onrecord embargo` have in common: rules made, listed and ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.context import Context
from pipeline.cli.output import many, plain, print_json
from pipeline.cli.time_params import Time

if TYPE_CHECKING:
    from archive.access import Named, Rule

Decorated = Callable[..., Any]

_MOST_PLACES = 10  # addresses that a redirect leads to and that are named


def rule_options(function: Decorated) -> Decorated:
    """Return the options of what a rule is made of, whichever kind it is."""
    options = (
        click.argument("url"),
        click.option(
            "--match",
            type=click.Choice(["exact", "prefix", "host", "domain"]),
            default="exact",
            show_default=True,
            help="Which URLs: this one, all that begin so, all of its host, all of its domain.",
        ),
        click.option("--reason", help="One line, shown to readers who ask for what it hides."),
        click.option("--note", help="Shown to those who list the rules."),
        click.option("--from", "start", type=Time(), help="Only captures from this time on."),
        click.option("--to", "end", type=Time(last=True), help="Only captures up to this time."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def keep(context: Context, url: str, given: dict[str, Any]) -> None:
    """Put a rule into the store, and say what it means now."""
    from archive.access import Rule
    from archive.times import now

    until: datetime | None = given.get("until")
    if until is not None and until <= now():
        raise click.UsageError("--until is a time to come: what is under an embargo is shown from then on")
    archive = context.open_archive()
    archive.require()
    texts = {name: " ".join(given.pop(name).split()) if given.get(name) else None for name in ("reason", "note")}
    rule = Rule(url, **(given | texts))
    try:
        name = archive.notices.add(rule)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    archive.refresh()
    every = archive.unguarded()
    found = list(every.snapshots(rule.url, match=rule.match, start=rule.start, end=rule.end))
    if context.as_json:
        print_json(_entry(name, rule) | {"captures": len(found)})
        return
    context.say(f"rule {name}: {plain(_line(rule))}; {many(len(found), 'capture')} of now, and any to come")
    hidden = (each for each in found if each.location and not every.matches(each, each.location, "exact"))
    for place in sorted({each.location for each in hidden if each.location})[:_MOST_PLACES]:
        if not any(archive.withholding(each) for each in every.snapshots(place)):
            context.say(f"it leads to {plain(place)}, which is shown as before: add a rule for that address too")


def list_command(help_: str) -> click.Command:
    """Return a group's command `list`, with its help."""

    @click.pass_obj
    def list_(context: Context) -> None:
        _show(context)

    return click.command("list", help=help_)(list_)


def remove_command(group: str) -> click.Command:
    """Return the command `remove` of a group."""
    help_ = (
        "End rules, by the names that `list` gives; what they withheld is shown again.\n\n"
        f"Example: onrecord {group} remove 20261126T210000Z-3fa85f64"
    )

    @click.argument("names", nargs=-1, required=True, metavar="RULE...")
    @click.option("--reason", help="Why; it is kept with the rule.")
    @click.pass_obj
    def remove(context: Context, names: tuple[str, ...], reason: str | None) -> None:
        _end(context, names, reason)

    return click.command("remove", help=help_)(remove)


def _show(context: Context) -> None:
    """Print the rules."""
    archive = context.open_archive()
    archive.require()
    rules = archive.notices.rules()
    for named in rules:
        if context.as_json:
            print_json(_entry(named.name, named.rule))
        else:
            click.echo(_listed(named))
    if not rules:
        context.say("nothing is withheld")


def _end(context: Context, names: tuple[str, ...], reason: str | None) -> None:
    """Put the objects that end rules."""
    archive = context.open_archive()
    archive.require()
    for name in names:
        archive.notices.remove(name, reason)
        context.say(f"rule {name} is ended: what it withheld is shown again, unless another rule means it too")


def _listed(named: Named) -> str:
    note = f"  ({plain(named.rule.note)})" if named.rule.note else ""
    return f"{named.name} {plain(_line(named.rule))}{note}"


def _line(rule: Rule) -> str:
    from archive.times import iso, now

    which = {"exact": "", "prefix": " and all that begin so", "host": " and all of its host"}
    span = f" captured {iso(rule.start) if rule.start else ''}..{iso(rule.end) if rule.end else ''}"
    over = "" if rule.in_force(now()) else " (over)"
    what = which.get(rule.match, " and all of its domain")
    return f"{rule.withholding}{over}: {rule.url}{what}" + (span if rule.start or rule.end else "")


def _entry(name: str, rule: Rule) -> dict[str, Any]:
    from archive.times import iso, now

    times = {"from": rule.start, "to": rule.end, "until": rule.until, "added": rule.added}
    entry: dict[str, Any] = {"rule": name, "kind": rule.kind, "url": rule.url, "match": rule.match}
    entry |= {name: iso(moment) for name, moment in times.items() if moment}
    entry |= {name: text for name, text in (("reason", rule.reason), ("note", rule.note)) if text}
    return entry | {"in_force": rule.in_force(now())}
