"""Every input that is known goes through its harness again, and what hypothesis makes of them; `make fuzz` looks on."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from tests.fuzz.targets import CORPUS, TARGETS, inputs, read_line, written_line
from tests.torture.scale import examples

_LARGEST = 300_000  # bytes of all inputs in the repository


@pytest.mark.parametrize("name", TARGETS)
def test_no_known_input_breaks_its_harness(name: str) -> None:
    known = inputs(name)
    assert len(known) >= 4
    for data in known:
        TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))
@given(some.data())
def test_nothing_near_a_known_input_does(name: str, data: some.DataObject) -> None:
    known = some.sampled_from(inputs(name))
    start, end = data.draw(known), data.draw(known)
    cut, behind = data.draw(some.integers(0, len(start))), data.draw(some.integers(0, len(end)))
    TARGETS[name](start[:cut] + data.draw(some.binary(max_size=6)) + end[behind:])


def test_the_corpus_is_small_and_all_of_it_is_used() -> None:
    files = sorted(CORPUS.iterdir())
    assert {file.name for file in files} == {f"{name}.txt" for name in TARGETS}
    assert sum(file.stat().st_size for file in files) <= _LARGEST


@given(some.binary())
def test_an_input_is_read_as_it_was_written(data: bytes) -> None:
    line = written_line(data)
    assert line.isascii()
    assert line.isprintable()
    assert not line.startswith("#")
    assert read_line(line) == data
