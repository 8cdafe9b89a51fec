"""Machines whose clocks are off, stopped and killed at random, an hour: nothing is lost, doubled or brought back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.torture.conftest import Tally
from tests.torture.scale import count
from tests.torture.victims import ROOT

pytestmark = pytest.mark.full

SECONDS = count("SECONDS", 12, 3600)  # half of them at a directory, half at a bucket
ROUND = count("ROUND", 60, 180)  # then another store is begun: what each command reads grows with the runs


@pytest.mark.parametrize("sort", ["directory", "bucket"])
def test_machines_with_clocks_of_their_own_lose_double_and_bring_back_nothing(
    sort: str, request: pytest.FixtureRequest, quick: Path, tally: Tally
) -> None:
    bucket = str(request.getfixturevalue("s3_bucket")) if sort == "bucket" else ""
    left, number = SECONDS / 2, 0
    while left > 0:
        number += 1
        folder = Path(tempfile.mkdtemp(dir=quick))
        location = bucket.replace("?", f"/{folder.name}/NAME?") or f"{folder}/NAME"
        arguments = [str(folder), location, str(min(left, ROUND)), f"{sort} {number}"]
        done = subprocess.run(
            [sys.executable, "-m", "tests.torture.clocks", *arguments],
            cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert not done.returncode, done.stderr
        found = json.loads(done.stdout)
        for what, times in found["done"].items():
            tally(f"{what} by machines with clocks of their own at a {sort}", times)
        assert found["faults"] == []
        assert found["done"]["kills"]
        left -= ROUND
