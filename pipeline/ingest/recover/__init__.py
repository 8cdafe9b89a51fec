"""Captures that other archives have of a page, brought back under their own dates."""
