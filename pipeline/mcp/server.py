"""The tools of the server, and how they are asked: over standard input and output (Model Context Protocol, stdio)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from pipeline.mcp import answers
from pipeline.mcp.answers import MOST_CHARACTERS, MOST_ENTRIES, NOTICE, answer
from pipeline.mcp.standing import Standing
from pipeline.version import software
from pipeline.web.common.archive_reader import Reading
from pipeline.web.common.safe_text import visible
from storage.errors import OnrecordError

_log = logging.getLogger("onrecord.mcp")

_INSTRUCTIONS = (
    "Reads an archive of web pages. Each page has snapshots of several times; `search` finds texts, `get` reads one, "
    "`snapshots` lists what is kept of an address, `diff` shows edits, `list` the pages of a site, `status` what the "
    "archive holds and which pages are gone. Cite a snapshot by its address, time and record_id. Times: 14 digits or "
    f"fewer (20261123), ISO 8601, or '2 days ago'. {NOTICE}"
)
_LONGEST_FAULT = 1_000  # characters
_READ_ONLY = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)

Time = Annotated[str | None, Field(max_length=100)]
Url = Annotated[str, Field(max_length=8192)]
Begin = Annotated[int, Field(ge=0)]
Length = Annotated[int, Field(ge=1, le=MOST_CHARACTERS)]
Limit = Annotated[int, Field(ge=1, le=MOST_ENTRIES)]


def serve(reading: Reading, ledger: Path) -> None:
    """Answer on standard output what is asked on standard input, until that ends."""
    create_server(reading, ledger).run("stdio")


def create_server(reading: Reading, ledger: Path) -> MCPServer[Any]:
    """Return the server with its tools; `ledger` is the file in which this machine keeps what happened to the pages."""
    name, _, version = software().partition("/")
    server: MCPServer[Any] = MCPServer(name, instructions=_INSTRUCTIONS, version=version, log_level="WARNING")
    tools = Tools(reading, ledger)
    for tool in (tools.search, tools.get, tools.snapshots, tools.diff, tools.list, tools.status):
        server.add_tool(_refusing(tool), annotations=_READ_ONLY)
    return server


class Tools:
    """The tools; their names, arguments and docstrings are what an assistant sees of them."""

    def __init__(self, reading: Reading, ledger: Path) -> None:
        self._reading = reading
        self._standing = Standing(reading, ledger)

    def search(
        self,
        query: Annotated[str, Field(max_length=2000)],
        site: Annotated[str | None, Field(max_length=253)] = None,
        start: Time = None,
        end: Time = None,
        limit: Limit = 10,
    ) -> dict[str, Any]:
        """Find texts by their words, the best first. All words must be there.

        "..." is a phrase, -word must not be there, title: and author: name a field, word* matches every ending. `site`
        is a host, with the hosts below it; `start` and `end` bound when it was captured.
        """
        return answer(self._reading, answers.search(self._reading, query, site, start, end, limit))

    def get(self, url: Url, at: Time = None, begin: Begin = 0, length: Length = 20_000) -> dict[str, Any]:
        """Read the text of a page as it was at a time (`at`), or the newest snapshot that shows the page.

        Long texts come in parts: ask again with `begin` set to `next_begin`.
        """
        return answer(self._reading, answers.get(self._reading, url, at, begin, length))

    def snapshots(self, url: Url, start: Time = None, end: Time = None, limit: Limit = 50) -> dict[str, Any]:
        """List the newest snapshots of an address, oldest first, each with its state: new, unchanged, edited, gone."""
        return answer(self._reading, answers.snapshots(self._reading, url, start, end, limit))

    def diff(
        self, url: Url, start: Time = None, end: Time = None, begin: Begin = 0, length: Length = 20_000
    ) -> dict[str, Any]:
        """Show what changed in the text of a page between two times, or at the last edit when none is given."""
        return answer(self._reading, answers.diff(self._reading, url, start, end, begin, length))

    def list(self, site: Url, after: Url = "", limit: Limit = 50) -> dict[str, Any]:
        """List the pages of a host, of a domain (*.example.org) or of a folder (https://example.org/blog/*).

        For more, ask again with `after` set to `next_after`.
        """
        return answer(self._reading, answers.pages(self._reading, site, after, limit))

    def status(self, since: Time = None, limit: Limit = 20) -> dict[str, Any]:
        """Say what the archive holds, which of its pages are gone or blocked, and which were edited since a time."""
        return answer(self._reading, self._standing.status(since, limit))


def _refusing(tool: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Let a tool answer an error of the archive as one line, as the command line does."""

    @wraps(tool)
    def asked(**given: Any) -> dict[str, Any]:
        try:
            return tool(**given)
        except OnrecordError as error:
            raise ToolError(visible(" ".join(str(error).split()))[:_LONGEST_FAULT]) from error

    return asked
