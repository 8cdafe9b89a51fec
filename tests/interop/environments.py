"""One environment per outside tool, pinned, below a cache folder; nothing is installed outside that folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(os.environ.get("INTEROP_CACHE") or Path(__file__).parents[2] / ".interop")
_OLD = {"3.6", "3.7"}
_PATIENCE = 900  # seconds for an installation


class Unavailable(Exception):
    """A tool cannot be installed on this machine; the message is the reason in one line."""


@dataclass(frozen=True)
class Environment:
    """The packages of one tool: of PyPI for one version of Python, of npm, or of Debian."""

    name: str
    python: str = ""  # "3.11"; empty where the tool is not in Python
    pypi: tuple[str, ...] = ()  # "warctools==5.0.1"
    npm: tuple[str, ...] = ()  # "node-warc@3.3.1"
    debian: tuple[str, ...] = ()  # names; the release of Debian pins their versions

    @property
    def folder(self) -> Path:
        return CACHE / self.name

    @property
    def pins(self) -> str:
        return " ".join((f"python{self.python}" if self.python else "", *self.pypi, *self.npm, *self.debian)).strip()

    def program(self, name: str) -> str:
        """Return the path of a program of this environment.

        Raises Unavailable where the packages do not have it.
        """
        places = ("bin", "node_modules/.bin", "usr/bin", "usr/sbin", "bin")
        for place in places:
            if (path := self.folder / place / name).exists():
                return str(path)
        raise Unavailable(f"{self.pins} has no program {name}")

    def variables(self) -> dict[str, str]:
        """Return the environment variables under which the tool finds its own files."""
        libraries = [str(self.folder / part) for part in ("usr/lib", "usr/lib/x86_64-linux-gnu") if self.debian]
        home = self.folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ONRECORD_", "XDG_"))}
        path = os.pathsep.join([str(self.folder / "bin"), str(self.folder / "usr/bin"), os.environ["PATH"]])
        return kept | {"HOME": str(home), "PATH": path, "LD_LIBRARY_PATH": os.pathsep.join(libraries)}

    def install(self) -> None:
        """Install the packages, unless these very pins are installed already.

        Raises Unavailable with the last line that the installer printed.
        """
        ready = self.folder / "ready"
        if ready.exists() and ready.read_text() == self.pins:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.pypi:
            self._install_python()
        if self.npm:
            _run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(self.folder), *self.npm])
        for package in self.debian:
            _run(["apt-get", "download", package], self.folder)
        for archive in sorted(self.folder.glob("*.deb")):
            _run(["dpkg", "-x", str(archive), str(self.folder)])
        ready.write_text(self.pins)

    def _install_python(self) -> None:
        python, own = _interpreter(self.python), str(self.folder / "bin/python")
        if self.python in _OLD:  # which uv installs nothing for
            _run([python, "-m", "venv", str(self.folder)])
            _run([own, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *self.pypi])
            return
        uv = _uv()
        _run([uv, "venv", "--quiet", "--allow-existing", "--seed", "--python", python, str(self.folder)])
        _run([uv, "pip", "install", "--quiet", "--python", own, *self.pypi])


def _interpreter(version: str) -> str:
    """Return a Python of this version: of the PATH, or of pyenv where that holds it."""
    name = f"python{version}"
    if shutil.which(name) and not subprocess.run([name, "-V"], capture_output=True).returncode:
        return name
    if shutil.which("pyenv"):
        root = subprocess.run(["pyenv", "root"], capture_output=True, text=True).stdout.strip()
        for found in sorted(Path(root).glob(f"versions/{version}.*/bin/{name}"), reverse=True):
            return str(found)
    raise Unavailable(f"no {name} on this machine")


def _uv() -> str:
    folder = CACHE / "uv"
    program = folder / "bin/uv"
    if not program.exists():
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "uv==0.9.13"])
    return str(program)


def _run(command: list[str], folder: Path | None = None) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, cwd=folder)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{command[0]}: {error}") from error
    if done.returncode:
        lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise Unavailable(lines[-1] if lines else f"{command[0]} ended with {done.returncode}")
