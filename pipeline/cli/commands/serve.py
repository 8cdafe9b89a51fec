"""`onrecord serve`: the archive over HTTP, at two origins."""

from __future__ import annotations

import socket
import threading
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from pipeline.cli.capture_flags import Size
from pipeline.cli.context import Context
from pipeline.cli.unfinished_runs import prepare, ready_to_sign, undecided_way

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp

    from archive.archive import Archive
    from pipeline.web.api.feeds import Feeds
    from pipeline.web.common.archive_reader import Reading
    from pipeline.web.write.routes import Writing

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_HIGHEST = 65_535


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="The port; 0 takes any.")
@click.option(
    "--replay-port",
    type=click.IntRange(0, 65535),
    help="The port at which captured pages are shown.  [default: the next one]",
)
@click.option(
    "--public", is_flag=True, help="Allow an address that other machines reach; all who reach it can read everything."
)
@click.option(
    "--name",
    "names",
    metavar="NAME",
    multiple=True,
    help="Answer to this host name too, such as archive.example; may be repeated.",
)
@click.option("--origin", metavar="URL", help="Behind a proxy: what it is reached at, as https://archive.example")
@click.option("--replay-origin", metavar="URL", help="Behind a proxy: what captured pages are shown at; another host.")
@click.option(
    "--allow-origin",
    "readers",
    metavar="URL",
    multiple=True,
    help="Let programs in web pages of this origin, or of any for '*', read what is served; may be repeated.",
)
@click.option("--write", is_flag=True, help="Let those who have a token save pages; see onrecord tokens.")
@click.option("--allow-private", is_flag=True, help="With --write: capture private and loopback addresses too.")
@click.option(
    "--max-upload", type=Size(), default="500M", show_default=True, help="With --write: bytes of a file to import."
)
@click.pass_obj
def command(
    context: Context,
    host: str,
    port: int,
    replay_port: int | None,
    public: bool,
    names: tuple[str, ...],
    origin: str | None,
    replay_origin: str | None,
    readers: tuple[str, ...],
    write: bool,
    allow_private: bool,
    max_upload: int,
) -> None:
    """Serve the archive: pages for people, the CDX server API, Memento, and captures as they were.

    Open its address in a browser to search, and to see a page's history, texts and changes; pywb and other tools ask
    it too. Needs the extra onrecord[web]. Captures are shown from an origin of its own, where they can run nothing and
    reach nobody. Nothing can be written without --write; with it, people who have a token save pages.

    Example: onrecord serve --port 8080
    """
    _check_usage(write=write, allow_private=allow_private)
    from pipeline.web.app import create_app
    from pipeline.web.common.archive_reader import Reading
    from pipeline.web.common.host_check import KnownHosts, readable_by
    from pipeline.web.replay.app import create_replay

    reached = _reached(host, origin, replay_origin, names, public=public)
    allowed = [reader if reader == "*" else _origin(reader, "--allow-origin") or "" for reader in readers]
    archive = context.open_archive()
    given = (context, archive, reached.interface, max_upload)
    writing, saves = _writing(*given, allow_private=allow_private) if write else (None, nullcontext())
    archive.require()
    listening = _listening(host, port)
    own = listening.getsockname()[1]
    replaying = _listening(host, _next(own, port) if replay_port is None else replay_port, "--replay-port")
    beside = replaying.getsockname()[1]
    reading = Reading(archive, context.cache_file("search.sqlite"))
    feeds = _feeds(context, reading, reached.interface)
    pages = readable_by(create_app(reading, reached.replay or beside, writing=writing, feeds=feeds), allowed)
    interface = KnownHosts(pages, reached.names, addresses=reached.addresses)
    replay = KnownHosts(create_replay(reading, reached.interface or own), reached.names, addresses=reached.addresses)
    name = f"[{host}]" if ":" in host else host
    context.say(f"serving {archive.url} at {reached.interface or f'http://{name}:{own}'}/ (end with Ctrl-C)")
    context.say(f"captured pages are shown from {reached.replay or f'http://{name}:{beside}'}/")
    if write:
        context.say("people with a token save pages at /save; make one: onrecord tokens add NAME")
    with saves, _served_beside(replay, replaying):
        _server(interface).run(sockets=[listening])


def _check_usage(*, write: bool, allow_private: bool) -> None:
    """Raise click.UsageError where options do not go together, or the packages of the extra are not there."""
    if allow_private and not write:
        raise click.UsageError("--allow-private goes with --write: nothing is captured without it")
    try:
        import jinja2  # noqa: F401 - looked for
        import python_multipart  # noqa: F401 - the same
        import re2  # noqa: F401 - the same
        import starlette  # noqa: F401 - the same
        import uvicorn  # noqa: F401 - the same
    except ImportError as error:
        from storage.extras import install_command

        raise click.UsageError(f"{error.name} is missing; install it: {install_command('web')}") from error


