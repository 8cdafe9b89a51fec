"""What the program answers about a kept archive: asked, written down, read again and compared.

`python -m tests.kept.answers VERSION` asks the program of this tree and writes its answers to
`tests/kept/VERSION/expected/`, a file per question: the command or request, its exit code or status, what it printed.
Only the command line is used, so that a file says the same whatever the program's modules are called.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import http.client
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet
from warcio.archiveiterator import ArchiveIterator

from tests.kept.paper import (
    BOARD,
    BRIDGE,
    DRAFT,
    FERRY,
    LAMPS,
    LETTER,
    MARKET,
    MISSING,
    NOTICE,
    OLD_NOTICE,
    ORIGIN,
    RECIPE,
    TABLE,
    WITNESS,
)  # fmt: skip

FOREIGN = "http://tidings.example/2019/storm"
_ENTRY = (
    "from importlib.metadata import entry_points\n"
    "main = entry_points(group='console_scripts', name='onrecord')['onrecord'].load()\n"
)
PROGRAM = (sys.executable, "-P", "-c", f"{_ENTRY}main()")
# One interpreter that forks for each command: every command has a process, an exit code and streams of its own. What
# one has imported is imported here before the next, so that only the first of its kind waits for it.
_FORKING = f"""{_ENTRY}
import contextlib, gc, importlib, json, os, sys
for number, arguments in enumerate(json.load(sys.stdin)):
    name = f"answers/{{number}}"
    gc.freeze()
    child = os.fork()
    if child == 0:
        for stream, ending in ((1, "out"), (2, "err")):
            os.dup2(os.open(f"{{name}}.{{ending}}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), stream)
        try:
            main(arguments)
        finally:
            with open(f"{{name}}.modules", "w") as file:
                json.dump(list(sys.modules), file)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with open(f"{{name}}.code", "w") as file:
        file.write(str(code))
    with open(f"{{name}}.modules") as file:
        for module in json.load(file):
            if module not in sys.modules:
                with contextlib.suppress(Exception):
                    importlib.import_module(module)
"""
_FERRY = ORIGIN + FERRY
_SEARCHES = (
    "lamps", "'\"half past six\"'", "Fußgängerbrücke", "author:falk", "title:ferry", "swan", "barque", "gulls", "crane",
    "sorrel", "dredging", "crowns --site tidings.example",
)  # fmt: skip
_MODIFIED = 1760940000  # 2025-10-20: the times of the files, which a checkout does not keep
_HEADERS = {"content-type", "location", "link", "vary", "memento-datetime", "content-range"}


@dataclass(frozen=True)
class Answer:
    """What was asked, as a line; the exit code or status; what was printed or sent, and what went to stderr."""

    asked: str
    code: int
    out: str
    err: str = ""

    @property
    def text(self) -> str:
        """Return the answer as it is kept in a file."""
        return f"$ {self.asked}\n= {self.code}\n{self.out}\n--- stderr\n{self.err}"

    @classmethod
    def read(cls, text: str) -> Answer:
        """Return the answer that a file holds."""
        asked, code, rest = text.split("\n", 2)
        out, _, err = rest.rpartition("\n--- stderr\n")
        return cls(asked.removeprefix("$ "), int(code.removeprefix("= ")), out, err)


def questions(oldest: str, newest: str) -> Iterator[str]:
    """Yield what is asked about an archive of which two runs are named: commands, then requests to `serve`."""
    yield from _reading()
    yield from _finding()
    yield from _keeping(oldest)
    yield from _leaving()
    yield from _requests(oldest, newest)


def _reading() -> Iterator[str]:
    for path in (FERRY, LAMPS, MARKET, LETTER, RECIPE, DRAFT, NOTICE, WITNESS, OLD_NOTICE, MISSING, TABLE):
        yield f"--json snapshots {ORIGIN}{path}"
    yield f"--json snapshots {BOARD}/board"
    yield f"--json snapshots {FOREIGN}"
    yield f"--json snapshots {ORIGIN}{DRAFT} --withheld"
    yield f"--json snapshots {ORIGIN}/2025/ --match prefix --from 20251008 --to 20251010"
    yield f"snapshots {ORIGIN}{LAMPS}"
    yield f"snapshots {ORIGIN}{WITNESS}"
    yield f"get {_FERRY}"
    yield f"get {_FERRY} --at 20251006"
    for kind in ("markdown", "json", "html", "raw", "record"):
        yield f"get {_FERRY} --at 2025-10-07T12:00:00Z --format {kind}"
    for path in (LAMPS, MARKET, BRIDGE, LETTER, NOTICE, OLD_NOTICE, RECIPE, DRAFT, WITNESS, MISSING, TABLE):
        yield f"get {ORIGIN}{path}"
    for path in (LAMPS, MARKET, BRIDGE):
        yield f"get {ORIGIN}{path} --at 20251007 --format raw"
    yield f"get {ORIGIN}{LETTER} --at 20251014 --format raw"
    yield f"get {ORIGIN}{TABLE} --format record"
    yield f"get {ORIGIN}/img/quay.png --format raw"
    yield f"get {ORIGIN}{DRAFT} --withheld"
    yield f"get {BOARD}/board"
    yield f"get {FOREIGN} --format json"
    yield f"get {ORIGIN}/2025/no-such-page.html"
    yield f"diff {_FERRY} --from 20251006 --to 20251007 --format unified"
    yield f"--json diff {_FERRY} --from 20251006 --to 20251014"
    yield f"diff {ORIGIN}{MARKET}"


def _finding() -> Iterator[str]:
    for words in _SEARCHES:
        yield f"--json search {words}"
    yield "search lamps"
    yield "--json search crane --withheld"


def _keeping(run: str) -> Iterator[str]:
    for options in ("", " --gone", " --changed"):
        yield f"--json status{options}"
    yield "status"
    yield "verify"
    yield "--json verify --deep"
    yield "withhold list"
    yield "--json withhold list"
    yield "--json watch list"
    yield "--json gc --dry-run"
    yield "--json doctor"
    yield f"redact {run} --url {ORIGIN}{MARKET} --reason Trial --dry-run"


def _leaving() -> Iterator[str]:
    yield "export out/all.wacz"
    yield "export out/all.warc.gz"
    yield "export out/all.parquet"
    yield f"export out/ferry.wacz --url {_FERRY}"
    yield "export out/october-7.warc.gz --from 20251007 --to 20251007"
    yield "evidence key"
    yield "--json evidence verify files/ferry.zip --key home/public-key --roots home/roots.pem"
    yield "--json evidence verify files/ferry.wacz"
    yield f"evidence create {_FERRY} --at 2025-10-07 -o out/ferry.zip"
    yield "evidence verify out/ferry.zip --key home/public-key --roots home/roots.pem"


def _requests(oldest: str, newest: str) -> Iterator[str]:
    yield f"GET /cdx?url={_FERRY}"
    yield "GET /cdx?url=lantern.example&matchType=domain&output=json"
    yield "GET /cdx?url=lantern.example/2025/*&filter=statuscode:200&collapse=urlkey&fl=urlkey,timestamp,digest"
    yield f"GET /index?url={_FERRY}"
    yield f"GET /timemap/link/{_FERRY}"
    yield f"GET /timemap/json/{_FERRY}"
    yield f"GET /timegate/{_FERRY} Accept-Datetime: Tue, 07 Oct 2025 12:00:00 GMT"
    yield f"GET /timegate/{ORIGIN}{DRAFT}"
    yield f"GET /web/20251007120000id_/{_FERRY}"
    yield f"GET /web/20251008id_/{ORIGIN}{LAMPS}"
    yield f"GET /web/20251008id_/{ORIGIN}{WITNESS}"
    yield f"GET /warc/runs/{oldest}/archive/00000.warc.gz Range: bytes=0-499"
    yield f"GET /warc/runs/{newest}/archive/00000.warc.gz Range: bytes=0-499"


def stage(folder: Path, work: Path) -> None:
    """Copy a kept archive to a folder where it may be used, and make it the program's own there."""
    for name in ("store", "home", "files"):
        shutil.copytree(folder / name, work / name)
    for name in ("answers", "out"):
        (work / name).mkdir()
    for path in (work / "store").rglob("*"):
        os.utime(path, (_MODIFIED, _MODIFIED))
    for path in (work / "home").glob("signing-key*"):
        path.chmod(0o600)


def environment(work: Path) -> dict[str, str]:
    """Return the environment of a user who has nothing but the archive that was staged."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("ONRECORD_", "XDG_"))}
    own = {"STORE": "store", "SIGNING_KEY": "home/signing-key", "WATCHES": "home/watches.toml"}
    env |= {f"ONRECORD_{name}": str(work / path) for name, path in own.items()}
    return env | {"HOME": str(work / "home"), "TZ": "UTC", "LC_ALL": "C.UTF-8", "COLUMNS": "100"}


def ask(asked: list[str], work: Path) -> Iterator[Answer]:
    """Yield the answers to some questions about an archive that was staged, commands first."""
    commands = [shlex.split(line) for line in asked if not line.startswith("GET ")]
    done = subprocess.run(
        [sys.executable, "-P", "-c", _FORKING], input=json.dumps(commands).encode(), cwd=work, env=environment(work)
    )
    assert done.returncode == 0
    for number, line in enumerate(line for line in asked if not line.startswith("GET ")):
        out, err, code = ((work / "answers" / f"{number}.{name}").read_bytes() for name in ("out", "err", "code"))
        made = re.search(r"out/\S+\.(wacz|warc\.gz|parquet)", line)
        shown = "\n".join(contents(work / made[0])).encode() if made and code == b"0" else out
        yield Answer(line, int(code), mask(_text(shown), work), mask(_text(err), work))
    requests = [line.removeprefix("GET ") for line in asked if line.startswith("GET ")]
    if requests:
        with _serving(work) as port:
            for request in requests:
                yield _get(port, request, work)


@contextlib.contextmanager
def _serving(work: Path) -> Iterator[int]:
    """Run `serve` and yield its port."""
    command = [*PROGRAM, "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=work, env=environment(work), stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            found = re.search(r"at http://127\.0\.0\.1:(\d+)/", server.stderr.readline())
            assert found, "serve did not say where it listens"
            yield int(found[1])
        finally:
            server.terminate()


def _get(port: int, request: str, work: Path) -> Answer:
    """Return the answer to a request; a capture is led to at its exact time, and that is followed."""
    path, _, header = request.partition(" ")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers=dict([header.split(": ", 1)]) if header else {})
    response = connection.getresponse()
    headers, body = response.getheaders(), response.read()
    connection.close()
    location = response.getheader("Location", "")
    if path.startswith("/web/") and "/web/" in location:
        last = _get(port, location[location.index("/web/") :], work)
        return Answer(f"GET {request}", last.code, last.out)
    lines = sorted(f"{name.lower()}: {value}" for name, value in headers if name.lower() in _HEADERS)
    shown = "\n".join([*lines, "", _text(body)]).replace(f"127.0.0.1:{port}", "127.0.0.1:<port>")
    return Answer(f"GET {request}", response.status, mask(shown, work))


def mask(text: str, work: Path) -> str:
    """Return a text without what depends on the machine, on the moment or on the version that answers.

    Folders, versions and the sizes of exports become names in <>. Of `doctor`, the lines about the store stay.
    """
    text = text.replace(str(work), "<work>")
    text = re.sub(r"\bonrecord([ /])\d+\.\d+\.\d+[\w.+-]*", r"onrecord\1<version>", text)
    text = re.sub(r"(?m)^(onrecord: out/.*), [\d,]+ bytes", r"\1, <size> bytes", text)
    checks = r'^\{"check": "(?!store|watches)[^\n]*\n'
    return re.sub(checks, "", text, flags=re.MULTILINE)


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return f"{len(data)} bytes, sha256:{hashlib.sha256(data).hexdigest()}"


def contents(path: Path) -> Iterator[str]:
    """Yield what an export holds, a line each, with a digest: not its own dates, names and order of files."""
    if path.suffix == ".parquet":
        for row in pyarrow.parquet.read_table(path).to_pylist():
            seen = [row["url"], row["fetch_time"], row["fetch_status"], row["record_id"], row["content_digest"]]
            yield " ".join(map(str, [*seen, _digest(row["title"], row["author"], row["date"], row["text"])]))
    elif path.suffix == ".wacz":
        with zipfile.ZipFile(path) as package:
            for name in sorted(package.namelist()):
                if name.endswith(".warc.gz"):
                    with package.open(name) as file:
                        yield from _records(file)
                elif name == "pages/pages.jsonl":
                    pages = objects(package.read(name).decode())[1:]
                    yield from sorted(
                        f"{page['url']} {page['ts']} {_digest(page['title'], page['text'])}" for page in pages
                    )
    else:
        with path.open("rb") as file:
            yield from _records(file)


def _records(file: Any) -> Iterator[str]:
    """Yield a line for every record but those that the exporting program made itself."""
    for record in ArchiveIterator(file, no_record_parse=True):
        if record.rec_type != "warcinfo":
            block = record.content_stream().read()
            headers = [f"{name}: {value}" for name, value in record.rec_headers.headers]
            name = record.rec_headers.get_header("WARC-Record-ID")
            yield f"{record.rec_type} {name} {_digest(block, *headers)}"


def _digest(*values: object) -> str:
    return hashlib.sha256(
        b"\0".join(each if isinstance(each, bytes) else str(each).encode() for each in values)
    ).hexdigest()


def differences(kept: Answer, now: Answer) -> str:
    """Return how an answer differs from the one that was kept, "" where it says all that was said.

    Objects in JSON may have gained members, and stderr lines or what stands at their ends; nothing else may differ.
    """
    if kept.code != now.code:
        return f"{kept.asked}: {now.code}, not {kept.code}\n{now.err}"
    in_json = kept.asked.startswith("--json")
    same = _is_within(objects(kept.out), objects(now.out)) if in_json else kept.out == now.out
    said = now.err.splitlines()
    missing = [line for line in kept.err.splitlines() if not any(each.startswith(line) for each in said)]
    if same and not missing:
        return ""
    changed = difflib.unified_diff(kept.out.splitlines(), now.out.splitlines(), "kept", "now", lineterm="", n=1)
    return "\n".join([kept.asked, *changed, *(f"stderr lacks: {line}" for line in missing), now.err])


def objects(text: str) -> list[Any]:
    """Return what stands in JSON lines."""
    return [json.loads(line) for line in text.splitlines()]


def _is_within(kept: Any, now: Any) -> bool:
    """Whether a value in JSON holds all of another: objects may have more members, lists not."""
    if isinstance(kept, dict):
        return isinstance(now, dict) and all(name in now and _is_within(kept[name], now[name]) for name in kept)
    if isinstance(kept, list):
        return isinstance(now, list) and len(kept) == len(now) and all(map(_is_within, kept, now))
    return bool(kept == now) and type(kept) is type(now)


def read(folder: Path) -> list[Answer]:
    """Return the answers that were kept, in the order in which they were asked."""
    return [Answer.read(path.read_bytes().decode()) for path in sorted((folder / "expected").iterdir())]


def record(folder: Path) -> None:
    """Ask the program of this tree and keep its answers."""
    runs = sorted(path.name for path in (folder / "store" / "runs").iterdir())
    kept = folder / "expected"
    kept.mkdir(exist_ok=True)
    for path in kept.iterdir():
        path.unlink()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name).resolve()
        stage(folder, work)
        for number, answer in enumerate(ask(list(questions(runs[0], runs[-1])), work)):
            words = re.sub(r"[^a-z0-9]+", "-", re.sub(r"https?://", "", answer.asked.lower())).strip("-")
            (kept / f"{number:03}-{words[:60].strip('-')}.txt").write_bytes(answer.text.encode())


if __name__ == "__main__":
    record(Path(__file__).parent / sys.argv[1])
