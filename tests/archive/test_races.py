"""No order of calls of several machines loses, doubles or half shows a run: see `tests.archive.races`."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.archive.races import explored

LONG = os.environ.get("TORTURE") == "long"
AGENTS = ("writer", "other writer", "gc", "gc'", "compactor", "redaction", "other redaction")
SOME = [
    ("redaction", "other redaction"),
    ("writer", "gc"), ("gc", "writer"), ("compactor", "gc"), ("gc", "compactor"), ("redaction", "writer"),
    ("writer", "gc", "gc'"), ("gc", "writer", "gc'"), ("redaction", "compactor", "gc"),
]  # fmt: skip
QUICK = 5  # of these in `make test`
EVERY = [*itertools.permutations(AGENTS, 2), *itertools.permutations(AGENTS, 3)]


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: every course syncs two spools."""
    folder = Path(tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else tmp_path))
    yield folder
    shutil.rmtree(folder)


def _cases() -> Iterator[ParameterSet]:
    for number, names in enumerate(EVERY if LONG else SOME):
        name = "-".join(names).replace(" ", "_")
        yield pytest.param(names, id=name, marks=pytest.mark.full if number >= QUICK else ())


@pytest.mark.torture
@pytest.mark.parametrize("names", list(_cases()))
def test_no_order_of_calls_loses_a_run(
    names: tuple[str, ...], quick: Path, record_property: Callable[[str, object], None]
) -> None:
    result = explored(quick, names, 200 if LONG else 6)
    record_property("orders", result.orders)
    record_property("states", len(result.states))
    assert result.orders
    assert result.losing == []
