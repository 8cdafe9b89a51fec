"""Other people's tools, where `make peers` has put them; in CI they must be there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / ".peers"


def there(path: str) -> Path:
    """A file of the peers' folder; without it the test is skipped, in CI failed."""
    found = FOLDER / path
    if not found.exists():
        reason = f"{path} is not here: `make peers` installs it"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}, and in CI nothing is skipped")
        pytest.skip(reason)
    return found
