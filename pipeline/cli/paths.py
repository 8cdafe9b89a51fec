"""The folders that this machine keeps for onrecord."""

from __future__ import annotations

from pathlib import Path


def spool_folder() -> Path:
    """Where runs lie while they are written."""
    import platformdirs

    return Path(platformdirs.user_state_dir("onrecord")) / "spool"


def cache_folder(store_url: str) -> Path:
    """Where what never changes in a store is kept at hand."""
    import hashlib

    import platformdirs

    return Path(platformdirs.user_cache_dir("onrecord")) / hashlib.sha256(store_url.encode()).hexdigest()[:16]


def config_file() -> Path:
    """Where settings are looked for unless --config names a file."""
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
