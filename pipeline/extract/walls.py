"""Whether a check for bots, a refusal or a parked domain stands in a page's place: by the marks of `wall_rules`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from archive.model import Headers
from pipeline.extract.wall_rules import MOST_WORDS, RULES, WallRule

_BEGINNING = 300_000  # characters of a page that are looked at: walls are small
_NAME = re.compile(r"</?([a-zA-Z]{1,20})")
_ENDS = {name: re.compile(rf"</{name}\b", re.IGNORECASE) for name in ("script", "style", "title", "textarea")}


@dataclass(frozen=True, slots=True)
class Parts:
    """A page in three: its title, what stands in tags, scripts and styles in lower case, and the words shown."""

    title: str
    code: str
    words: str


def wall_of(url: str, status: int, headers: Headers, text: str) -> WallRule | None:
    """Return the rule that an answer matches, None where it is no wall. `text` is the decoded body."""
    parts = parts_of(text)
    return next((rule for rule in RULES if _matches(rule, url, status, headers, parts)), None)


def parts_of(text: str) -> Parts | None:
    """Take a page apart in one walk, without a parser: as much of it as is looked at.

    None where it has more words than any wall has; then only what came with it can tell.
    """
    text = text[:_BEGINNING]
    title, code, words = "", [], []
    at = count = 0
    while (start := text.find("<", at)) >= 0:
        words.append(text[at:start])
        if "&" not in words[-1]:  # references may stand for blanks, which are not counted
            count += len("".join(words[-1].split()))
            if count > MOST_WORDS:
                return None
        if text.startswith("<!--", start):
            end = text.find("-->", start)
            at = end + 3 if end >= 0 else len(text)
            continue
        end = text.find(">", start)
        if end < 0:
            at = len(text)
            break
        at = end + 1
        found = _NAME.match(text, start)
        if found is None and text[start + 1 : start + 2] not in {"!", "?"}:
            words.append(text[start:at])
            continue
        code.append(text[start:at])
        name = found[1].lower() if found else ""
        if name in _ENDS and text[start + 1] != "/":
            closing = _ENDS[name].search(text, at)
            until = closing.start() if closing else len(text)
            if name == "title":
                title = title or text[at:until]
            elif name != "textarea":
                code.append(text[at:until])
            at = until
    words.append(text[at:])
    return Parts(_squeezed(title), "\n".join(code).lower(), _squeezed(" ".join(words)))


def _squeezed(text: str) -> str:
    import html

    return " ".join(html.unescape(text).split())


def _matches(rule: WallRule, url: str, status: int, headers: Headers, parts: Parts | None) -> bool:
    if rule.statuses is not None and status not in rule.statuses:
        return False
    if rule.most is not None and (parts is None or len(parts.words) > rule.most):
        return False
    if rule.header is not None and not _has(headers, *rule.header):
        return False
    if rule.address is not None and not rule.address.search(url):
        return False
    if parts is None:
        return True  # such a rule looks at nothing else
    if rule.title is not None and not rule.title.search(parts.title[:300]):
        return False
    if rule.words is not None and not rule.words.search(parts.words):
        return False
    return all(mark.search(parts.code) for mark in rule.code)


def _has(headers: Headers, name: str, value: re.Pattern[str]) -> bool:
    return any(key.lower() == name and value.search(text) for key, text in headers)
