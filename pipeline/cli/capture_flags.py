"""The flags of `onrecord capture`, in the order of its help text; settings have their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

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
    click.option("--pdf", is_flag=True, help="In the browser: keep a print of the page as PDF too."),
    click.option(
        "--expand/--no-expand",
        default=True,
        show_default=True,
        help="In the browser: open and press what shows more of the page, and scroll what scrolls in it.",
    ),
    click.option(
        "--consent",
        type=click.Choice(["refuse", "accept", "leave"]),
        default="refuse",
        show_default=True,
        help="In the browser: how known consent banners are answered.",
    ),
    click.option("--click", multiple=True, metavar="SELECTOR", help="In the browser: click what a CSS selector finds."),
    click.option("--embeds", is_flag=True, help="Capture the documents, videos and posts that pages embed."),
    click.option("--linked-pdfs", is_flag=True, help="Capture the PDF files that pages link to."),
    click.option("--force", is_flag=True, help="Store and extract pages again even when they have not changed."),
    click.option("--keep-tracking", is_flag=True, help="Tell pages apart by tracking parameters (utm_*, fbclid) too."),
    click.option(
        "--max-not-modified",
        type=click.IntRange(0),
        default=10,
        show_default=True,
        help="Answers 304 in a row after which the whole page is requested again.",
    ),
    click.option(
        "--max-not-modified-days",
        type=click.FloatRange(0, 36500),
        default=7.0,
        show_default=True,
        help="Days after which the whole page is requested again, whatever the server's validators say.",
    ),
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
    click.option(
        "--cookies",
        metavar="FILE",
        default=None,
        help="Send the cookies of a cookies.txt file, as browsers' extensions export it.",
    ),
    click.option(
        "--header",
        multiple=True,
        metavar="'NAME: VALUE'|@FILE",
        help="Send a header to the hosts of the given URLs; @FILE has one a line.",
    ),
    click.option("--logins", metavar="FILE", default=None, help="Send names and passwords by host, from a netrc file."),
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
    click.option(
        "--collection", multiple=True, metavar="NAME", help="Put what is captured into a collection; may be repeated."
    ),
    click.option("--label", multiple=True, metavar="TEXT", help="Label what is captured; may be repeated."),
    click.option("--note", default=None, metavar="TEXT", help="Say something of what is captured."),
)


def takes_capture_options(function: F) -> F:
    """Give a command every option of a capture, in the order of the help text."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function
