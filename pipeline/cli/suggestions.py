"""What a user may have meant: a command or an option by a name that is like it, or by another word for it."""

from __future__ import annotations

import importlib
import shlex
from collections.abc import Iterable
from pathlib import Path

import click

# What other programs call it.
_OTHER_WORDS = {
    "add": "watch add", "alert": "alerts test", "archive": "capture", "backup": "replicate", "cat": "get",
    "check": "verify, or doctor for this machine", "clean": "gc", "clone": "replicate", "compare": "diff",
    "config": "doctor, which says where the settings are", "copy": "replicate", "crawl": "capture --depth 2",
    "cron": "schedule install", "delete": "redact, or withhold to hide", "download": "capture", "fetch": "capture",
    "find": "search", "fixity": "verify --deep", "grep": "search", "hide": "withhold", "history": "snapshots",
    "index": "compact", "info": "status", "ingest": "import", "init": "capture, which makes the store",
    "install": "schedule install", "load": "import", "log": "snapshots",
    "ls": "list, snapshots, or watch list", "merge": "compact", "mirror": "replicate", "monitor": "watch add",
    "prove": "evidence create", "prune": "gc", "read": "get", "remove": "watch remove, or redact", "replay": "serve",
    "rm": "watch remove, or redact", "save": "capture", "server": "serve", "show": "get", "sign": "evidence checkpoint",
    "snapshot": "capture, or snapshots to list", "start": "serve, or schedule install", "stats": "status",
    "sync": "replicate", "takedown": "redact", "timestamp": "evidence checkpoint", "ui": "serve", "update": "run",
    "view": "get", "wacz": "export FILE.wacz", "warc": "export FILE.warc.gz", "wayback": "serve", "web": "serve",
}  # fmt: skip
_OTHER_OPTIONS = {
    "--dir": "--store", "--file": "--input", "--headless": "--browser", "--ignore-robots": "--robots ignore",
    "--level": "--depth", "--local": "--allow-private", "--no-check-certificate": "--insecure", "--out": "--output",
    "--playwright": "--browser", "--pages": "--limit", "--private": "--allow-private", "--rate": "--delay",
    "--recursive": "--depth", "--since": "--from", "--urls": "--input", "--until": "--to", "--wait": "--delay",
}  # fmt: skip


def near(name: str, known: Iterable[str]) -> list[str]:
    """Return the names that one is like: by its letters, or because it is the beginning of them."""
    from difflib import get_close_matches

    known = sorted(known)
    begun = [each for each in known if len(name.strip("-")) > 2 and each.startswith(name)]
    return begun or get_close_matches(name, known, n=2, cutoff=0.7)


def command_meant(name: str, arguments: Iterable[str], commands: Iterable[str]) -> str:
    """Return what to say of a command that there is not."""
    if "://" in name or (("." in name or "/" in name) and not name.startswith("-")):
        verb = "import" if Path(name).suffix.lower() in {".wacz", ".warc", ".gz", ".arc"} else "capture"
        return f"{shlex.quote(name)} is no command; did you mean: onrecord {verb} {shlex.join([name, *arguments])}"
    found = near(name, commands)
    meant = " or ".join(found) or _OTHER_WORDS.get(name.lower(), "")
    return f"no command {name!r}; " + (f"did you mean: onrecord {meant}" if meant else "see: onrecord --help")


def option_meant(error: click.NoSuchOption, commands: Iterable[tuple[str, str]]) -> str:
    """Return what to say of an option that there is not; `commands` are names and modules, for whose option it is."""
    name, ctx = error.option_name, error.ctx
    path = ctx.command_path if ctx else "onrecord"
    known = {flag for param in ctx.command.get_params(ctx) for flag in _flags(param)} if ctx else set()
    found = near(name, known)
    if not found and (other := _OTHER_OPTIONS.get(name)) and other.split()[0] in known:
        found = [other]
    if found:
        return f"{path} has no option {name}; did you mean {' or '.join(found)}?"
    owners = [command for command, module in commands if name in _flags_of(module)]
    if owners and path.endswith(" run") and "capture" in owners:
        setting = name.strip("-").replace("-", "_")
        return (
            f"{path} has no option {name}; set {setting} in the table [capture] of the settings, or "
            f"ONRECORD_{setting.upper()} in the environment"
        )
    if owners:
        return f"{path} has no option {name}; it is one of: {', '.join(f'onrecord {each}' for each in owners[:4])}"
    return f"{path} has no option {name}; see: {path} --help"


def _flags(param: click.Parameter) -> list[str]:
    return [flag for flag in (*param.opts, *param.secondary_opts) if flag.startswith("-")]


def _flags_of(module: str) -> set[str]:
    command = importlib.import_module(module).command
    own = [command, *(command.commands.values() if isinstance(command, click.Group) else ())]
    return {
        flag for each in own for param in each.params if not getattr(param, "hidden", False) for flag in _flags(param)
    }
