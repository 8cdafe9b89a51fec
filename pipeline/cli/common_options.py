"""The options of the program itself, taken behind the command as well: `onrecord get URL --json`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

_FLAGS: tuple[tuple[tuple[str, ...], str, dict[str, Any]], ...] = (  # their names, what they set, and how
    (("--store",), "store", {}),
    (("--config",), "config", {"type": click.Path(path_type=Path)}),
    (("-v", "--verbose"), "verbosity", {"count": True}),
    (("-q", "--quiet"), "verbosity", {"flag_value": -1}),
    (("--json",), "as_json", {"is_flag": True}),
    (("--log-json",), "log_json", {"is_flag": True}),
)


def take_common_options(command: click.Command) -> click.Command:
    """Let a command, and each command of its group, take them; an option of its own by the same name stays its own."""
    own = {flag for param in command.params for flag in (*param.opts, *param.secondary_opts)}
    for names, field, how in _FLAGS:
        if own.isdisjoint(names):
            name = f"common_{names[-1].strip('-').replace('-', '_')}"
            # Eager: before the options that look at the settings.
            option = click.Option((*names, name), expose_value=False, is_eager=True, hidden=True, **how)
            option.callback = partial(_take, field)
            command.params.append(option)
    if isinstance(command, click.Group):
        for each in command.commands.values():
            take_common_options(each)
    return command


def _take(field: str, ctx: click.Context, _option: click.Parameter, value: Any) -> None:
    """Load the settings again with what is said here in place of what was said before the command."""
    if not value:
        return
    ctx.obj = ctx.obj.again(**{field: value})
    if field == "config":
        ctx.default_map = ctx.obj.defaults.get(ctx.info_name)
