"""<template>: markup for scripts, which no reader sees (HTML §4.12.3), unless it is a declarative shadow tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_SHADOW = ("shadowrootmode", "shadowroot")


def empty_templates(tree: HtmlElement) -> None:
    """Take the content out of every <template> of a tree that is no shadow tree; what follows each one stays."""
    for element in list(tree.iter("template")):
        if not any(element.get(name) for name in _SHADOW):
            element.text = None
            del element[:]
