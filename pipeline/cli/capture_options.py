"""What `onrecord capture` can be told, and what the pipeline is told in turn."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from pipeline.capture.http.settings import FetchSettings
    from pipeline.crawl.scope import Rules
    from pipeline.ingest.capture_run import CaptureOptions

F = TypeVar("F", bound=Callable[..., Any])

_SIZES = {"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


class Size(click.ParamType[int]):
    """A number of bytes: 500000, 10M, 1G."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a size as users write it; fails with a usage error."""
        if isinstance(value, int):
            return value
        text = str(value).strip().lower().removesuffix("b")
        factor = _SIZES.get(text[-1:], 1)
        try:
            size = int(float(text.rstrip("kmgt")) * factor)
        except (ValueError, OverflowError):
            size = 0
        if size <= 0:
            self.fail(f"{value!r} is no size; write bytes, or a number with K, M, G or T", param, ctx)
        return size


_OPTIONS = (
    click.option(
        "-i",
        "--input",
        "source",
        type=click.File("r", encoding="utf-8", errors="replace"),
        help="Read URLs from a file, one a line, or from CSV, bookmarks or OPML; - for stdin.",
    ),
    click.option(
        "--feed", "feeds", multiple=True, metavar="URL", help="Capture the entries of a feed, or of a page's feed."
    ),
    click.option(
        "--sitemap",
        "sitemaps",
        multiple=True,
        metavar="URL",
        help="Capture the pages of a sitemap, or of a site's sitemaps.",
    ),
    click.option(
        "--depth",
        type=click.IntRange(0, 100),
        default=0,
        show_default=True,
        help="Follow links so far from what was named.",
    ),
    click.option(
        "--scope",
        type=click.Choice(["page", "prefix", "host", "domain"]),
        default="prefix",
        show_default=True,
        help="Follow links within the folder, the host or the domain of what was named.",
    ),
    click.option(
        "--limit", type=click.IntRange(1), default=1000, show_default=True, help="Pages found by feed, sitemap or link."
    ),
    click.option("--include", multiple=True, metavar="REGEX", help="Follow only URLs that match one of these."),
    click.option("--exclude", multiple=True, metavar="REGEX", help="Follow no URL that matches one of these."),
    click.option(
        "--robots",
        type=click.Choice(["discovered", "all", "ignore"]),
        default="discovered",
        show_default=True,
        help="Ask robots.txt for pages that were found, for all, or for none.",
    ),
    click.option(
        "--requisites/--no-requisites", default=True, show_default=True, help="Capture what pages need to be shown."
    ),
    click.option("--browser", is_flag=True, help="Visit pages in Chromium, for those that scripts draw."),
    click.option(
        "--settle",
        type=click.FloatRange(0.1, 600),
        default=2.0,
        show_default=True,
        help="In the browser: seconds without a request after which a page is at rest.",
    ),
    click.option(
        "--page-limit",
        type=click.FloatRange(1, 3600),
        default=60.0,
        show_default=True,
        help="In the browser: seconds for a page, at rest or not.",
    ),
    click.option("--embeds", is_flag=True, help="Capture the documents, videos and posts that pages embed."),
    click.option("--linked-pdfs", is_flag=True, help="Capture the PDF files that pages link to."),
    click.option("--force", is_flag=True, help="Store and extract pages again even when they have not changed."),
    click.option("--allow-private", is_flag=True, help="Capture private, loopback and link-local addresses too."),
    click.option("--insecure", is_flag=True, help="Record a bad certificate and go on, instead of failing the target."),
    click.option(
        "--proxy",
        metavar="URL|env|none",
        help="Fetch by a proxy, http:// or socks5h://, by those of the environment, or by none.",
    ),
    click.option(
        "--delay",
        type=click.FloatRange(0, 3600),
        default=0.5,
        show_default=True,
        help="Seconds between requests to a host.",
    ),
    click.option(
        "--connections", type=click.IntRange(1, 64), default=2, show_default=True, help="Connections to a host at once."
    ),
    click.option(
        "--concurrency", type=click.IntRange(1, 1000), default=64, show_default=True, help="Connections in all."
    ),
    click.option("--max-size", type=Size(), default="1G", show_default=True, help="Bytes of a response that are kept."),
    click.option(
        "--timeout", type=click.FloatRange(0.1, 3600), default=60.0, show_default=True, help="Seconds without a byte."
    ),
    click.option(
        "--deadline",
        type=click.FloatRange(0.1, 86400),
        default=1800.0,
        show_default=True,
        help="Seconds for a whole response.",
    ),
    click.option(
        "--low-speed",
        type=click.FloatRange(0, 1e9),
        default=100.0,
        show_default=True,
        help="Bytes per second below which a response is ended, and kept as far as it came; 0 for no such limit.",
    ),
    click.option(
        "--low-speed-time",
        type=click.FloatRange(0.1, 86400),
        default=60.0,
        show_default=True,
        help="Seconds over which --low-speed is measured.",
    ),
    click.option(
        "--workers", type=click.IntRange(1, 256), default=None, help="Extraction processes.  [default: one a core]"
    ),
    click.option("--user-agent", default=None, help="How the captures introduce themselves."),
    click.option(
        "--credentials",
        type=click.Choice(["record", "mask"]),
        default="record",
        show_default=True,
        help="How Authorization and Cookie in requests are written, and Set-Cookie that answers them: as they were, or "
        "with asterisks for the values.",
    ),
    click.option("--operator", default=None, help="Who captures; written into every WARC file."),
)


