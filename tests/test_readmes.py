"""The README files are true: commands run, TOML blocks are read, and every internal link leads somewhere."""

from __future__ import annotations

import configparser
import importlib
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from pipeline.alerts.settings import load_channels
from pipeline.cli.common_options import take_common_options
from pipeline.cli.main import COMMANDS, cli
from pipeline.cli.settings_file import read_settings
from pipeline.watch.watch_list import parsed
from tests.command import Command
from tests.demo.pages import FEED, FIRST, SECOND, STYLE, TYPE
from tests.proxies import TestProxy
from tests.site import Site, answer

ROOT = Path(__file__).parents[1]
FILES = ("README.md", "storage/README.md", "archive/README.md", "pipeline/README.md", "tests/README.md")
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
LANGUAGES = {"sh", "toml", "yaml", "ini", "console"}
# Lines of blocks that are no command of onrecord, by how they begin, and what shows that they work.
ELSEWHERE = {
    "make ": "test_targets_and_extras_are_there",
    "python3 -m venv ": "test_package.py",
    ". ~/onrecord-venv/": "test_package.py",
    "pip install ": "test_targets_and_extras_are_there",
    "uv tool install ": "test_targets_and_extras_are_there",
    "eval ": "test_completion_is_there",
    "_ONRECORD_COMPLETE=fish_source ": "test_completion_is_there",
    "npm pack ": "peers/test_export.py",
    "python3 -m http.server": "peers/test_export.py",
    "duckdb ": "pipeline/cli/test_export.py",
}


@dataclass(frozen=True)
class Block:
    """A fenced block of a README file."""

    language: str
    text: str


def _text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def _blocks(name: str, *languages: str) -> Iterator[Block]:
    for match in _BLOCK.finditer(_text(name)):
        assert match[1] in LANGUAGES, f"{name}: a block of {match[1] or 'no language'} is read by no test"
        if match[1] in languages:
            yield Block(match[1], match[2])


def _commands(name: str) -> list[list[str]]:
    """Return the commands of onrecord in a file's blocks, in order, without `onrecord`."""
    lines = [line for block in _blocks(name, "sh") for line in block.text.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("onrecord ")]


@pytest.mark.parametrize("name", FILES)
def test_every_line_of_a_block_is_known(name: str) -> None:
    for block in _blocks(name, "sh"):
        for line in filter(None, block.text.splitlines()):
            assert line.startswith(("onrecord ", *ELSEWHERE)), line
    for shown in ELSEWHERE.values():
        assert shown in globals() or (ROOT / "tests" / shown).exists(), shown


@pytest.mark.parametrize("name", FILES)
def test_every_command_parses(name: str) -> None:
    for arguments in _commands(name):
        _, rest, _ = cli.make_parser(click.Context(cli)).parse_args(list(arguments))
        command = take_common_options(importlib.import_module(COMMANDS[rest[0]][0]).command)
        while isinstance(command, click.Group):
            _, rest, _ = command.make_parser(click.Context(command)).parse_args(rest[1:])
            command = command.commands[rest[0]]
        command.make_parser(click.Context(command)).parse_args(rest[1:])  # raises for an unknown option


@pytest.mark.parametrize("name", FILES)
def test_every_toml_block_is_read(name: str, tmp_path: Path) -> None:
    for block in _blocks(name, "toml"):
        tables = tomllib.loads(block.text)
        if "watch" in tables:
            assert parsed(block.text, name)
            continue
        (tmp_path / "config.toml").write_text(block.text)
        assert read_settings(tmp_path / "config.toml")
        assert "alerts" not in tables or len(load_channels(tables["alerts"])) == 5


def test_the_unit_of_systemd_starts_what_there_is() -> None:
    (unit,) = (block.text for name in FILES for block in _blocks(name, "ini"))
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # keys of units have capitals
    parser.read_string(unit)
    assert parser.sections() == ["Unit", "Service", "Install"]
    program, *arguments = shlex.split(parser["Service"]["ExecStart"])
    assert Path(program).is_absolute()
    _, rest, _ = cli.make_parser(click.Context(cli)).parse_args(arguments)
    assert rest[0] == "serve"
    serve = take_common_options(importlib.import_module(COMMANDS["serve"][0]).command)
    serve.make_parser(click.Context(serve)).parse_args(rest[1:])


@pytest.mark.parametrize("name", [*FILES, "CHANGELOG.md"])
def test_every_internal_link_leads_somewhere(name: str) -> None:
    prose = _BLOCK.sub("", _text(name))
    for link in _LINK.findall(prose):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


