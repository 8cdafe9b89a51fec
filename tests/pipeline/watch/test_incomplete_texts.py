"""A page whose text is incomplete has a state of its own, whatever its text was before: that is no edit."""

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


def test_such_a_page_has_a_state_of_its_own_and_is_no_edit() -> None:
    little = replace(FIRST, outcome=TEXT_INCOMPLETE, error="its text has 1 of 90", text="sha256:u")
    outcomes = [FIRST, *(replace(little, timestamp=f"2026-03-01T{hour}:00:00Z") for hour in (11, 12, 13))]
    seen = [each for outcome in outcomes if (each := observed(outcome)) is not None]
    now, transitions = follow(seen)
    assert [each.change for each in transitions] == ["text-incomplete"]
    back = observed(replace(FIRST, timestamp="2026-03-01T14:00:00Z"))
    again = observed(replace(FIRST, timestamp="2026-03-01T15:00:00Z"))
    assert (now.state, back is None, again is None) == (State.TEXT_INCOMPLETE, False, False)
    assert [each.change for each in follow([*seen, *(it for it in (back, again) if it)])[1]] == [
        "text-incomplete",
        "back",
    ]
