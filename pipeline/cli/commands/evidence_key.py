"""`onrecord evidence key`: the key that this machine signs by."""

from __future__ import annotations

import click

from pipeline.cli.context import Context
from pipeline.cli.output import plain, print_json


@click.command("key")
@click.option("--new", metavar="NAME", help="Make a key that signs by this name, without spaces: clinic.example.")
@click.pass_obj
def command(context: Context, new: str | None) -> None:
    """Print the public key of this machine's signing key, for those who are to check what it signs; or make one.

    The private key stays on this machine, in a file that nobody else can read. Keep a copy of it in a safe place.

    Example: onrecord evidence key --new clinic.example
    """
    from archive.crypto import Signer
    from archive.export import WaczSigner

    path = context.signing_key()
    signer = Signer.create(path, new) if new is not None else Signer.load(path)
    wacz = WaczSigner.beside(path)
    if context.as_json:
        print_json({"key": str(signer.public), "wacz_key": wacz.public, "file": str(path)})
        return
    click.echo(plain(str(signer.public)))
    context.say(f"the key that signs WACZ files is {wacz.public}")
    if new is not None:
        context.say(f"the private keys are {path} and {path.name}.wacz.pem beside it: keep a copy in a safe place")