def _anchors(path: Path) -> set[str]:
    """Return the anchors of a file's headings, as GitHub makes them."""
    headings = _HEADING.findall(_BLOCK.sub("", path.read_text("utf-8")))
    return {re.sub(r"[^-\w ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_first_readme_is_short() -> None:
    assert len(_text("README.md").splitlines()) <= 180


def test_targets_and_extras_are_there() -> None:
    targets = set(re.findall(r"^([\w-]+):", _text("Makefile"), re.MULTILINE))
    extras = tomllib.loads(_text("pyproject.toml"))["project"]["optional-dependencies"].keys()
    for name in FILES:
        assert set(re.findall(r"(?:`|^)(?:\w+=\S+ )*make ([\w-]+)", _text(name), re.MULTILINE)) <= targets
        for named in re.findall(r"'\.\[([\w,]+)\]'|onrecord\[(\w+)\]", _text(name)):
            assert set("".join(named).split(",")) <= extras


def test_completion_is_there() -> None:
    for shell in ("bash", "zsh", "fish"):
        env = os.environ | {"_ONRECORD_COMPLETE": f"{shell}_source"}
        program = Path(sys.executable).with_name("onrecord")
        done = subprocess.run([str(program)], capture_output=True, text=True, env=env)
        assert "_ONRECORD_COMPLETE" in done.stdout, done.stderr


@pytest.fixture
def gazette() -> Iterator[Site]:
    with Site() as site:
        site.answers |= {path: answer(html.encode()) for path, html in FIRST.items()}
        site.answers |= {
            "/feed.xml": answer(FEED.encode(), kind="application/rss+xml"),
            "/paper.css": answer(STYLE.encode(), kind="text/css"),
            "/type.css": answer(TYPE.encode(), kind="text/css"),
            "/people/ida": answer(FIRST["/open-court"].encode()),
        }
        yield site


def _plain(text: str, site: Site, store: str) -> list[str]:
    """Return the lines with everything that differs from run to run replaced."""
    text = text.replace(site.url("").rstrip("/"), "https://gazette.example").replace(store, "demo-store")
    for pattern, word in (
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"), (r"\d{8}T\d{6}Z-[0-9a-f]+", "RUN"),
        (r"urn:uuid:[-0-9a-f]{36}", "ID"), (r"[\d,]+ (records|bytes)", r"N \1"),
    ):  # fmt: skip
        text = re.sub(pattern, word, text)
    return text.splitlines()


def test_the_tour_prints_what_it_shows(gazette: Site, tmp_path: Path) -> None:
    onrecord = Command.at(tmp_path / "demo-store", tmp_path / "home", ONRECORD_ALLOW_PRIVATE="1", ONRECORD_DELAY="0")
    captures = 0
    for block in _blocks("README.md", "console"):
        line, _, shown = block.text.partition("\n")
        name, store, folder, *arguments = shlex.split(line.removeprefix("$ "))
        assert (name, store, folder) == ("onrecord", "--store", "demo-store")
        if arguments[0] == "capture" and (captures := captures + 1) == 2:
            Command.next_second()
            gazette.answers |= {path: answer(html.encode()) for path, html in SECOND.items()}
            gazette.answers["/harbour-tax"] = answer(b"<h1>Gone</h1>", status="410 Gone")
        done = onrecord(*(each.replace("https://gazette.example", gazette.url("").rstrip("/")) for each in arguments))
        assert done.code == (3 if captures == 2 and arguments[0] == "capture" else 0), done.err
        assert _plain(done.out + done.err, gazette, onrecord.store) == _plain(shown, gazette, onrecord.store)


SKIPPED = {
    "--cookies": "it needs a file of cookies; see tests/pipeline/crawl/test_sessions.py",
    "png": "a picture is kept by a browser alone",
    "pdf": "and so is a print",
    "serve": "it runs until it is ended; see tests/pipeline/cli/test_serve.py",
    "doctor": "it judges this machine",
    "recover": "it asks an archive elsewhere; see tests/pipeline/ingest/recover",
}


_FILE = r"[\w/.-]+\.(?:zip|note|wacz|warc\.gz|parquet|csv|html|png)(?: |$)"  # a file that a command reads or writes


@pytest.mark.full
@pytest.mark.timeout(1200)  # thirty commands
@pytest.mark.parametrize("name", ["storage/README.md", "archive/README.md", "pipeline/README.md"])
def test_every_command_runs(name: str, gazette: Site, tmp_path: Path) -> None:
    from tests.pipeline.cli.test_schedule import CRONTAB

    program = tmp_path / "bin" / "crontab"
    program.parent.mkdir()
    program.write_text(CRONTAB.format(table=tmp_path / "crontab"))
    program.chmod(0o755)
    path = f"{program.parent}:{os.environ['PATH']}"
    onrecord = Command.at(
        tmp_path / "store", tmp_path / "home", PATH=path, ONRECORD_ALLOW_PRIVATE="1", ONRECORD_DELAY="0"
    )
    base = gazette.url("").rstrip("/")
    with TestProxy({"127.0.0.1": ("127.0.0.1", gazette.port)}).running() as proxy:
        replaced = {f"https://{host}.example": base for host in ("gazette", "clinic", "blog")} | {
            "s3://commentary": str(tmp_path / "bucket"), "/srv/archive": str(tmp_path / "disk"),
            "127.0.0.1:9050": f"127.0.0.1:{proxy.port}",
        }  # fmt: skip

        first = onrecord("capture", *(f"{base}{path}" for path in ("/open-court", "/harbour-tax", "/people/ida")))
        assert first.code == 0, first.err
        run_id = next((tmp_path / "store" / "runs").iterdir()).name
        (tmp_path / "package").mkdir()
        for arguments in _commands(name):
            line = shlex.join(arguments)
            for old, new in replaced.items():
                line = line.replace(old, new)
            line = re.sub(r"\b\d{8}T\d{6}Z-[0-9a-f]+", run_id, line)
            given = shlex.split(re.sub(rf"(?<= )(?={_FILE})", f"{tmp_path}/", line))
            if not SKIPPED.keys() & set(given):
                done = onrecord(*given, *(["--dry-run"] if "--systemd" in given else []))
                assert done.code in {0, 3}, f"{given}: {done.out}{done.err}"