def _writing(
    context: Context, archive: Archive, origin: str | None, largest: int, *, allow_private: bool
) -> tuple[Writing, AbstractContextManager[object]]:
    """Make the store ready to be written; returns what the routes write to, and what captures while it is entered.

    Raises click.UsageError for settings by which nothing can be captured.
    """
    from pipeline.capture.http.proxies import undecided_line
    from pipeline.cli.capture_options import options_of
    from pipeline.cli.save_worker import Saving, Supervisor
    from pipeline.web.write.job_queue import JobQueue
    from pipeline.web.write.routes import Writing

    if (variable := undecided_way(context)) is not None:
        raise click.UsageError(undecided_line(variable))
    ready_to_sign(context)
    options_of(context.defaults.get("capture", {}), {})  # what is wrong with one is said now
    prepare(archive)
    folder = context.saving_folder()
    supervisor = Supervisor(Saving(context.given, context.store_id, folder, allow_private))
    return Writing(context.tokens(), JobQueue(folder), supervisor.wake, origin, largest), supervisor


def _feeds(context: Context, reading: Reading, origin: str | None) -> Feeds:
    """Return what answers with feeds, by what this machine knows of the pages and by its watch list."""
    from pipeline.watch.history import Ledger
    from pipeline.watch.watch_list import load
    from pipeline.web.api.feeds import Feeds

    return Feeds(reading, Ledger(context.state_folder() / "ledger.db"), lambda: load(context.watch_list()), origin)


@dataclass(frozen=True, slots=True)
class _Reached:
    """Under which origins and names the archive is reached."""

    interface: str | None  # the origin behind a proxy, if any
    replay: str | None  # that of captured pages
    names: frozenset[str]  # host names that are answered to, and with `addresses` every IP address
    addresses: bool


def _reached(
    host: str, origin: str | None, replay_origin: str | None, names: tuple[str, ...], *, public: bool
) -> _Reached:
    """Return how the options say that the archive is reached; raises click.UsageError."""
    from pipeline.web.common.host_check import LOOPBACK, own_names

    if host not in _LOOPBACK and not public:
        raise click.UsageError(f"{host} may be reached by others, who could read everything: add --public to allow it")
    named, shown = _origin(origin, "--origin"), _origin(replay_origin, "--replay-origin")
    if (named is None) != (shown is None):
        raise click.UsageError("--origin and --replay-origin go together: name both")
    if named is not None and named == shown:
        raise click.UsageError("captured pages need an origin of their own: name another host with --replay-origin")
    known = frozenset({*LOOPBACK, *_names(named, shown), *_extra(names)})
    by_address = public and named is None
    return _Reached(named, shown, known | own_names() if by_address else known, by_address)


def _next(own: int, port: int) -> int:
    """Return the port after one that was named; any port beside any, and beside the last."""
    return own + 1 if port and own < _HIGHEST else 0


def _origin(written: str | None, option: str) -> str | None:
    """Return an origin (RFC 6454 §6.2) as it was written, without a slash at its end."""
    if written is None:
        return None
    parts = urlsplit(written.rstrip("/"))
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query or parts.fragment:
        raise click.UsageError(f"{option} {written!r} is no origin: write https://archive.example")
    return written.rstrip("/")


def _names(*origins: str | None) -> list[str]:
    return [urlsplit(origin).hostname or "" for origin in origins if origin]


def _extra(names: tuple[str, ...]) -> list[str]:
    """Return the host names of --name in lower case; raises click.UsageError for one that is none."""
    from pipeline.web.common.host_check import is_host_name

    for name in names:
        if not is_host_name(name):
            raise click.UsageError(f"--name {name!r} is no host name: write archive.example, without scheme or port")
    return [name.lower() for name in names]


def _server(app: ASGIApp) -> Any:
    import uvicorn

    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False,
        http="h11",  # it lets no line break into a header
        h11_max_incomplete_event_size=32_768, timeout_graceful_shutdown=5,
    )  # fmt: skip
    return uvicorn.Server(config)


@contextmanager
def _served_beside(app: ASGIApp, listening: socket.socket) -> Iterator[None]:
    """Serve an application in a thread of its own, where signals do not come, until the block ends."""
    server = _server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="replay", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)


def _listening(host: str, port: int, option: str = "--port") -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=1024)
        # What is accepted inherits it: without it an answer of two packets waits 40 ms for the reader's delayed ACK.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except OSError as error:
        reason = error.strerror or str(error)
        raise click.UsageError(f"cannot listen at {host}, port {port}: {reason}; name another {option}") from error
