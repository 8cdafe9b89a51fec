"""`onrecord watch`: the list of what is captured again and again."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.context import Context
from pipeline.cli.output import many, plain, print_json
from pipeline.cli.unfinished_runs import note_other_store

if TYPE_CHECKING:
    from archive.model import Target
    from pipeline.watch.due import Standing
    from pipeline.watch.watch_list import Watch

_WATCHES = click.option("--watches", type=click.Path(path_type=Path), help="The watch list.  [env: ONRECORD_WATCHES]")


@click.group("watch")
def command() -> None:
    """Keep the list of what `onrecord run` captures again and again.

    It is a TOML file for people to edit; comments in it stay.

    Example: onrecord watch add https://example.org/feed.xml --feed --every 30m --tag press
    """


@command.command("add")
@click.argument("urls", nargs=-1, metavar="URL...")
@click.option(
    "-i",
    "--input",
    "listed",
    type=click.File("r", encoding="utf-8", errors="replace"),
    help="Read URLs from a file: lines, CSV, bookmarks, or OPML, whose feeds are watched as feeds; - for stdin.",
)
@click.option("--page", "source", flag_value="page", default=True, help="A page.  [default]")
@click.option("--feed", "source", flag_value="feed", help="A feed, or a page that names one: every entry is captured.")
@click.option("--sitemap", "source", flag_value="sitemap", help="A sitemap, or a site's: every page is captured.")
@click.option("--site", "source", flag_value="site", help="A site, by its links.")
@click.option("--every", metavar="SPAN", help="Time between two captures: 15m, 6h, 1d.")
@click.option("--cron", metavar="EXPRESSION", help="Times as in a crontab, UTC: '20 6 * * 1-5'; see --rule zone=.")
@click.option("--decay", is_flag=True, help="A page: 15 min, 1 h, 3 h, 3 d and 30 d after it was found.")
@click.option("--name", help="What it is called.")
@click.option("--tag", "tags", multiple=True, help="For alerts that go to some only; may be repeated.")
@click.option(
    "--option", "options", multiple=True, metavar="NAME=VALUE", help="Of its captures: depth=2, browser=true."
)
@click.option(
    "--rule",
    "rules",
    multiple=True,
    metavar="NAME=VALUE",
    help="What is an alert: keywords=recall, ignore.css=aside, confirm=1m, zone=Europe/Berlin; may be repeated.",
)
@_WATCHES
@click.pass_obj
def add(
    context: Context, /, urls: tuple[str, ...], listed: Iterable[str] | None, watches: Path | None, **given: Any
) -> None:
    """Watch a page, a feed, a sitemap or a site from now on.

    Of a list, what is watched already is passed over, and what is no URL is named (exit code 3).

    Example: onrecord watch add https://example.org/ --site --every 1d --option depth=2
    """
    from pipeline.cli.target_lists import warn_of_route
    from pipeline.watch import watch_list_edit
    from pipeline.watch.watch_list import schedule_of

    if not urls and listed is None:
        raise click.UsageError("name a URL, or a file of URLs with -i", click.get_current_context())
    if given["name"] and listed is not None:
        raise click.UsageError("--name names one watch: leave it out beside -i", click.get_current_context())
    if given["name"] and len(urls) > 1:
        raise click.UsageError("--name names one watch: add them one by one", click.get_current_context())
    options = dict(_pair(written) for written in given["options"])
    table = {name: given[name] for name in ("name", "every", "cron") if given[name]}
    table |= {"decay": True} if given["decay"] else {}
    table |= {"tags": list(given["tags"])} if given["tags"] else {}
    table |= _rules(given["rules"])
    table |= {"options": options} if options else {}
    _check_options(context, options)
    path = watches or context.watch_list()
    note_other_store(context, path)
    for url in urls:
        warn_of_route(url)
        found = watch_list_edit.add(path, {given["source"]: url, **table}, context.address())
        context.say(f"watched, {schedule_of(found)}: {plain(found.url)}; captured by: onrecord run")
    if listed is not None:
        _add_listed(context, path, listed, given["source"], table)


def _add_listed(context: Context, path: Path, lines: Iterable[str], source: str, table: dict[str, Any]) -> None:
    """Watch what a list names; exits with 3 where something of it is no URL."""
    from archive.model import Role
    from pipeline.cli.target_lists import targets_in
    from pipeline.watch import watch_list_edit

    def watched(target: Target) -> dict[str, Any]:
        is_feed = target.role == Role.FEED
        kept = {name: value for name, value in table.items() if not (is_feed and name == "decay")}
        return {"feed" if is_feed else source: target.url, **kept}

    found = map(watched, targets_in(lines))
    made, already, wrong = watch_list_edit.add_listed(path, found, context.address())
    for each in wrong:
        click.echo(f"onrecord: left out: {plain(each, 300)}", err=True)
    parts = [f"{len(made):,} watched"]
    parts += [f"{len(already):,} were watched already"] if already else []
    parts += [f"{len(wrong):,} left out"] if wrong else []
    context.say(f"{', '.join(parts)}; captured by: onrecord run")
    if wrong:
        sys.exit(3)


@command.command("list")
@click.option("--tag", "tags", multiple=True, help="Those with one of these tags.")
@_WATCHES
@click.pass_obj
def list_(context: Context, tags: tuple[str, ...], watches: Path | None) -> None:
    """List what is watched: last captured, next due, and how it stands.

    Example: onrecord watch list --tag press
    """
    from pipeline.watch.due import standing
    from pipeline.watch.history import Ledger, LedgerUnusable
    from pipeline.watch.relevant_history import RelevantHistories
    from storage.errors import StoreError, StoreMissing

    path = watches or context.watch_list()
    found = [watch for watch in _loaded(path) if not tags or set(tags) & set(watch.tags)]
    ledger = Ledger(context.state_folder() / "ledger.db")
    archive = context.open_archive()
    try:
        ledger.sync(archive)
    except StoreMissing:  # nothing was captured yet
        pass
    except LedgerUnusable:
        raise
    except StoreError as error:
        click.echo(f"onrecord: what this machine knows; the store cannot be asked: {error}", err=True)
    with ledger.opened() as database, closing(RelevantHistories(archive, database)) as histories:
        for watch in found:
            where = standing(watch, ledger, database, histories)
            if context.as_json:
                print_json(_entry(where))
            else:
                click.echo(_line(where))
    if not found:
        of_tag = f"with the tag {' or '.join(map(plain, tags))} " if tags else ""
        context.say(f"nothing {of_tag}is watched in {path}; see: onrecord watch {'list' if tags else 'add'} --help")


@command.command("remove")
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@_WATCHES
@click.pass_obj
def remove(context: Context, urls: tuple[str, ...], watches: Path | None) -> None:
    """Watch something no longer, by its URL or name; what is kept of it stays.

    Example: onrecord watch remove https://example.org/feed.xml
    """
    from pipeline.watch import watch_list_edit

    path = watches or context.watch_list()
    _say_found(context, urls, watch_list_edit.remove(path, urls), path, "not watched any longer")


@command.command("pause")
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@click.option("--resume", is_flag=True, help="Go on with it.")
@_WATCHES
@click.pass_obj
def pause(context: Context, urls: tuple[str, ...], resume: bool, watches: Path | None) -> None:
    """Let a watch rest, by its URL or name, or go on with it.

    Example: onrecord watch pause https://example.org/feed.xml
    """
    from pipeline.watch import watch_list_edit

    path = watches or context.watch_list()
    found = watch_list_edit.pause(path, urls, paused=not resume)
    _say_found(context, urls, found, path, "watched again" if resume else "paused")


def _say_found(context: Context, urls: tuple[str, ...], found: list[str], path: Path, what: str) -> None:
    from pipeline.watch.watch_list import WatchError

    if missing := [url for url in urls if url not in found]:
        raise WatchError(f"{missing[0]!r} is not watched in {path}; see: onrecord watch list")
    for url in urls:
        context.say(f"{what}: {plain(url)}")


def _loaded(path: Path) -> list[Watch]:
    from pipeline.watch.watch_list import load

    return load(path)


def _check_options(context: Context, options: dict[str, Any]) -> None:
    from pipeline.cli.capture_options import options_of

    options_of(context.defaults.get("capture", {}), options)


def _pair(written: str) -> tuple[str, Any]:
    """NAME=VALUE as TOML has it: a number, true, false, a list; anything else is a text."""
    import tomllib

    from pipeline.watch.watch_list import OPTIONS

    name, equals, value = written.partition("=")
    name = name.strip().replace("-", "_")
    if not equals or name not in OPTIONS:
        raise click.UsageError(f"--option {written!r}: write NAME=VALUE; names are {', '.join(sorted(OPTIONS))}")
    try:
        return name, tomllib.loads(f"value = {value}")["value"]
    except ValueError:
        return name, value.strip()


def _rules(given: tuple[str, ...]) -> dict[str, Any]:
    """Return the rules of `--rule NAME=VALUE` as tables; a list grows with each value that is given for it."""
    import tomllib

    from pipeline.watch.alert_rules import KEYS, LISTS
    from pipeline.watch.alert_times import KEYS as TIMES

    table: dict[str, Any] = {}
    for written in given:
        name, equals, value = (part.strip() for part in written.partition("="))
        if not equals or name.partition(".")[0] not in KEYS | TIMES:
            known = sorted(LISTS | TIMES | {"least_words"})
            raise click.UsageError(f"--rule {written!r}: write NAME=VALUE; names are {', '.join(known)}")
        try:
            found = tomllib.loads(f"value = {value}")["value"]
        except ValueError:
            found = value
        if name in LISTS and not isinstance(found, list):
            found = [value]
        holder, _, key = name.rpartition(".")
        place = table.setdefault(holder, {}) if holder else table
        place[key] = place.get(key, []) + found if name in LISTS else found
    return table


def _line(where: Standing) -> str:
    from archive.times import iso, now
    from pipeline.watch.watch_list import schedule_of

    watch = where.watch
    quiet = watch.alert_times.quiet_until(now())
    last = iso(where.last) if where.last else "never".ljust(20)
    due = iso(where.next) if where.next else ("-" if watch.paused else "now").ljust(20)
    pages = f"  {many(where.pages, 'page')}" if where.pages else ""
    name = f"  {plain(watch.name, 60)}" if watch.name != watch.url else ""
    detail = f"  {plain(where.detail, 120)}" if where.detail else ""
    state = where.state
    if where.confirming and where.since:
        state = f"to be confirmed: {where.state} since {iso(where.since)}"
    return (
        f"{state:<15} last {last}  next {due}  {watch.source} {plain(watch.url)}{name}  "
        f"({schedule_of(watch)}){pages}{detail}{f'  alerts wait until {iso(quiet)}' if quiet else ''}"
    )


def _entry(where: Standing) -> dict[str, Any]:
    from archive.times import iso, now
    from pipeline.watch.watch_list import schedule_of

    watch = where.watch
    quiet = watch.alert_times.quiet_until(now())
    return {
        "source": watch.source,
        "url": watch.url,
        "name": watch.name,
        "schedule": schedule_of(watch),
        "tags": list(watch.tags),
        "paused": watch.paused,
        "state": where.state,
        "since": where.since and iso(where.since),
        "confirming": where.confirming,
        "quiet_until": quiet and iso(quiet),
        "detail": where.detail,
        "last": where.last and iso(where.last),
        "next": where.next and iso(where.next),
        "pages": where.pages,
    }
