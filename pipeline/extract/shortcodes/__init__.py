"""Shortcodes that a dead plugin or page builder left in a page as they were typed, taken out of its text."""

from pipeline.extract.shortcodes.expand import Expansion, expand

__all__ = ["Expansion", "expand"]
