"""Every command, page and export says the same of each snapshot, whatever became of its page."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from archive.page_history import state_of_outcome
from archive.states import Certainty, SnapshotState
from pipeline.extract.extractor_version import extractor_version
from pipeline.web.common.archive_reader import Reading
from pipeline.web.pages.app import create_pages
from tests.command import Command
from tests.pipeline.kinds import PAGES, Kinds, Look, url_of

MARKS = {"?": Certainty.PENDING, "!": Certainty.ONCE}
AWAY = {"gone", "soft-404", "blocked", "paywalled", "unreachable", "text-incomplete"}


def expected(look: Look) -> tuple[str, str]:
    """The name of a snapshot's state, and how certain that is, once all was captured."""
    name = look.said.rstrip("?!")
    return name, MARKS.get(look.said[len(name) :], Certainty.CERTAIN)


class Said(Kinds):
    """The archive, with what each capture was called while its run was under way."""

    def before_commit(self, made) -> None:  # type: ignore[no-untyped-def]
        self.states: dict[str, SnapshotState | None] = getattr(self, "states", {})
        for _, look, outcome, snapshot in made:
            words = frozenset((look.text or "").lower().split())
            self.states[snapshot.record_id] = state_of_outcome(
                self.archive, outcome, extractor_version(), words, rendered=look.rendered
            )


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Said:
    made = Said.made(tmp_path_factory.mktemp("kinds"))
    assert isinstance(made, Said)
    return made