def takes_capture_options(function: F) -> F:
    """Give a command every option of a capture, in the order of the help text."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def capture_options(options: dict[str, Any]) -> CaptureOptions:
    """The options as the pipeline takes them; raises click.UsageError for a pattern that is none."""
    import os

    from archive.runs import RunSettings
    from pipeline.capture.browser.visit_many import BrowserSettings
    from pipeline.extract.extractor_version import extractor_version
    from pipeline.ingest.capture_run import CaptureOptions
    from pipeline.version import software

    settings = _fetch_settings(options)
    rules = _rules(options, settings.user_agent)
    named = _named_settings(options, settings, rules) | {"extractor": extractor_version()}
    run = RunSettings(
        software(), options["operator"], named, force=options["force"], mask=options["credentials"] == "mask"
    )
    browser = BrowserSettings(settle=options["settle"], limit=options["page_limit"]) if rules.browser else None
    return CaptureOptions(settings, run, rules, browser, workers=options["workers"] or os.cpu_count() or 1)


def _fetch_settings(options: Mapping[str, Any]) -> FetchSettings:
    from pipeline.capture.http.proxies import ways_of
    from pipeline.capture.http.settings import FetchSettings
    from pipeline.version import software

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
    )


def _named_settings(options: Mapping[str, Any], settings: FetchSettings, rules: Rules) -> dict[str, Any]:
    """Return the settings that a run's manifest names."""
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
        "force": options["force"],
        "credentials": options["credentials"],
    }


def options_of(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> CaptureOptions:
    """The options of a capture that settings name rather than flags, `given` before `defaults`.

    Raises click.UsageError for a value that the flag of that name would not take.
    """
    reader = takes_capture_options(click.command("capture")(lambda **_: None))
    options = dict(reader.make_context("capture", [], default_map={**defaults, **given}).params)
    for name in ("source", "feeds", "sitemaps"):
        options.pop(name)
    return capture_options(options)


def _rules(options: dict[str, Any], agent: str) -> Rules:
    from pipeline.crawl.scope import RobotsPolicy, Rules, Scope

    return Rules(
        depth=options["depth"],
        scope=Scope(options["scope"]),
        limit=options["limit"],
        include=_patterns(options["include"], "--include"),
        exclude=_patterns(options["exclude"], "--exclude"),
        requisites=options["requisites"],
        embeds=options["embeds"],
        linked_pdfs=options["linked_pdfs"],
        robots=RobotsPolicy(options["robots"]),
        agent=agent,
        conditional=not options["force"],
        browser=options["browser"],
    )


def _patterns(written: tuple[str, ...], option: str) -> tuple[re.Pattern[str], ...]:
    patterns = []
    for pattern in written:
        try:
            patterns.append(re.compile(pattern))
        except re.error as error:
            raise click.UsageError(f"{option} {pattern!r} is no regular expression: {error}") from error
    return tuple(patterns)
