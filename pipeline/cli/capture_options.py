"""The options of `onrecord capture`, and how they reach the pipeline."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.capture_flags import takes_capture_options
from pipeline.cli.session_options import session_of

if TYPE_CHECKING:
    from archive.annotations import Words
    from pipeline.capture.browser.visit_many import BrowserSettings
    from pipeline.capture.http.settings import FetchSettings
    from pipeline.crawl.scope import Rules
    from pipeline.ingest.capture_run import CaptureOptions


def capture_options(options: dict[str, Any], *, kept: bool = False) -> CaptureOptions:
    """Return the options as the pipeline takes them; `kept` says that they lie in a file of settings.

    Raises click.UsageError for an invalid pattern, SessionFileError for a file of a session.
    """
    import os
    from datetime import timedelta

    from archive.runs import RunSettings
    from pipeline.capture.http.site_session import NOBODY
    from pipeline.crawl.scope import RobotsPolicy, Rules, Scope
    from pipeline.extract.extractor_version import extractor_version
    from pipeline.ingest.capture_run import CaptureOptions
    from pipeline.version import software

    settings = _fetch_settings(options, kept=kept)
    rules = Rules(
        depth=options["depth"],
        scope=Scope(options["scope"]),
        limit=options["limit"],
        include=_patterns(options["include"], "--include"),
        exclude=_patterns(options["exclude"], "--exclude"),
        requisites=options["requisites"],
        embeds=options["embeds"],
        linked_pdfs=options["linked_pdfs"],
        robots=RobotsPolicy(options["robots"]),
        agent=settings.user_agent,
        keep_tracking=options["keep_tracking"],
        conditional=not (options["force"] or settings.session is not NOBODY),  # its pages have the same ETag
        most_not_modified=options["max_not_modified"],
        full_after=timedelta(days=options["max_not_modified_days"]),
        browser=options["browser"],
    )
    named = _named_settings(options, settings, rules) | {"extractor": extractor_version()}
    masked = options["credentials"] == "mask"
    spoken = options["collection"], options["label"], options["note"]
    said = words_of(*spoken).entry() if any(spoken) else {}
    run = RunSettings(software(), options["operator"], named, force=options["force"], mask=masked, said=said)
    browser = _browser(options) if rules.browser else None
    return CaptureOptions(settings, run, rules, browser, workers=options["workers"] or os.cpu_count() or 1)


def words_of(collections: Iterable[str], labels: Iterable[str], note: str | None) -> Words:
    """Return what a user says of captures; raises click.UsageError for what cannot be kept."""
    from archive.annotations import Words

    try:
        return Words.checked(collections, labels, note)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _fetch_settings(options: Mapping[str, Any], *, kept: bool) -> FetchSettings:
    from pipeline.capture.http.proxies import ways_of
    from pipeline.capture.http.settings import FetchSettings
    from pipeline.capture.http.site_session import NOBODY
    from pipeline.version import software

    as_reader = options["cookies"] or options["logins"] or options["header"]
    return FetchSettings(
        ways=ways_of(options["proxy"]),
        user_agent=options["user_agent"] or software(),
        delay=options["delay"],
        connections_per_host=options["connections"],
        concurrency=options["concurrency"],
        max_size=options["max_size"],
        timeout=options["timeout"],
        deadline=options["deadline"],
        low_speed=options["low_speed"],
        low_speed_time=options["low_speed_time"],
        allow_private=options["allow_private"],
        insecure=options["insecure"],
        session=session_of(options, kept=kept) if as_reader else NOBODY,
    )


def _browser(options: Mapping[str, Any]) -> BrowserSettings:
    from pipeline.capture.browser.visit_many import BrowserSettings

    return BrowserSettings(
        settle=options["settle"],
        limit=options["page_limit"],
        pdf=options["pdf"],
        expand=options["expand"],
        consent=options["consent"],
        clicks=tuple(options["click"]),
    )


def _named_settings(options: Mapping[str, Any], settings: FetchSettings, rules: Rules) -> dict[str, Any]:
    """Return the settings that a run's manifest names."""
    from pipeline.capture.http.site_session import NOBODY

    return {
        "user-agent": settings.user_agent,
        "delay": settings.delay,
        "max-size": settings.max_size,
        "timeout": settings.timeout,
        "deadline": settings.deadline,
        "low-speed": settings.low_speed,
        "low-speed-time": settings.low_speed_time,
        "allow-private": settings.allow_private,
        "insecure": settings.insecure,
        "proxy": str(settings.ways),
        "depth": rules.depth,
        "scope": rules.scope,
        "limit": rules.limit,
        "include": options["include"],
        "exclude": options["exclude"],
        "robots": rules.robots,
        "requisites": rules.requisites,
        "embeds": rules.embeds,
        "linked-pdfs": rules.linked_pdfs,
        "browser": rules.browser,
        **({name: options[name] for name in ("expand", "consent", "click", "pdf")} if rules.browser else {}),
        "force": options["force"],
        "keep-tracking": rules.keep_tracking,
        "max-not-modified": rules.most_not_modified,
        "max-not-modified-days": options["max_not_modified_days"],
        "credentials": options["credentials"],
        **({"session": list(settings.session.kinds)} if settings.session is not NOBODY else {}),
    }


def options_of(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> CaptureOptions:
    """Return the options of a capture that settings name rather than flags, `given` before `defaults`.

    Raises click.UsageError for a value that the flag of that name would not take.
    """
    reader = takes_capture_options(click.command("capture")(lambda **_: None))
    options = dict(reader.make_context("capture", [], default_map={**defaults, **given}).params)
    for name in ("source", "feeds", "sitemaps"):
        options.pop(name)
    return capture_options(options, kept=True)


def _patterns(written: tuple[str, ...], option: str) -> tuple[re.Pattern[str], ...]:
    patterns = []
    for pattern in written:
        try:
            patterns.append(re.compile(pattern))
        except re.error as error:
            raise click.UsageError(f"{option} {pattern!r} is no regular expression: {error}") from error
    return tuple(patterns)
