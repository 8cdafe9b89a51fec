"""Lines of outcomes.jsonl: one writer whose bytes stay, one parser that names what it cannot read."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from archive.archive import Archive
from archive.formats.outcomes_jsonl import DamagedLine, OutcomeLine, encode_outcome, parse_outcome, read_outcomes
from archive.model import Outcome
from archive.redaction.rewrite import blanked_outcomes
from pipeline.export.selection import Needs
from storage.memory import MemoryStore
from tests.archive.forged import RUN, URL, forge, line

AT = "2026-11-23T12:00:00Z"
FULL = Outcome(
    url="http://example.org/ä", outcome="truncated", timestamp=AT, status=200, mime="text/html", digest="sha256:1",
    revisit=True, record_id="<urn:uuid:1>", key="runs/r/archive/00000.warc.gz", offset=0, length=9, title="T",
    error="too long", final_url="http://example.org/b", notes=("a", "b"), role="feed", via="http://example.org/",
    hops="L", seed="http://example.org/", text="sha256:2", words=3,
)  # fmt: skip
# As releases before this parser wrote them.
FULL_LINE = (
    '{"url": "http://example.org/ä", "outcome": "truncated", "timestamp": "2026-11-23T12:00:00Z", "status": 200, '
    '"mime": "text/html", "digest": "sha256:1", "revisit": true, "record_id": "<urn:uuid:1>", '
    '"key": "runs/r/archive/00000.warc.gz", "offset": 0, "length": 9, "title": "T", "error": "too long", '
    '"final_url": "http://example.org/b", "notes": ["a", "b"], "role": "feed", "via": "http://example.org/", '
    '"hops": "L", "seed": "http://example.org/", "text": "sha256:2", "words": 3}'
).encode()
BARE_LINE = (
    b'{"url": "x", "outcome": "invalid-url", "timestamp": "2026-11-23T12:00:00Z", "status": null, "mime": null, '
    b'"digest": null, "revisit": false, "record_id": null, "key": null, "offset": null, "length": null, '
    b'"title": null, "error": "no scheme"}'
)


@pytest.mark.parametrize(
    ("outcome", "written"), [(FULL, FULL_LINE), (Outcome("x", "invalid-url", AT, error="no scheme"), BARE_LINE)]
)
def test_what_is_written_is_what_was_always_written_and_is_read_back(outcome: Outcome, written: bytes) -> None:
    assert encode_outcome(outcome) == written
    assert parse_outcome(written) == OutcomeLine(outcome)


def test_lines_of_earlier_and_later_versions_are_read() -> None:
    found = parse_outcome(b'{"url":"x","outcome":"ok","timestamp":"%s","score":{"a":1}}' % AT.encode())
    assert found == OutcomeLine(Outcome("x", "ok", AT), {"score": {"a": 1}})
    assert json.loads(encode_outcome(found.outcome, found.later))["score"] == {"a": 1}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"url": None}, "NoneType where a text should be"),
        ({"timestamp": "yesterday"}, "Invalid isoformat"),
        ({"status": "many"}, "'many' is no number"),
        ({"status": 1 << 70}, "is no number"),
        ({"words": -1}, "is no number"),
        ({"title": ["T"]}, "list where a text should be"),
        ({"notes": "none"}, "str where a list should be"),
        ({"revisit": "yes"}, "revisit is neither"),
    ],
)
def test_a_field_of_the_wrong_type_is_named(change: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_outcome(json.dumps(json.loads(FULL_LINE) | change).encode())


def test_a_damaged_line_is_named_and_ends_nothing() -> None:
    found = list(read_outcomes([BARE_LINE + b"\n{\n", b"[]\n" + FULL_LINE + b"\n", FULL_LINE[:9]]))
    assert [each.number for each in found if isinstance(each, DamagedLine)] == [2, 3, 5]
    assert [each.outcome.url for each in found if isinstance(each, OutcomeLine)] == ["x", FULL.url]


def test_a_redacted_outcome_keeps_its_length_and_what_later_versions_wrote() -> None:
    later = json.dumps(json.loads(FULL_LINE) | {"score": 5}, ensure_ascii=False).encode()
    broken = later.replace(b'"words": 3', b'"words": "three"')
    data = b"".join(each + b"\n" for each in (later, BARE_LINE, broken))
    place = f"{FULL.key} {FULL.offset}"
    gone = blanked_outcomes(data, {place}, set()).split(b"\n")
    assert [len(each) for each in gone] == [len(each) for each in data.split(b"\n")]
    assert json.loads(gone[0]) == {
        "url": FULL.url, "outcome": "truncated", "timestamp": AT, "status": 200, "record_id": "<urn:uuid:1>",
        "key": FULL.key, "offset": FULL.offset, "role": "feed", "via": FULL.via, "hops": "L", "seed": FULL.seed,
    }  # fmt: skip
    assert gone[1] == BARE_LINE
    assert gone[2].strip() == b"{}", "what cannot be read, and names the record, may hold its title"
    silent = json.loads(blanked_outcomes(data, set(), {place}).split(b"\n")[0])
    assert silent == {name: value for name, value in json.loads(later).items() if name != "title"}


def test_an_export_takes_what_a_page_asked_for_though_a_line_before_it_is_damaged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = MemoryStore()
    needed = f"{URL}.css"
    asked = Outcome(needed, "ok", AT, record_id="<urn:uuid:2>", role="requisite", via=URL)
    lines = [
        line(mime="image/png"),
        line("org,example)/a.css", url=needed, mime="image/png", recordId="<urn:uuid:2>", offset="10"),
    ]
    forge(store, lines=lines, outcomes=b"{damaged\n" + encode_outcome(asked) + b"\n")
    archive = Archive(store, spool=tmp_path)
    with caplog.at_level(logging.WARNING):
        found = [each.url for each in Needs(archive, None).of(archive.snapshots(URL))]
    assert found == [needed]
    assert f"run {RUN}: line 1 of its outcomes is damaged" in caplog.text
