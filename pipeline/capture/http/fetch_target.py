"""What happens to one target, from its URL to its verdict: checks, connection, exchange, redirects, retries."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path

from archive.model import Exchange, Fetched, Role, Target, Verdict
from archive.times import now
from pipeline.capture.http.chain_cookies import ChainCookies
from pipeline.capture.http.connection import Stale, connect
from pipeline.capture.http.exchange import exchange
from pipeline.capture.http.failures import OK, Failure
from pipeline.capture.http.politeness import Hosts
from pipeline.capture.http.refresh import LONGEST_WAIT, Refresh, refresh_of
from pipeline.capture.http.request import Request, headers_after_redirect
from pipeline.capture.http.settings import FetchSettings
from pipeline.capture.http.site_session import made_with
from pipeline.capture.http.urls import WebUrl, checked_url, redirected_url

_REDIRECTS = {301, 302, 303, 307, 308}
_BUSY = {429, 503}
_AT_ONCE = 1  # seconds of a refresh that no reader sees go by


async def fetch_target(target: Target, hosts: Hosts, settings: FetchSettings, folder: Path) -> Fetched:
    """Fetch a target and what it redirects to; every fault is in the verdict, and what came before it is kept.

    One that was written without a scheme is fetched over http where its host does not speak https.
    """
    fetched = await _fetch_as_named(target, hosts, settings, folder)
    if over_http := instead_of_https(fetched):
        return await _fetch_as_named(over_http, hosts, settings, folder)
    return fetched


def instead_of_https(fetched: Fetched) -> Target | None:
    """Return the target over http, where https was only a guess and its host does not speak it; else None."""
    target = fetched.target
    silent = fetched.verdict.name in {"connect-failed", "connect-timeout", "tls-failure"} and not fetched.exchanges
    if target.bare and silent and target.url.startswith("https:"):
        return replace(target, url=f"http:{target.url.removeprefix('https:')}")
    return None


async def _fetch_as_named(target: Target, hosts: Hosts, settings: FetchSettings, folder: Path) -> Fetched:
    exchanges: list[Exchange] = []
    try:
        verdict = await _follow(target, hosts, settings, folder, exchanges)
    except Failure as failure:
        verdict = failure.verdict
    except BaseException:
        for left in exchanges:
            left.response.discard()
        raise
    return Fetched(target, tuple(exchanges), verdict)


async def fetch_once(
    target: Target, hosts: Hosts, settings: FetchSettings, folder: Path, *, method: str = "GET", body: bytes = b""
) -> Fetched:
    """Fetch a target as a browser asks for it, which follows redirects itself: here a redirect is "ok".

    `target.headers` are sent to this URL alone. At most one exchange comes of it.
    """
    try:
        request = Request(target.headers, method, body)
        recorded, problem = await _patiently(checked_url(target.url), request, hosts, settings, folder)
    except Failure as failure:
        return Fetched(target, (), failure.verdict)
    if recorded.truncated:
        return Fetched(target, (recorded,), Verdict("truncated", problem))
    return Fetched(target, (recorded,), OK if is_redirect(recorded) else _judged(recorded))


def is_redirect(recorded: Exchange) -> bool:
    """Whether an exchange sends its reader elsewhere (RFC 9110 §15.4)."""
    return recorded.status in _REDIRECTS and recorded.header("Location") is not None


async def _follow(
    target: Target, hosts: Hosts, settings: FetchSettings, folder: Path, exchanges: list[Exchange]
) -> Verdict:
    first = url = checked_url(target.url)
    cookies = ChainCookies(settings.session.cookies)
    headers = cookies.added(target.headers, url)
    seen = {(str(url), cookies.header(url))}
    shown: tuple[str, ...] = ()
    while True:
        sent, names = settings.session.added(headers, url, target.seed or target.url)
        shown = tuple(dict.fromkeys((*shown, *names)))  # what one answer leads to is for its reader too
        recorded, problem = await _patiently(url, Request(sent), hosts, settings, folder)
        recorded = made_with(recorded, shown)
        exchanges.append(recorded)
        if recorded.truncated:
            return Verdict("truncated", problem)
        location = recorded.header("Location")
        refresh = None
        if recorded.status not in _REDIRECTS or location is None:
            refresh, recorded = _leads_on(target, url, recorded)
            exchanges[-1] = recorded
            if refresh is None:
                return _judged(recorded)
            location = refresh.url
        cookies.take(url, recorded.headers)
        here, url = url, redirected_url(url, location)
        asked = (str(url), cookies.header(url))  # the same address with another cookie may have another answer
        if refresh is not None and asked in seen and (url == here or refresh.wait > _AT_ONCE):
            exchanges[-1] = replace(recorded, leads_to=None)
            return _judged(recorded)  # a page that is shown anew every so often, or takes turns with another
        if asked in seen:
            return Verdict("redirect-loop", f"redirected back to {url}")
        seen.add(asked)
        headers = cookies.added(headers_after_redirect(target.headers, first, url), url)
        if len(exchanges) > settings.max_redirects:
            return Verdict("too-many-redirects", f"more than {settings.max_redirects} redirects")


def _leads_on(target: Target, url: WebUrl, recorded: Exchange) -> tuple[Refresh | None, Exchange]:
    """Return where a page leads by itself, if that is followed, and its exchange, which names that or has a note."""
    refresh = refresh_of(recorded) if target.role == Role.PAGE else None
    if refresh is None or not refresh.url:
        return None, recorded
    try:
        leads_to = str(redirected_url(url, refresh.url))
    except Failure as failure:
        return None, _noted(recorded, f"it leads on by a refresh that cannot be followed: {failure.verdict.error}")
    if refresh.wait > LONGEST_WAIT:
        if leads_to == str(url):
            return None, recorded
        return None, _noted(recorded, f"it leads on to {leads_to} after {refresh.wait:,} s, which is not followed")
    return refresh, replace(recorded, leads_to=leads_to)


def _noted(recorded: Exchange, note: str) -> Exchange:
    return replace(recorded, notes=(*recorded.notes, note))


def _judged(recorded: Exchange) -> Verdict:
    if 200 <= recorded.status < 300 or recorded.status == 304:
        return OK
    with recorded.response.open() as stream:
        line = stream.readline(200).decode("latin-1").strip().partition(" ")[2]
    line = "".join(character if character.isprintable() else "?" for character in line)  # it may reach a terminal
    if recorded.status in _BUSY:
        return Verdict("rate-limited", f"{line}; run again later, or with a larger --delay")
    return Verdict("http-error", line)


async def _patiently(
    url: WebUrl, request: Request, hosts: Hosts, settings: FetchSettings, folder: Path
) -> tuple[Exchange, str | None]:
    """One exchange; a server that has too much to do is asked again, later, a few times."""
    wait = settings.retry_wait
    for _ in range(settings.retries if request.repeatable else 0):
        recorded, problem = await _once(url, request, hosts, settings, folder)
        if recorded.status not in _BUSY:
            return recorded, problem
        pause = _retry_after(recorded, wait)
        if pause > settings.max_retry_wait:
            return recorded, problem
        recorded.response.discard()
        hosts.back_off(url.host, pause)
        wait *= 2
    return await _once(url, request, hosts, settings, folder)


def _retry_after(recorded: Exchange, otherwise: float) -> float:
    """Seconds to wait by Retry-After, a number or a date (RFC 9110 §10.2.3)."""
    value = (recorded.header("Retry-After") or "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max((moment - now()).total_seconds(), 0.0)
    except (ValueError, OverflowError):  # no date, or none that a clock can show
        return otherwise


async def _once(
    url: WebUrl, request: Request, hosts: Hosts, settings: FetchSettings, folder: Path
) -> tuple[Exchange, str | None]:
    async with hosts.turn(url.host):
        kept = hosts.take_connection(url) if request.repeatable else None  # a stale one would ask twice
        connection = kept or await connect(url, settings)
        try:
            try:
                recorded, problem, reusable = await exchange(connection, url, request, settings, folder)
            except Stale:
                connection.close()
                connection = await connect(url, settings)
                recorded, problem, reusable = await exchange(connection, url, request, settings, folder)
        except BaseException:
            connection.close()
            raise
        if reusable:
            hosts.keep_connection(url, connection)
        else:
            connection.close()
        return recorded, problem