@pytest.fixture(scope="module")
def onrecord(kinds: Said, tmp_path_factory: pytest.TempPathFactory) -> Command:
    return Command.at(kinds.archive.url, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def pages(kinds: Said) -> Iterator[TestClient]:
    with TestClient(create_pages(Reading(kinds.archive), 8081), base_url="http://127.0.0.1:8080") as client:
        yield client


def by_url(lines: list[dict[str, str]]) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for line in lines:
        certainty = line.get("state_certainty") or Certainty.CERTAIN
        found.setdefault(line["url"], []).append((line["state"], certainty))
    return found


EXPECTED = {url_of(path): list(map(expected, looks)) for path, looks in PAGES.items()}


def newest(path: str) -> tuple[str, str]:
    return expected(PAGES[path][-1])


def test_capture(kinds: Said) -> None:
    for path, look, _, snapshot in kinds.captured:
        state = kinds.states[snapshot.record_id]
        if look.to is None:
            assert state is not None
            assert (path, state.name) == (path, look.name)


def test_snapshots(onrecord: Command) -> None:
    done = onrecord("--json", "snapshots", url_of("/"), "--match", "host")
    assert done.code == 0, done.err
    found = by_url(done.lines)
    assert found == EXPECTED
    for path in PAGES:
        assert by_url(onrecord("--json", "snapshots", url_of(path)).lines)[url_of(path)] == EXPECTED[url_of(path)]


def test_snapshots_in_words(onrecord: Command) -> None:
    done = onrecord("snapshots", url_of("/gone-once"))
    assert [line.split(" ", 2)[2].split(" http")[0].strip() for line in done.out.splitlines()] == [
        "new",
        "to be confirmed: gone",
    ]
    assert "edited" in onrecord("snapshots", url_of("/by-script")).out.splitlines()[1]
    assert "(bot-wall)" in onrecord("snapshots", url_of("/wall")).out


def test_timelines(pages: TestClient) -> None:
    for path in PAGES:
        body = pages.get("/url", params={"url": url_of(path)}).text
        shown = re.findall(r'<span class="what"><span class="state [^>]*><span[^>]*>.</span> (.*?)</span></span>', body)
        words = [unescape(re.sub(r"<[^>]*>", "", found)) for found in shown]
        assert list(map(named, reversed(words))) == EXPECTED[url_of(path)], path


def named(words: str) -> tuple[str, str]:
    """A state's name and certainty, from the words that people read."""
    certainty = Certainty.PENDING if words.startswith(Certainty.PENDING) else Certainty.CERTAIN
    certainty = Certainty.ONCE if words.endswith(f"({Certainty.ONCE})") else certainty
    return re.split(r"[:,(]| since", words.removeprefix(f"{Certainty.PENDING}: "))[0].strip(), certainty


def test_the_board_lists_what_is_away_or_edited(pages: TestClient) -> None:
    found: dict[str, tuple[str, str]] = {}
    for kind in ("gone", "wall", "changed"):
        body = pages.get("/board", params={"state": kind}).text
        for entry in re.findall(r'<li class="edge-.*?</li>', body, re.DOTALL):
            url = re.search(r"<bdi>(http[^<]*)</bdi>", entry)
            words = re.search(r'<span class="what"><span class="state [^>]*><span[^>]*>.</span> (.*?) <span', entry)
            assert url
            assert words, entry
            found[url[1]] = named(unescape(re.sub(r"<[^>]*>", "", words[1])))
    wanted = {path: newest(path) for path in PAGES if newest(path)[0] in AWAY or newest(path)[0] == "edited"}
    assert found == {url_of(path): state for path, state in wanted.items() if path != "/report.pdf"} | {
        url_of("/back-edited"): ("back", Certainty.PENDING)
    }


def test_the_first_page(pages: TestClient) -> None:
    body = pages.get("/").text
    assert "to be confirmed: back, edited" in body


def test_status_gone(onrecord: Command) -> None:
    lines = onrecord("--json", "status", "--gone").lines
    found = {
        line["url"]: (line["state"], Certainty.CERTAIN if line["confirmed"] else Certainty.PENDING) for line in lines
    }
    assert found == {url_of(path): newest(path) for path in PAGES if newest(path)[0] in AWAY}
    plain = onrecord("status", "--gone").out
    assert re.search(r"to be confirmed: gone since 2026-11-20T10:00:\d\dZ .*/gone-once", plain)


def test_status_changed(onrecord: Command) -> None:
    lines = onrecord("--json", "status", "--changed").lines
    found = {(line["url"].removeprefix(url_of("")), line["confirmed"]) for line in lines}
    edits = {
        (path, expected(look)[1] == Certainty.CERTAIN)
        for path, looks in PAGES.items()
        for look in looks
        if look.name == "edited"
    }
    assert found == edits | {("/back-edited", False)}
    heads = re.findall(
        r"(?m)^((?:to be confirmed: )?\w+) 20\S+ http\S+?(/[\w.-]+)$", onrecord("status", "--changed").out
    )
    assert {(path, not words.startswith("to be confirmed")) for words, path in heads} == found
    assert {words.removeprefix("to be confirmed: ") for words, path in heads} == {"edited", "back"}


def test_the_report(onrecord: Command, tmp_path: Path) -> None:
    assert onrecord("status", "--report", str(tmp_path / "r.html")).code == 0
    text = (tmp_path / "r.html").read_text()
    for path in ("/gone-once", "/teaser", "/edited-once", "/back-edited"):
        (badge,) = re.findall(
            rf'<span class="state [^>]*>([^<]*)</span> Berths <code>{re.escape(url_of(path))}</code>', text
        )
        assert named(badge) == newest(path)
    assert '<b>1</b> <span class="state text-incomplete">text-incomplete</span>' in text


@pytest.mark.parametrize("path", PAGES)
def test_get(path: str, onrecord: Command) -> None:
    done = onrecord("--json", "get", url_of(path))
    if path in {"/wall-first", "/shell", "/report.pdf"}:  # there is no text to print
        return
    assert done.code == 0, done.err
    (line,) = done.lines
    shown = [look for look in PAGES[path] if look.said.rstrip("?!") not in AWAY and not look.to]
    if path != "/moved":
        assert line["text"].split() == (shown[-1].text or ESSAY_TEXT).split()
    name, certainty = newest(path)
    if name in AWAY:
        assert (line["page"]["state"], line["page"]["confirmed"]) == (name, certainty == Certainty.CERTAIN)
        words = f"{name} since" if certainty == Certainty.CERTAIN else f"to be confirmed: {name} since"
        assert words in done.err


ESSAY_TEXT = PAGES["/unchanged"][0].text or ""


def test_get_of_a_time(onrecord: Command) -> None:
    done = onrecord("get", url_of("/edited"), "--at", "2026-11-20T08:00:00")
    assert re.search(
        r"snapshot of 2026-11-20T09:00:01Z, 1 hour after the time asked for; edited since 2026-11-20T10:00:", done.err
    )
    line = onrecord("--json", "get", url_of("/edited"), "--at", "2026-11-20T08:00:00").lines[0]
    assert (line["asked"], line["seconds_from_asked"], line["edited_since"][:16]) == (
        "2026-11-20T08:00:00Z",
        3601,
        "2026-11-20T10:00",
    )
    teaser = onrecord("get", url_of("/teaser"), "--at", "2026-11-21")
    assert "does not show the page: to be confirmed: paywalled" in teaser.err
    assert teaser.out.startswith("[This snapshot does not show the page: to be confirmed: paywalled]\n\nSubscribe")
    moved = onrecord("get", url_of("/moved"), "--at", "2026-11-20T09:00")
    assert re.search(rf"moved since 2026-11-20T10:00:\d\dZ \({re.escape(url_of('/unchanged'))}\)", moved.err)


def test_diff(onrecord: Command) -> None:
    for path in ("/edited", "/by-script", "/edited-once", "/back-edited"):
        done = onrecord("--json", "diff", url_of(path))
        assert (done.code, done.lines[0]["changed"]) == (0, True), path
    for path in ("/unchanged", "/same-by-script", "/nonce", "/back"):
        assert onrecord("--json", "diff", url_of(path)).lines[0]["changed"] is False, path
    for path in ("/splash", "/teaser", "/login", "/soft"):  # what stands in a page's place is no edit of it
        assert onrecord("diff", url_of(path)).code == 4, path


def test_search(onrecord: Command) -> None:
    lines = onrecord("--json", "search", "council", "heard", "--limit", "100").lines
    found = {line["url"].removeprefix(url_of("")): line for line in lines}
    assert found["/gone-once"]["page"] == {**found["/gone-once"]["page"], "state": "gone", "confirmed": False}
    assert found["/gone-twice"]["page"]["confirmed"] is True
    assert "edited_since" in found["/edited"]
    assert "edited_since" not in found["/unchanged"]
    assert "to be confirmed: gone since" in onrecord("search", "council", "heard", "--limit", "100").out


def test_exports(onrecord: Command, tmp_path: Path) -> None:
    assert onrecord("export", str(tmp_path / "all.wacz")).code == 0
    with zipfile.ZipFile(tmp_path / "all.wacz") as package:
        lines = [json.loads(line) for line in package.read("pages/pages.jsonl").splitlines()[1:]]
    found = by_url(lines)
    for url, states in found.items():
        assert states == [state for state, kept in zip(EXPECTED[url], _kept(url), strict=True) if kept], url
    pq = pytest.importorskip("pyarrow.parquet")
    assert onrecord("export", str(tmp_path / "all.parquet")).code == 0
    rows = sorted(pq.read_table(tmp_path / "all.parquet").to_pylist(), key=lambda row: row["fetch_time"])
    assert by_url([row for row in rows if row["url"] in EXPECTED]) == EXPECTED


def _kept(url: str) -> list[bool]:
    """Whether each snapshot of a page has a document of its own or of an earlier one."""
    path = url.removeprefix(url_of(""))
    return [(look.status in {200, 202} and look.to is None and look.pdf is None) or look.same for look in PAGES[path]]
