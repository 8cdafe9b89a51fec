"""Cases of which `make test` has some: those that differ in what they pass are many, the ways that they go few."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def sampled(cases: Iterable[Any], every: int) -> list[Any]:
    """Return the cases for `parametrize`, all but each so manieth marked `full`: the first is one of the sample."""
    return [
        case if number % every == 0 else pytest.param(case, marks=pytest.mark.full) for number, case in enumerate(cases)
    ]
