"""`onrecord evidence verify`: a bundle, or a signed WACZ, checked without any archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Context
from pipeline.cli.output import plain, print_json

if TYPE_CHECKING:
    from archive.crypto import PublicKey
    from archive.evidence import Step

_MARKS = {True: "holds", False: "BROKEN", None: "unknown"}


@click.command("verify")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--key", metavar="KEY|FILE", help="The public key that must have signed it, from its holder.")
@click.option(
    "--roots", type=click.Path(path_type=Path), help="Root certificates of authorities that you trust, in PEM."
)
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A checkpoint of the archive that you have: the bundle must be of the same log.",
)
@click.pass_obj
def command(context: Context, file: Path, key: str | None, roots: Path | None, checkpoint: Path | None) -> None:
    """Check a bundle of evidence, or the signature of a WACZ, step by step, and say what it proves and what not.

    It asks no store and no network. Exit code 5 says that something in it does not hold.

    Example: onrecord evidence verify post.evidence.zip --key clinic.example+5c5fdc26+AX... --roots roots.pem
    """
    from archive.errors import IntegrityError

    if file.name.lower().endswith(".wacz"):
        if key or roots or checkpoint:
            raise click.UsageError("--key, --roots and --checkpoint are for bundles: a WACZ is signed in another way")
        broken = _wacz(context, file)
    else:
        broken = _bundle(context, file, key, roots, checkpoint)
    if broken:
        raise IntegrityError(f"{file}: {broken:,} of the steps above do not hold: it proves nothing")


def _wacz(context: Context, file: Path) -> int:
    from archive.export import wacz_steps

    steps = list(wacz_steps(file))
    for step in steps:
        _tell(context, step)
    return sum(step.holds is False for step in steps)


def _bundle(context: Context, file: Path, key: str | None, roots: Path | None, checkpoint: Path | None) -> int:
    from archive.evidence import DOES_NOT_PROVE, PROVES, Checking, Checkpoint, read_roots
    from archive.times import iso

    other = Checkpoint.parse(checkpoint.read_bytes()) if checkpoint else None
    checking = Checking(file, _key(key), read_roots(roots) if roots else (), other)
    for step in checking.steps():
        _tell(context, step)
    if checking.broken:
        return checking.broken
    trusted = [stamp.time for stamp in checking.stamps if stamp.is_trusted]
    since = f"it was there at {iso(min(trusted))}" if trusted else "since when it was there is not proved"
    if context.as_json:
        print_json({"proved": True, "not_later_than": iso(min(trusted)) if trusted else None})
        return 0
    click.echo(f"\n{plain(str(file))} holds; {since}.\n\nIt proves:\n{PROVES}\n\nIt does not prove:\n{DOES_NOT_PROVE}")
    return 0


def _key(named: str | None) -> PublicKey | None:
    """Return a public key that is written out, or stands in a file."""
    from archive.crypto import PublicKey

    if named is None:
        return None
    path = Path(named)
    if "+" not in named or path.is_file():
        try:
            named = path.read_text("utf-8", "replace")
        except OSError as error:
            raise click.UsageError(f"--key {path}: {error.strerror}") from error
    return PublicKey.parse(named)


def _tell(context: Context, step: Step) -> None:
    if context.as_json:
        print_json({"holds": step.holds, "step": step.text})
    else:
        click.echo(f"{_MARKS[step.holds]:<8} {plain(step.text, 600)}")
