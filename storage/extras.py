"""How the optional parts of this program are installed: from where it lies, whatever a registry has by its name."""

from __future__ import annotations

import json
import shlex
import sys
from importlib.metadata import PackageNotFoundError, distribution
from urllib.parse import unquote, urlsplit


def install_command(extra: str) -> str:
    """Return the command that installs an optional part for this Python, to be pasted into a shell."""
    return shlex.join([sys.executable, "-m", "pip", "install", f"{_source() or '.'}[{extra}]"]) + (
        "" if _source() else "  # in the folder of its sources, which has pyproject.toml"
    )


def _source() -> str | None:
    """Return the folder or file that the program was installed from (PEP 610), where it was one."""
    try:
        written = json.loads(distribution("onrecord").read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        return None
    parts = urlsplit(str(written.get("url", "")))
    return unquote(parts.path) if parts.scheme == "file" else None
