"""What captures decide: nothing at the first sight, and each thing once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.states import Observation, State, adds_nothing, follow, step

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
URL = "https://gazette.example/post"
WORDS = {
    "a": (State.OK, "A"),
    "b": (State.OK, "B"),
    "c": (State.OK, "C"),
    "?": (State.OK, None),  # there, and its text could not be had
    "g": (State.GONE, None),
    "s": (State.SOFT_404, None),
    "x": (State.BLOCKED, None),
    "p": (State.PAYWALLED, None),
    "u": (State.UNREACHABLE, None),
}


def seen(word: str, number: int, minutes: int = 15) -> Observation:
    state, text = WORDS[word]
    return Observation(URL, NOON + number * timedelta(minutes=minutes), state, text, f"<{number}>")


def story(words: str, minutes: int = 15) -> list[Observation]:
    return [seen(word, number, minutes) for number, word in enumerate(words)]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("aaaa", []),
        ("agaa", []),  # a flap
        ("agagag", []),
        ("aggg", ["gone"]),
        ("aggaa", ["gone", "back"]),
        ("aggbb", ["gone", "back"]),
        ("agbgg", ["gone"]),
        ("abab", []),  # two texts that take turns
        ("abba", ["changed"]),
        ("abbaa", ["changed", "changed"]),
        ("abc", ["changed"]),  # two edits between two looks: one change
        ("abbcc", ["changed", "changed"]),
        ("auu", []),
        ("auuuu", ["unreachable"]),
        ("auauauau", []),
        ("auuuuaa", ["unreachable", "back"]),
        ("agguuuuggaa", ["gone", "back"]),  # a server that is down says nothing of a page that is gone
        ("axxaa", ["blocked", "back"]),
        ("appaa", ["paywalled", "back"]),
        ("assaa", ["soft-404", "back"]),
        ("axgxg", ["blocked"]),
        ("a?bb?", ["changed"]),
        ("a???", []),
        ("ggaa", []),  # never seen before: nothing was lost, and nothing came back
        ("gag", []),
        ("uuuuu", []),
        ("gaagg", ["gone"]),
    ],
)
def test_what_is_told(words: str, told: list[str]) -> None:
    _, transitions = follow(story(words))
    assert [transition.change for transition in transitions] == told


def test_a_transition_names_what_shows_it() -> None:
    _, (gone, back) = follow(story("aaggabb"))
    assert (gone.earlier.record_id, gone.later.record_id, gone.last.record_id) == ("<1>", "<2>", "<3>")
    assert (gone.at, gone.decided) == (seen("g", 2).at, seen("g", 3).at)
    assert (gone.before, gone.after) == (State.OK, State.GONE)
    assert (back.at, back.decided) == (seen("a", 4).at, seen("b", 5).at)
    assert (back.earlier.record_id, back.later.record_id) == ("<1>", "<5>")


def test_two_looks_within_a_minute_prove_no_more_than_one() -> None:
    assert follow(story("agg", minutes=1))[1] == []
    assert [each.change for each in follow(story("aggggggggg", minutes=1))[1]] == ["gone"]


@given(st.text(alphabet=sorted(WORDS), max_size=30))
def test_what_said_nothing_new_can_be_left_out(words: str) -> None:
    """The ledger keeps of such observations only the last one in a row."""
    whole, told = follow(story(words))
    kept: list[Observation] = []
    plain: list[bool] = []
    now, _ = follow([])
    for each in story(words):
        no_news = bool(kept) and adds_nothing(now, each)
        if no_news and plain[-1]:
            kept.pop()
            plain.pop()
        kept.append(each)
        plain.append(no_news)
        now, _ = step(now, each)
    pruned, told_again = follow(kept)
    assert told_again == told
    assert (pruned.state, pruned.since, pruned.pending, pruned.last) == (
        whole.state, whole.since, whole.pending, whole.last,
    )  # fmt: skip


@given(st.text(alphabet=sorted(WORDS), max_size=40))
def test_no_thing_is_told_twice_in_a_row(words: str) -> None:
    _, told = follow(story(words))
    for one, other in pairwise(told):
        assert one.after == other.before
        assert one.change != other.change or one.change == "changed"
        assert one.decided < other.decided
