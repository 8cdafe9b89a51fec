"""The frontier alone: what it wants of a target that came back, and where what was learned leads."""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

from archive.archive import Archive
from archive.model import Fetched, Outcome, Role, Target, Verdict
from archive.runs.warc_files import RunSettings
from pipeline.capture.http.settings import FetchSettings
from pipeline.crawl.frontier import Frontier, Wanted
from pipeline.crawl.robots_gate import RobotsAnswer
from pipeline.crawl.scope import RobotsPolicy, Rules
from pipeline.discover.outlinks import Findings, Hop, Outlink
from pipeline.ingest.capture_run import CaptureOptions, capture_all
from pipeline.ingest.recording import Writing
from storage.local import LocalStore
from tests.site import Site, answer, redirect

A = "http://a.example"


def frontier(*targets: Target, **rules: object) -> Frontier:
    return Frontier(targets, Rules(**rules), lambda url: None)  # type: ignore[arg-type]


def back(target: Target) -> Fetched:
    return Fetched(target, (), Verdict("ok"))


def linking(*urls: str) -> Findings:
    return Findings(tuple(Outlink(url, Hop.LINK, "a/@href") for url in urls))


def test_it_ends_when_every_target_is_learned() -> None:
    made = frontier(Target(f"{A}/"), depth=1, robots=RobotsPolicy.IGNORE)
    targets = iter(made)
    first = next(targets)
    assert made.wanted(back(first)) == Wanted(links=True, rules=False)
    made.learned(first, linking(f"{A}/b", f"{A}/"))
    second = next(targets)
    assert second.url == f"{A}/b"
    made.wanted(back(second))
    made.learned(second)
    assert next(targets, None) is None


def test_what_a_browser_captured_beside_a_page_is_not_queued() -> None:
    made = frontier(Target(f"{A}/"))
    targets = iter(made)
    page = next(targets)
    made.wanted(back(page), [f"{A}/style.css"])
    embeds = Findings(tuple(Outlink(f"{A}/{name}", Hop.EMBED, "img/@src") for name in ("style.css", "i.png")))
    made.learned(page, embeds)
    assert next(targets).url == f"{A}/i.png"


def test_targets_wait_for_the_rules_of_their_origin() -> None:
    made = frontier(Target(f"{A}/"), depth=1)
    targets = iter(made)
    page = next(targets)
    made.wanted(back(page))
    made.learned(page, linking(f"{A}/open", f"{A}/closed"))
    robots = next(targets)
    assert (robots.url, robots.role) == (f"{A}/robots.txt", Role.ROBOTS)
    assert made.wanted(back(robots)).rules
    made.learned(robots, robots=RobotsAnswer(200, b"User-agent: *\nDisallow: /closed\n", "ok"))
    assert next(targets).url == f"{A}/open"
    assert [(each.url, each.outcome) for each in made.left_out()] == [(f"{A}/closed", "robots-denied")]


def test_a_site_without_robots_has_its_sitemap_in_the_usual_place() -> None:
    made = frontier(Target(f"{A}/robots.txt", role=Role.SITEMAP))
    targets = iter(made)
    robots = next(targets)
    assert made.wanted(back(robots)) == Wanted(links=True, rules=True)
    made.learned(robots, robots=RobotsAnswer(404, None, "http-error"))
    assert next(targets).url == f"{A}/sitemap.xml"


def test_what_is_no_address_has_no_rules() -> None:
    made = frontier(Target("nothing/robots.txt", role=Role.SITEMAP))
    assert not made.wanted(back(next(iter(made)))).rules


def test_a_target_that_came_back_is_finished_business() -> None:
    made = frontier(Target(f"{A}/1"), Target(f"{A}/2"))
    targets = iter(made)
    made.wanted(back(next(targets)))
    next(targets)
    assert [each.url for each in made.unfinished()] == [f"{A}/2"]


def test_recording_asks_twice_for_each_target(tmp_path: Path) -> None:
    """Of a page with a redirect, a picture, a style sheet and a robots.txt: calls from one object to the other."""
    asked: Counter[str] = Counter()

    def note(frame: FrameType, event: str, _: object) -> None:
        called, caller = frame.f_code, frame.f_back and frame.f_back.f_code
        if event == "call" and caller is not None and _is_of(called, Frontier) and _is_of(caller, Writing):
            asked[called.co_name] += 1

    archive = Archive(LocalStore(tmp_path / "store"), spool=tmp_path / "spool")
    archive.prepare()
    options = CaptureOptions(
        FetchSettings("test/1", delay=0, allow_private=True), RunSettings("test/1"), Rules(depth=1), apart=False
    )
    seen: list[Outcome] = []
    with Site() as site:
        site.answers |= {
            "/": redirect("/page"),
            "/page": answer(b"<link rel=stylesheet href=/s.css><img src=/i.png><a href=/more>more</a>"),
            "/more": answer(b"<p>more</p>"),
            "/s.css": answer(b"p { color: red }", kind="text/css"),
            "/i.png": answer(b"i", kind="image/png"),
        }
        sys.setprofile(note)
        try:
            capture_all(archive, [Target(site.url("/"))], options, lambda outcome, line: seen.append(outcome))
        finally:
            sys.setprofile(None)
        fetched = [re.sub(".*/", "/", each.url) for each in seen if not each.skipped]
        assert sorted(fetched) == ["/", "/i.png", "/more", "/robots.txt", "/s.css"]
    assert asked["wanted"] == asked["learned"] == len(fetched)
    assert set(asked) == {"wanted", "learned", "left_out"}, "the last one is asked of the run, not of a target"


def _is_of(code: object, kind: type) -> bool:
    return getattr(code, "co_qualname", "").startswith(f"{kind.__name__}.")
