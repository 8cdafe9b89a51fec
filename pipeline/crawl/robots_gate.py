"""robots.txt of every origin that a run comes to: asked for once, and waited for."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from archive.model import Role, Target
from pipeline.capture.http.failures import Failure
from pipeline.capture.http.urls import WebUrl, checked_url
from pipeline.discover.outlinks import Hop
from pipeline.discover.robots_txt import Robots

_UNREACHABLE = "the site's robots.txt could not be had ({}), so nothing is followed there; name the URL to capture it"


@dataclass(frozen=True, slots=True)
class RobotsAnswer:
    """The answer for a robots.txt: without a `body` unless the file was served, `problem` says why not."""

    status: int | None
    body: bytes | None
    problem: str


def origin_of(url: WebUrl) -> str:
    """Return what one robots.txt speaks for (RFC 9309 §2.3)."""
    return f"{url.scheme}://{url.authority}"


def names_sitemaps(url: str) -> bool:
    """Return whether a URL is that of a robots.txt, which names the sitemaps of its site."""
    with suppress(Failure):
        return url.endswith("/robots.txt") and bool(checked_url(url))
    return False


@dataclass(slots=True, eq=False)
class Gatekeeper:
    """The rules of each origin, and the targets that wait until they are known."""

    _agent: str
    _rules: dict[str, Robots] = field(default_factory=dict)
    _waiting: dict[str, list[Target]] = field(default_factory=dict)

    def rules(self, url: WebUrl) -> Robots | None:
        """Return the rules for a URL, or None while they are not known."""
        return self._rules.get(origin_of(url))

    def hold(self, target: Target, url: WebUrl) -> Target | None:
        """Let a target wait for its origin's rules; returns the target that fetches them when it is the first."""
        origin = origin_of(url)
        first = origin not in self._waiting
        self._waiting.setdefault(origin, []).append(target)
        if not first:
            return None
        hops = target.hops + Hop.PREREQUISITE
        return Target(f"{origin}/robots.txt", via=target.url, role=Role.ROBOTS, hops=hops, seed=target.seed)

    def left(self) -> list[Target]:
        """Those that wait for a robots.txt that has not come."""
        return [target for waiting in self._waiting.values() for target in waiting]

    def learn(self, url: WebUrl, answer: RobotsAnswer) -> list[Target]:
        """Keep an origin's rules (RFC 9309 §2.3.1); returns the targets that waited for them."""
        status = answer.status
        if answer.body is not None:
            rules = Robots.read(answer.body, self._agent)
        elif status is not None and 400 <= status < 500 and status != 429:
            rules = Robots()
        else:
            rules = Robots(denied=_UNREACHABLE.format(answer.problem))
        self._rules[origin_of(url)] = rules
        return self._waiting.pop(origin_of(url), [])
