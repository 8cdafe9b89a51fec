"""Which links are captured: by scope, patterns, depth and number, and by the marks of endless sites."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from archive.model import Role, Target
from pipeline.capture.http.failures import Failure
from pipeline.capture.http.urls import WebUrl, checked_url
from pipeline.crawl.scope import Rules, registrable, trap_in, within

Refusal = tuple[str, str]  # the name of an outcome, and why


@dataclass(slots=True, eq=False)
class Admission:
    """The rules of a run, and what they depend on: the roots of each seed, and how many pages were found."""

    _rules: Rules
    _roots: dict[str, list[WebUrl]] = field(default_factory=dict)
    _found_pages: int = 0
    _queries: Counter[tuple[str, str]] = field(default_factory=Counter)  # by authority and path

    def add_root(self, seed: str, url: str) -> None:
        """Take an address that a seed has into its scope: its own, or where it redirects to."""
        with suppress(Failure):
            root = checked_url(url)
            roots = self._roots.setdefault(seed, [])
            if root not in roots:
                roots.append(root)

    def refusal(self, link: Target, found_in: Role) -> Refusal | None:
        """Return why a link is left out, robots.txt aside, or None: then it counts as a page that was found."""
        try:
            url = checked_url(link.url)
        except Failure as failure:
            return failure.verdict.name, failure.verdict.error or ""
        if why := _out_of_scope(url, link, found_in, self._roots.get(link.seed or "", ()), self._rules):
            return "out-of-scope", why
        if why := self._rules.excluded(link.url):
            return "excluded", why
        if link.depth > self._rules.depth:
            return "too-deep", "more links away than --depth"
        if why := trap_in(url, self._queries):
            return "query-trap", f"{why}; name it to capture it"
        if self._found_pages >= self._rules.limit:
            return "over-limit", f"--limit {self._rules.limit} pages were found already"
        self._found_pages += 1
        return None


def _out_of_scope(url: WebUrl, link: Target, found_in: Role, roots: Sequence[WebUrl], rules: Rules) -> str | None:
    if found_in == Role.FEED:
        return None
    if found_in == Role.SITEMAP:
        same = any(registrable(url.host) == registrable(root.host) for root in roots)
        return None if same else "another site than the sitemap's"
    if any(within(url, root, rules.scope) for root in roots):
        return None
    return f"not within the {rules.scope} of {link.seed}"
