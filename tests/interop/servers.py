"""Outside S3 servers: what one is asked for in a day's work, and what the program says of each."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.command import Command
from tests.interop.environments import Unavailable
from tests.interop.guesses import SERVERS
from tests.interop.rows import Row
from tests.interop.tools import ENVIRONMENTS
from tests.interop.writers import answers, free_port
from tests.waiting import wait_for

_SCRIPT = Path(__file__).parent / "servers" / "s3rver.cjs"
_COMMANDS = (("verify", "--deep"), ("compact",), ("gc",))


def s3rver(folder: Path, urls: list[str]) -> Row:
    """Capture twice into an archive on s3rver, verify, merge and clear it; the row has exit codes and notes."""
    tool, port = ENVIRONMENTS["s3rver"], free_port()
    try:
        tool.install()
    except Unavailable as error:
        return Row("s3rver", tool.pins, SERVERS["s3rver"], f"skipped: {error}")
    # Without this option, Node 17 and newer has no cipher for the server's second page of a list.
    variables = tool.variables() | {"NODE_FOLDER": str(tool.folder), "NODE_OPTIONS": "--openssl-legacy-provider"}
    server = subprocess.Popen(["node", _SCRIPT, str(port), folder / "data", "archive"], env=variables)
    try:
        wait_for(lambda: answers(port))
        keys = {"AWS_ACCESS_KEY_ID": "S3RVER", "AWS_SECRET_ACCESS_KEY": "S3RVER", "AWS_DEFAULT_REGION": "us-east-1"}
        onrecord = Command.at(f"s3://archive/a?endpoint=http://127.0.0.1:{port}", folder / "home", **keys)
        done = {"capture": onrecord.capture(*urls), "capture again": onrecord.capture(*urls)}
        done |= {" ".join(command): onrecord(*command) for command in _COMMANDS}
    finally:
        server.terminate()
        server.wait(60)
    notes = {line.partition(" does not ")[2] for each in done.values() for line in each.err.splitlines()} - {""}
    codes = ", ".join(f"{name} {each.code}" for name, each in done.items())
    return Row(
        "s3rver", tool.pins, SERVERS["s3rver"], "; ".join((codes, *(f"does not {note}" for note in sorted(notes))))
    )
