"""Folders of this machine's own: state and cache, also where there is no home, or none that can be written."""

from __future__ import annotations

import logging
import os
import stat
from functools import lru_cache
from pathlib import Path

import click

_log = logging.getLogger("onrecord")


def settle_home() -> None:
    """Give this process a home where it has none that is a path: what it keeps would lie where it was started."""
    if not os.path.isabs(os.path.expanduser("~")):  # noqa: PTH111, PTH117 - Path.expanduser raises here
        os.environ["HOME"] = str(_makeshift())


@lru_cache(maxsize=1)
def state_folder() -> Path:
    """Return the folder of what must be kept: spool, ledger, outbox. One of the temporary folder's where none can be.

    Raises click.UsageError where that cannot be written either.
    """
    import platformdirs

    folder = Path(platformdirs.user_state_dir("onrecord"))
    if _is_writable(folder):
        return folder
    instead = _makeshift() / "state"
    if not _is_writable(instead):
        raise click.UsageError(f"neither {folder} nor {instead} can be written; name a folder with XDG_STATE_HOME")
    _log.warning(
        "%s cannot be written: what waits for the store lies in %s, which may be lost when this machine restarts; name "
        "a folder with XDG_STATE_HOME",
        folder,
        instead,
    )
    return instead


def _is_writable(folder: Path) -> bool:
    import tempfile  # not before it is needed: --help has to be fast

    from storage.private import private_folder

    try:
        private_folder(folder)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _makeshift() -> Path:
    """Return a folder of this user's own among the temporary ones; raises click.UsageError if another user owns it."""
    import tempfile

    folder = Path(tempfile.gettempdir()) / f"onrecord-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        about = folder.lstat()
    except OSError as error:
        raise click.UsageError(f"{folder} cannot be made ({error.strerror}); set HOME") from error
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid():
        raise click.UsageError(f"{folder} is not this user's own; set HOME")
    return folder


def cache_folder(store_url: str) -> Path:
    """Return the folder for what never changes in a store; its contents can be lost."""
    import hashlib

    import platformdirs

    return Path(platformdirs.user_cache_dir("onrecord")) / hashlib.sha256(store_url.encode()).hexdigest()[:16]


def config_file() -> Path:
    """Return the settings file that is read unless --config names another."""
    import platformdirs

    return Path(platformdirs.user_config_dir("onrecord")) / "config.toml"


def data_folder() -> Path:
    """Return the folder that holds the default store."""
    import platformdirs

    return Path(platformdirs.user_data_dir("onrecord"))


def tighten_folders() -> None:
    """Take the rights of others from the folders of this program that earlier versions made by the umask alone."""
    import platformdirs

    from storage.private import tighten

    for folder in (platformdirs.user_cache_dir("onrecord"), platformdirs.user_state_dir("onrecord")):
        tighten(Path(folder))
