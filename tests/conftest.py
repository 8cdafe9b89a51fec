"""What every test has: the repository on the path, and a home of its own so that no test sees this user's files.

Markers (`pyproject.toml`): `full` is left out of `make test` and belongs to `make test-rest`; `torture` has a longer
form, which `make torture` runs. Property tests draw the same examples each time, and as many as `examples` says; the
long form draws others, and more.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

pytest_plugins = ["tests.servers", "tests.tally"]

from tests.torture.scale import LONG, examples  # noqa: E402 # the path comes first

# Timings decide nothing: no deadline, and no complaint about a machine that is slow to draw.
_SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile(
    "suite", max_examples=examples(60), deadline=None, derandomize=not LONG, suppress_health_check=_SLOW
)
settings.load_profile("suite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.torture)
    items.sort(key=_given_time, reverse=True)  # what takes longest begins first, or all wait for it in the end
    for item in items if LONG else ():
        item.add_marker(pytest.mark.timeout(0), append=False)


def _given_time(item: pytest.Item) -> float:
    marker = item.get_closest_marker("timeout")
    return max(float(marker.args[0]) if marker else 0.0, 300.0)


@pytest.fixture(autouse=True)
def _private_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
