"""`onrecord serve`: the archive over HTTP."""

from __future__ import annotations

import socket

import click

from pipeline.cli.context import Context

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="The port; 0 takes any.")
@click.option("--public", is_flag=True, help="Allow an address that others reach: whoever reaches it reads everything.")
@click.pass_obj
def command(context: Context, host: str, port: int, public: bool) -> None:
    """Serve the archive: pages for people, the CDX server API, Memento, and captures as they were.

    Open its address in a browser to search, and to see a page's history, texts and changes; pywb and other tools ask
    it too. Needs the extra onrecord[web]. What was captured is sent so that it can run nothing in a browser.

    Example: onrecord serve --port 8080
    """
    try:
        import re2  # noqa: F401 - looked for before a request needs it
        import uvicorn

        from pipeline.web.app import create_app
        from pipeline.web.reader import Reader
    except ImportError as error:
        raise click.UsageError(f"{error.name} is missing; install it with: pip install 'onrecord[web]'") from error
    if host not in _LOOPBACK and not public:
        raise click.UsageError(f"{host} may be reached by others, who could read everything: add --public to allow it")
    archive = context.open_archive()
    archive.require()
    listening = _listening(host, port)
    name = f"[{host}]" if ":" in host else host
    context.say(f"serving {archive.store.url} at http://{name}:{listening.getsockname()[1]}/ (end with Ctrl-C)")
    config = uvicorn.Config(
        create_app(Reader(archive, context.cache_file("search.sqlite"))), log_level="warning", access_log=False,
        server_header=False, h11_max_incomplete_event_size=32_768, timeout_graceful_shutdown=5,
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[listening])


def _listening(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        reason = error.strerror or str(error)
        raise click.UsageError(f"cannot listen at {host}, port {port}: {reason}; name another --port") from error
