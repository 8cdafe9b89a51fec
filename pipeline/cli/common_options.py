"""The options of the program itself, taken behind the command as well: `onrecord get URL --json`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


def take_common_options(command: click.Command) -> click.Command:
    """Let a command, and each command of its group, take them; an option of its own by the same name stays its own."""
    own = {flag for param in command.params for flag in (*param.opts, *param.secondary_opts)}
    command.params += [option for option in _options() if not own & set(option.opts)]
    if isinstance(command, click.Group):
        for each in command.commands.values():
            take_common_options(each)
    return command


def _options() -> list[click.Option]:
    return [
        _option("--store", "store"),
        _option("--config", "config", type=click.Path(path_type=Path)),
        _option("-v", "--verbose", "verbosity", count=True),
        _option("-q", "--quiet", "verbosity", flag_value=-1),
        _option("--json", "as_json", is_flag=True),
        _option("--log-json", "log_json", is_flag=True),
    ]


def _option(*flags: str, **how: Any) -> click.Option:
    *names, field = flags
    return click.Option(
        (*names, f"common_{names[-1].strip('-').replace('-', '_')}"),
        expose_value=False,
        is_eager=True,  # before the options that look at the settings
        hidden=True,
        callback=lambda ctx, _, value: _take(ctx, field, value),
        **how,
    )


def _take(ctx: click.Context, field: str, value: Any) -> None:
    """Load the settings again with what is said here in place of what was said before the command."""
    if not value:
        return
    ctx.obj = ctx.obj.again(**{field: value})
    if field == "config":
        ctx.default_map = ctx.obj.defaults.get(ctx.info_name)
