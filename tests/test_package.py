"""What is installed: our three packages and nothing else, whatever lies around where the program is run."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("archive", "pipeline", "storage")


def test_the_wheel_holds_every_module_and_nothing_else(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    modules = {str(path.relative_to(ROOT)) for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    web = {
        str(path.relative_to(ROOT))
        for kind in ("html", "css", "js", "svg")
        for path in (ROOT / "pipeline/web").rglob(f"*.{kind}")
    }
    assert len(web) > 10
    others = {f"{package}/py.typed" for package in PACKAGES} | {"archive/formats/tracking_parameters.txt"}
    assert names == modules | web | others  # a README of a room is none of these
    assert all((ROOT / package / "README.md").exists() for package in PACKAGES)


def test_folders_of_the_same_names_are_not_imported(tmp_path: Path) -> None:
    for package in PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("raise SystemExit('a decoy was imported')")
    program = Path(sys.executable).with_name("onrecord")
    done = subprocess.run([str(program), "--version"], cwd=tmp_path, capture_output=True, text=True, env=os.environ)
    assert (done.returncode, done.stdout.startswith("onrecord ")) == (0, True), done.stderr


def test_the_lock_pins_every_package_with_hashes_and_names_no_index() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    pinned = [line for line in lock.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(pinned) > 40
    assert all("==" in line and line.rstrip().endswith("\\") for line in pinned)
    assert lock.count("--hash=sha256:") >= len(pinned)


def test_nothing_tracked_names_this_machine() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        return  # not a checkout: the archive of a release
    for name in tracked.stdout.splitlines():
        text = (ROOT / name).read_text(errors="replace")
        assert str(ROOT) + "/" not in text, name
