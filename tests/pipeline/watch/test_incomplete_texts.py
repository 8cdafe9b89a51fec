"""A page whose text is incomplete is there, and its text is compared as any other: the outcome's name is no edit."""

from __future__ import annotations

from dataclasses import replace

from archive.model import TEXT_INCOMPLETE, Outcome
from archive.states import State, follow
from pipeline.watch.observation import observed

FIRST = Outcome(
    "http://quay.example/a",
    "ok",
    "2026-03-01T10:00:00Z",
    200,
    "text/html",
    "sha256:aa",
    record_id="<urn:a>",
    text="sha256:t",
)


def test_the_name_of_the_outcome_is_no_edit() -> None:
    little = replace(FIRST, outcome=TEXT_INCOMPLETE, error="its text has 1 of 90")
    outcomes = [FIRST, *(replace(little, timestamp=f"2026-03-01T{hour}:00:00Z") for hour in (11, 12, 13))]
    seen = [each for outcome in outcomes if (each := observed(outcome)) is not None]
    assert [(each.state, each.text) for each in seen] == [(State.OK, "sha256:t")] * 4
    now, transitions = follow(seen)
    assert (now.state, transitions) == (State.OK, [])


def test_an_edit_of_such_a_page_is_noticed() -> None:
    little = replace(FIRST, outcome=TEXT_INCOMPLETE)
    later = [replace(little, timestamp=f"2026-03-01T{hour}:00:00Z", text="sha256:u") for hour in (11, 12)]
    seen = [each for outcome in (little, *later) if (each := observed(outcome)) is not None]
    assert [each.change for each in follow(seen)[1]] == ["changed"]
