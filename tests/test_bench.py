"""Every bench begins: none names what is no longer there."""

from __future__ import annotations

import subprocess
import sys

import pytest

BENCHES = ("__main__", "builds", "foreign", "gold", "lookup", "pdf", "serve", "visible", "walls", "ways")


@pytest.mark.full
@pytest.mark.parametrize("name", BENCHES)
def test_a_bench_says_what_it_measures(name: str) -> None:
    done = subprocess.run([sys.executable, "-m", f"tests.bench.{name}", "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "usage:" in done.stdout
