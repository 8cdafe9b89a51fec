"""The options of a reader's session: read into one value here, so that no secret is where options are kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pipeline.capture.http.site_session import SiteSession

_LEFT_OUT = "header_names"  # in what is kept of an interrupted capture


def session_of(options: Mapping[str, Any], *, kept: bool = False) -> SiteSession:
    """Return the session that options name; `kept` says that they lie in a file of settings.

    Raises SessionFileError.
    """
    from pipeline.capture.http.session_files import read_cookies, read_headers, read_passwords
    from pipeline.capture.http.site_session import NOBODY, SiteSession

    if not (options["cookies"] or options["logins"] or options["header"]):
        return NOBODY
    return SiteSession(
        cookies=read_cookies(_path(options["cookies"])) if options["cookies"] else (),
        headers=read_headers(tuple(options["header"]), files_only=kept),
        passwords=read_passwords(_path(options["logins"])) if options["logins"] else (),
    )


def _path(written: str) -> Path:
    return Path(written).expanduser()


def without_secrets(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options as they may be kept on the disk: of headers the names alone."""
    from pipeline.capture.http.session_files import read_headers

    kept = {name: value for name, value in options.items() if name != "header"}
    names = sorted({name for name, _ in read_headers(tuple(options["header"]))})
    return kept | ({_LEFT_OUT: names} if names else {})


def with_secrets(kept: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of an interrupted capture with the headers of this one; raises click.UsageError."""
    from pipeline.capture.http.session_files import read_headers

    there = {name for name, _ in read_headers(tuple(given["header"]))}
    options = {**given, **kept}
    lacking = sorted(set(options.pop(_LEFT_OUT, ())) - there)
    if lacking:
        raise click.UsageError(
            f"the interrupted capture sent headers, which are not kept: give {', '.join(lacking)} again with --header"
        )
    return options
