"""Timestamps in paths."""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor


class StampConvertor(Convertor[str]):
    """4 to 14 digits."""

    regex = "[0-9]{4,14}"

    def convert(self, value: str) -> str:
        """As it stands in the path."""
        return value

    def to_string(self, value: str) -> str:
        """As it will stand in a path."""
        return value


def register() -> None:
    """Let routes say `{name:stamp}`."""
    register_url_convertor("stamp", StampConvertor())
