"""What is installed: our three packages and nothing else, whatever lies around where the program is run."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.cli.conftest import post
from tests.site import Site

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


@pytest.fixture
def page() -> Iterator[str]:
    with Site() as site:
        site.answers["/post"] = post("The harbour", "The mayor knew of it.")
        yield site.url("/post")


@pytest.mark.full
@pytest.mark.timeout(1800)  # a package registry, and some hundred files to compile
def test_the_wheel_with_its_extra_works_alone(tmp_path: Path, page: str) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    pip = [str(tmp_path / "venv/bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    installed = subprocess.run([*pip, f"{wheel}[web]"], capture_output=True, text=True)
    if "No matching distribution" in installed.stderr or "Connection" in installed.stderr:
        pytest.skip(f"no package registry can be reached: {installed.stderr[-300:]}")
    assert installed.returncode == 0, installed.stderr
    env = {name: value for name, value in os.environ.items() if not name.startswith(("ONRECORD_", "PYTHON", "XDG_"))}
    env["HOME"] = str(tmp_path)
    onrecord = [str(tmp_path / "venv/bin/onrecord"), "--store", str(tmp_path / "store")]
    capture = [*onrecord, "capture", "--allow-private", "--no-requisites", page]
    done = subprocess.run(capture, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert (done.returncode, "200 new" in done.stdout) == (0, True), done.stderr
    serve = subprocess.Popen(
        [*onrecord, "serve", "--port", "0"], cwd=tmp_path, env=env, stderr=subprocess.PIPE, text=True
    )
    try:
        assert serve.stderr is not None
        found = re.search(r"at (http://\S+)/", serve.stderr.readline())
        assert found
        for path in ("/", "/help", "/static/onrecord.css", "/static/print.js"):
            with urllib.request.urlopen(found[1] + path) as answer:
                assert answer.status == 200
    finally:
        serve.send_signal(signal.SIGINT)
        serve.communicate()


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
