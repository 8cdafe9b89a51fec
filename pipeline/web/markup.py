"""HTML made of parts: what is a stranger's text is escaped, what could turn or hide text around it is left out."""

from __future__ import annotations

import html
import re

# Controls, and marks that change the direction of what follows: a title may not turn the page around it.
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_FOUND = re.compile("\x02([^\x02\x03]*)\x03")


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()

    def __add__(self, other: str) -> Markup:
        return Markup(str.__add__(self, other if isinstance(other, Markup) else html.escape(other)))


def text(value: str) -> Markup:
    """A stranger's text, its direction its own affair."""
    return Markup(f"<bdi>{html.escape(_HIDDEN.sub('', value))}</bdi>")


def marked(snippet: str) -> Markup:
    """A snippet of a text, what was found in it marked."""
    parts = _FOUND.split(snippet)
    return Markup(
        "".join(f"<mark>{_plain(part)}</mark>" if number % 2 else _plain(part) for number, part in enumerate(parts))
    )


def _plain(value: str) -> str:
    return html.escape(_HIDDEN.sub("", value))


def e(tag: str, *parts: str, cls: str = "", **attributes: str) -> Markup:
    """An element; attributes that are empty are left out."""
    attributes = {"class": cls, **{name.replace("_", "-"): value for name, value in attributes.items()}}
    written = "".join(f' {name}="{_plain(value)}"' for name, value in attributes.items() if value)
    inner = "".join(part if isinstance(part, Markup) else html.escape(part) for part in parts)
    return Markup(f"<{tag}{written}>{inner}</{tag}>")


def page(title: str, body: Markup, question: str = "") -> str:
    """A whole page of the interface around its body."""
    form = e(
        "form",
        e("label", "Words or an address", **{"for": "q"}),
        Markup(
            f'<input id="q" name="q" type="search" value="{_plain(question)}" '
            'placeholder="Words, or an address" autocomplete="off">'
        ),
        e("button", "Search"),
        action="/search",
        role="search",
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<meta name="color-scheme" content="light dark"><title>{_plain(title)} · onrecord</title>'
        '<link rel="stylesheet" href="/style.css"></head><body><a class="skip" href="#main">Skip to the content</a>'
        f'<header><a class="home" href="/">onrecord</a>{form}</header>'
        f'<main id="main"><h1>{text(title)}</h1>{body}</main></body></html>\n'
    )
