"""What is withheld is shown by nothing: every command and every route is asked, and a word looked for in all it says.

A command or a route that is in neither table fails here: whoever adds one says what it shows.
"""

from __future__ import annotations

import gzip
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import anyio
import pytest
from mcp.server.mcpserver.exceptions import ToolError
from starlette.testclient import TestClient

from archive.access.rules import Rule
from archive.archive import Archive
from archive.times import now, rehearse, stamp
from pipeline.cli.main import COMMANDS, main
from pipeline.mcp.server import create_server
from pipeline.watch.events import event_of
from pipeline.watch.history import Ledger
from pipeline.watch.withheld import shown_history
from pipeline.web.api.feeds import Feeds
from pipeline.web.app import create_app
from pipeline.web.common.archive_reader import Reading
from pipeline.web.replay.app import create_replay
from storage.local import LocalStore
from tests.command import Command, Done
from tests.exchanges import NOON
from tests.pipeline.withheld import ALIAS, DOM, FRAME, HOST, LEADS, MOVED, OPEN, PICTURE, SECRET, WORD, furnish

Asked = Callable[..., Done]

ROOT = Path(__file__).resolve().parents[2]
FORMS = ("text", "markdown", "json", "html", "raw", "record")

# What each command is asked, and the exit code it ends with.
ASKED: dict[str, list[tuple[int, tuple[str, ...]]]] = {
    "get": [
        *((4, ("get", SECRET, "--format", form)) for form in FORMS),
        *((4, ("get", url, "--format", "html")) for url in (ALIAS, DOM, PICTURE, LEADS, FRAME)),
        (4, ("get", SECRET, "--at", stamp(NOON), "--format", "raw")),
        (4, ("get", "http://WWW.gazette.example:80/secret/#top")),
    ],
    "snapshots": [(0, ("snapshots", SECRET)), (0, ("--json", "snapshots", HOST, "--match", "domain"))],
    "list": [
        (0, ("list",)),
        *((0, (*flags, "list", "--everything")) for flags in ((), ("--json",))),
        (0, ("list", "--everything", "--csv", "-o", "FOLDER/list.csv")),
        *((0, (*flags, "list", "--collection", "Case 7")) for flags in ((), ("--json",))),
    ],
    "diff": [
        (4, ("diff", SECRET)),
        (4, ("diff", SECRET, "--from", stamp(NOON), "--to", stamp(NOON + timedelta(hours=2)))),
    ],
    "search": [
        (0, ("search", WORD)),
        (0, ("--json", "search", "title:on")),
        (0, ("search", "--collection", "Case 7", "title:on")),
    ],
    "annotate": [(0, ("annotate",)), (0, ("--json", "annotate")), (0, ("annotate", SECRET))],
    "status": [
        (0, ("status",)),
        *((0, (*flags, "status", what)) for flags in ((), ("--json",)) for what in ("--changed", "--gone")),
        (0, ("status", "--report", "FOLDER/report.html")),
    ],
    "extract": [(0, ("--json", "extract", "--force", "--workers", "1"))],
    "export": [
        *((0, ("export", f"FOLDER/all{end}")) for end in (".wacz", ".warc.gz", ".parquet", ".csv")),
        *((0, ("export", f"FOLDER/open{end}", "--url", OPEN)) for end in (".wacz", ".warc.gz")),
        (0, ("export", "FOLDER/from.warc.gz", "--from", "2020")),
        (4, ("export", "FOLDER/secret.wacz", "--url", SECRET)),
        (4, ("export", "FOLDER/secret.parquet", "--url", SECRET)),
        (4, ("export", "FOLDER/secret.html", "--url", SECRET)),
        (0, ("export", "FOLDER/open.html", "--url", OPEN)),
        (0, ("export", "FOLDER/case.wacz", "--collection", "Case 7")),
    ],
    "compact": [(0, ("compact",))],
    "verify": [(0, ("--json", "verify")), (0, ("--json", "verify", "--deep"))],
    "evidence": [
        (0, ("evidence", "key", "--new", "clinic.example")),
        (0, ("evidence", "checkpoint")),
        *((4, ("evidence", "create", url, "-o", "FOLDER/no.zip")) for url in (SECRET, ALIAS, DOM)),
        (0, ("evidence", "create", OPEN, "-o", "FOLDER/open.zip")),
    ],
    "gc": [(0, ("--json", "gc", "--dry-run"))],
    "redact": [(0, ("redact", "RUN", "--url", SECRET, "--reason", "Order", "--dry-run")), (0, ("redact", "--finish"))],
    "withhold": [(0, ("withhold", "list"))],
    "embargo": [(0, ("--json", "embargo", "list"))],
    "doctor": [(0, ("doctor",))],
    "replicate": [(0, ("replicate", "FOLDER/copy"))],
    "restore": [(0, ("restore", "FOLDER/restored"))],
    "repair": [(0, ("replicate", "FOLDER/copy")), (0, ("repair", "--from", "FOLDER/copy"))],
    "watch": [(0, ("--json", "watch", "list"))],
    "run": [(0, ("--json", "run"))],
}
# These read no capture for anyone: what they say is of the web as it is, of a file, or of this machine; the routes of
# `serve` and the tools of `mcp` have tables of their own.
NOT_READERS = {"alerts", "capture", "help", "import", "recover", "schedule", "serve", "mcp", "tokens"}

INTERFACE = {
    "/": ["/"],
    "/search": [f"/search?q={WORD}", "/search?q=title:on"],
    "/url": [f"/url?url={SECRET}", f"/url?url={HOST}/nothing"],
    "/read": [f"/read?url={url}" for url in (SECRET, ALIAS, DOM)] + [f"/read?url={SECRET}&at={stamp(NOON)}"],
    "/picture": [f"/picture?url={SECRET}&page=1", f"/picture?url={SECRET}&at={stamp(NOON)}&page=1"],
    "/page": [f"/page?url={SECRET}", f"/page?url={SECRET}&at={stamp(NOON)}"],
    "/compare": [f"/compare?url={SECRET}"],
    **{path: [f"{path}?url={url}" for url in (SECRET, ALIAS, DOM)] for path in ("/evidence", "/bundle", "/wacz")},
    "/board": ["/board"],
    "/collections": ["/collections"],
    "/collection": ["/collection?name=Case+7"],
    "/feed.atom": ["/feed.atom", "/feed.atom?site=gazette.example&kind=changed,captured"],
    "/feed.json": ["/feed.json", "/feed.json?collection=Case+7", "/feed.json?q=title:on"],
    "/pages": [f"/pages?url={HOST}&match={match}&all=1" for match in ("host", "prefix", "domain")]
    + [f"/pages?url={SECRET}"],
    "/static/{name}": ["/static/onrecord.css"],
    "/help": ["/help"],
    "/cdx": [f"/cdx?url={HOST}&matchType=domain&output={form}" for form in ("text", "json", "cdxj")]
    + [f"/cdx?url={SECRET}{more}" for more in ("", "&closest=2026", "&sort=reverse")]
    + [f"/cdx?url={SECRET}&fl=title,filename,offset"],
    "/cdx/search/cdx": [f"/cdx/search/cdx?url={SECRET}"],
    "/index": [f"/index?url={SECRET}"],
    "/timegate/{url:path}": [f"/timegate/{SECRET}"],
    "/timemap/link/{url:path}": [f"/timemap/link/{url}" for url in (SECRET, OPEN)],
    "/timemap/json/{url:path}": [f"/timemap/json/{SECRET}"],
    "/web/{digits:stamp}id_/{url:path}": [
        f"/web/{stamp(NOON)}id_/{url}" for url in (SECRET, ALIAS, DOM, PICTURE, FRAME, MOVED)
    ],
    "/web/{digits:stamp}/{url:path}": [f"/web/{stamp(NOON)}/{SECRET}", f"/web/{stamp(NOON)}/{LEADS}"],
    "/web/{url:path}": [f"/web/{SECRET}"],
    "/warc/{key:path}": [],  # see below: it is asked for every range
}
REPLAY = {
    "/{path:path}": [
        f"/{stamp(NOON)}{kind}/{quote(url, safe=':/?')}"
        for kind in ("", "if_", "id_", "cs_")
        for url in (SECRET, ALIAS, DOM, PICTURE, FRAME, MOVED, LEADS)
    ]
}

TOOLS: dict[str, list[dict[str, object]]] = {
    "search": [{"query": WORD}, {"query": "title:on"}],
    "get": [{"url": url} for url in (SECRET, ALIAS, DOM, PICTURE, LEADS)] + [{"url": SECRET, "at": stamp(NOON)}],
    "snapshots": [{"url": SECRET}],
    "diff": [{"url": SECRET}, {"url": SECRET, "start": stamp(NOON), "end": stamp(NOON + timedelta(hours=2))}],
    "list": [{"site": HOST}],
    "status": [{}],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("withheld")


@pytest.fixture(scope="module")
def store(folder: Path) -> LocalStore:
    made = LocalStore(folder / "store")
    furnish(made, folder)
    onrecord = Command.at(folder / "store", folder / "home")
    assert onrecord("search", WORD).out.count(WORD), "before the rule it is found, and kept in this machine's index"
    assert onrecord("status", "--changed").out.count("eleven"), "and in its ledger"
    words = ("--collection", "Case 7", "--label", WORD, "--note", f"What {WORD} said.")
    assert onrecord("annotate", SECRET, *words).code == 0
    assert onrecord("annotate", OPEN, "--collection", "Case 7").code == 0
    done = onrecord("withhold", "add", SECRET, "--match", "prefix", "--reason", "Order 3 O 17/26", "--note", "ask Ida")
    assert (done.code, "6 captures" in done.err) == (0, True), done.err
    return made


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[[Path], Asked]:
    """The command in this process, for many questions in little time; a folder holds its store and its home."""
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.delenv(f"XDG_{name}_HOME")

    def at(folder: Path) -> Asked:
        def ask(*arguments: str) -> Done:
            monkeypatch.setenv("HOME", str(folder / "home"))
            with pytest.raises(SystemExit) as ending:
                main(["--store", str(folder / "store"), *arguments])
            said = capfd.readouterr()
            return Done(int(ending.value.code or 0), said.out, said.err)

        return ask

    return at


@pytest.fixture
def here(at: Callable[[Path], Asked], folder: Path, store: LocalStore) -> Asked:
    watches = folder / "home/.config/onrecord/watches.toml"
    watches.parent.mkdir(parents=True, exist_ok=True)
    watches.write_text(f'[[watch]]\npage = "{SECRET}"\npaused = true\n')
    return at(folder)


def said_in(path: Path) -> bytes:
    """All that a file says, unpacked."""
    data = path.read_bytes()
    if path.suffix in {".wacz", ".zip"}:
        with zipfile.ZipFile(path) as packed:
            parts = {name: packed.read(name) for name in packed.namelist()}
        return b"".join(gzip.decompress(part) if name.endswith(".gz") else part for name, part in parts.items())
    if path.suffix == ".parquet":
        import pyarrow.parquet

        return str(pyarrow.parquet.read_table(path).to_pylist()).encode()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def test_every_command_is_in_a_table() -> None:
    assert set(ASKED) | NOT_READERS == set(COMMANDS)
    assert not set(ASKED) & NOT_READERS


def test_who_asks_for_the_unguarded_reader_is_known() -> None:
    """What reads past the archive's guard shows none of it, but where --withheld asks for that: these do."""
    asks = re.compile(r"\.unguarded\(\)|\._store\b|\._stores\b|\.stores\b")
    found = {str(path.relative_to(ROOT)) for path in (ROOT / "pipeline").rglob("*.py") if asks.search(path.read_text())}
    assert found == {
        "pipeline/ingest/reextract.py",
        "pipeline/cli/context.py",
        "pipeline/cli/commands/annotate.py",  # finds what is to be annotated, and shows none
        "pipeline/cli/withholding_rules.py",
        "pipeline/ingest/import_files.py",
        "pipeline/ingest/recover/recover_url.py",  # asks which captures are here already, and shows none
        "pipeline/export/selection.py",
        "pipeline/watch/history.py",
    }


@pytest.mark.parametrize("name", ASKED)
def test_no_command_says_the_word(name: str, here: Asked, folder: Path) -> None:
    for code, arguments in ASKED[name]:
        run = min(path.name for path in (folder / "store/runs").iterdir())
        done = here(*(argument.replace("FOLDER", str(folder)).replace("RUN", run) for argument in arguments))
        assert done.code == code, (arguments, done.err)
        if arguments[-1] != WORD:
            assert WORD not in done.out + done.err, arguments
        for argument in arguments:
            path = Path(argument.replace("FOLDER", str(folder)))
            if "FOLDER" in argument and path.is_file():
                said = said_in(path)
                assert WORD.encode() not in said, argument
                assert b"Someone" in said or path.suffix == ".html", "and what is not withheld is there"
        if code == 4:
            assert "is withheld: Order 3 O 17/26" in done.err or "is withheld" in done.err
            assert "ask Ida" not in done.err


def test_who_keeps_the_archive_sees_it_when_they_say_so(here: Asked, folder: Path) -> None:
    asked = [
        ("get", SECRET), ("get", ALIAS, "--format", "html"), ("snapshots", SECRET), ("diff", SECRET),
        ("search", "title:on"), ("status", "--changed"), ("annotate",),
    ]  # fmt: skip
    for arguments in asked:
        done = here(*arguments, "--withheld")
        assert (done.code, WORD in done.out) == (0, True), (arguments, done.err)
    path = folder / "own.warc.gz"
    assert here("export", str(path), "--withheld").code == 0
    assert WORD.encode() in said_in(path)


def test_what_is_left_out_is_said(here: Asked, folder: Path) -> None:
    (line, *_) = here("snapshots", SECRET).out.splitlines()
    assert line == f"2026-11-23T12:00:00Z --- withheld: Order 3 O 17/26  {SECRET}"
    entry = here("--json", "snapshots", SECRET).lines[0]
    assert entry == {
        "url": SECRET,
        "timestamp": "2026-11-23T12:00:00Z",
        "withheld": {"kind": "withheld", "reason": "Order 3 O 17/26"},
    }
    assert "; 9 that are withheld are left out" in here("export", str(folder / "said.wacz")).err
    assert here("--json", "export", str(folder / "counted.warc.gz")).lines[0]["withheld"] == 9


def test_no_tool_says_the_word(folder: Path, store: LocalStore, tmp_path: Path) -> None:
    reading = Reading(Archive(store, spool=tmp_path, cache=folder / "cache"), tmp_path / "search.sqlite")
    server = create_server(reading, tmp_path / "ledger.db")

    async def ask() -> None:
        assert {tool.name for tool in await server.list_tools()} == set(TOOLS)
        for name, questions in TOOLS.items():
            for given in questions:
                try:
                    said = str(await server.call_tool(name, given))
                except ToolError as error:
                    said = str(error)
                    assert "is withheld: Order 3 O 17/26" in said, given
                assert WORD not in said, (name, given)

    anyio.run(ask)


def test_alerts_do_not_say_the_word(folder: Path, store: LocalStore, tmp_path: Path) -> None:
    archive = Archive(store, spool=tmp_path)
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.sync(archive)
    with ledger.opened() as database:
        for told in (archive, archive.unguarded()):
            _, (edit,) = shown_history(told, ledger, database, SECRET)
            event = event_of(told, edit, None)
            assert (WORD in str(event), event.kind) == (told is not archive, "changed")


# Over HTTP


@pytest.fixture
def reading(folder: Path, store: LocalStore, tmp_path: Path) -> Reading:
    return Reading(Archive(store, spool=tmp_path / "spool", cache=tmp_path / "cache"), tmp_path / "search.sqlite")


@pytest.fixture
def feeds(reading: Reading, tmp_path: Path) -> Feeds:
    return Feeds(reading, Ledger(tmp_path / "state" / "ledger.db"), list)


@pytest.fixture
def client(reading: Reading, feeds: Feeds) -> Iterator[TestClient]:
    with TestClient(create_app(reading, 8081, feeds=feeds), follow_redirects=False) as client:
        yield client


def test_every_route_is_in_a_table(reading: Reading, feeds: Feeds) -> None:
    assert {route.path for route in create_app(reading, 8081, feeds=feeds).routes} == set(INTERFACE)  # type: ignore[attr-defined]
    assert {route.path for route in create_replay(reading, 8080).routes} == set(REPLAY)  # type: ignore[attr-defined]


@pytest.mark.parametrize("route", INTERFACE)
def test_no_route_says_the_word(route: str, client: TestClient) -> None:
    for path in INTERFACE[route]:
        answer = client.get(path)
        assert answer.status_code < 500, answer.text
        asked = WORD in path  # a search shows what was looked for
        said = answer.text.replace(f'value="{WORD}"', "").replace(f"{WORD}: search", "") if asked else answer.text
        assert WORD not in said + str(answer.headers), path
        if "/secret" in path and route.startswith(("/timegate", "/timemap", "/web")):
            assert answer.status_code == 451, path
            assert "Order 3 O 17/26" in answer.text


def test_a_timeline_says_no_more_of_it_than_when(client: TestClient) -> None:
    shown = client.get("/url", params={"url": SECRET}).text
    assert "withheld" in shown
    for said in (">200", "text/html", "See the page"):
        assert said not in shown, said


def test_lists_for_programs_leave_it_out(client: TestClient) -> None:
    for path in (f"/cdx?url={SECRET}", f"/index?url={SECRET}", f"/cdx?url={ALIAS}", f"/cdx?url={SECRET}&sort=reverse"):
        assert client.get(path).text.strip() == "", path
    listed = client.get(f"/cdx?url={HOST}&matchType=domain&fl=original").text.split()
    assert listed == [LEADS, *[OPEN] * 4]
    assert client.get(f"/timemap/link/{OPEN}").text.count("memento") == 4


def test_the_replay_origin_does_not_say_it_either(reading: Reading) -> None:
    with TestClient(create_replay(reading, 8080), follow_redirects=False) as client:
        for path in REPLAY["/{path:path}"]:
            answer = client.get(path)
            bare = path.endswith(LEADS) and "id_" in path  # the redirect itself, which says nothing
            assert (answer.status_code, WORD in answer.text + str(answer.headers)) == (200 if bare else 451, False), (
                path
            )
        assert client.get(f"/{stamp(NOON)}/{OPEN}").status_code == 200


def test_the_files_of_records_are_given_out_but_for_those(
    client: TestClient, store: LocalStore, tmp_path: Path
) -> None:
    archive = Archive(store, spool=tmp_path).unguarded()
    shown = 0
    for run in archive.runs():
        if not (captures := [each for each in archive.captures_of(run) if each.run == run]):
            continue
        key = f"/warc/{captures[0].record.key}"
        whole = client.get(key)
        assert (whole.status_code, "withheld" in whole.text) == (451, True)
        size = store.head(captures[0].record.key)
        assert size is not None
        for each in captures:
            begin, end = each.record.offset, each.record.offset + each.record.length - 1
            answer = client.get(key, headers={"Range": f"bytes={begin}-{end}"})
            assert answer.status_code == (206 if each.url in {OPEN, LEADS} else 451), each.url
            if answer.status_code == 206:
                shown += 1
                assert WORD.encode() not in gzip.decompress(answer.content)
                wider = client.get(key, headers={"Range": f"bytes={begin}-{end + 1}"})
                assert wider.status_code == (206 if end + 1 == size.size else 451)
        assert client.head(key).status_code == 451
    assert shown == 5


@pytest.fixture
def ahead() -> Iterator[Callable[[timedelta], None]]:
    """Put this process's clock ahead."""
    yield rehearse
    rehearse(timedelta())


def test_an_embargo_ends(tmp_path: Path, ahead: Callable[[timedelta], None]) -> None:
    store = LocalStore(tmp_path / "store")
    furnish(store, tmp_path)
    archive = Archive(store, spool=tmp_path / "spool")
    archive.notices.add(Rule(SECRET, until=now() + timedelta(hours=1), reason="until the hearing"))
    with TestClient(create_app(Reading(archive), 8081), follow_redirects=False) as client:
        answer = client.get(f"/web/{stamp(NOON)}id_/{SECRET}")
        assert (answer.status_code, "embargoed until" in answer.text) == (403, True)
        key = "/warc/" + next(iter(archive.unguarded().snapshots(SECRET))).record.key
        assert client.get(key).status_code == 451
        ahead(timedelta(hours=2))
        assert WORD in client.get(f"/web/{stamp(NOON)}id_/{SECRET}").text
        assert client.get(key).status_code == 200


def test_a_rule_of_a_span_leaves_the_other_captures(tmp_path: Path, at: Callable[[Path], Asked]) -> None:
    onrecord = at(tmp_path)
    furnish(LocalStore(tmp_path / "store"), tmp_path)
    assert onrecord("withhold", "add", SECRET, "--from", stamp(NOON + timedelta(hours=2))).code == 0
    done = onrecord("get", SECRET)
    assert (done.code, "eleven years" in done.out) == (0, True), "the newest that may be shown"
    done = onrecord("get", SECRET, "--at", "20261123150000")
    assert (done.code, "of 2026-11-23T15:00:00Z is withheld" in done.err) == (4, True)
    assert [line.split()[1] for line in onrecord("snapshots", SECRET).out.splitlines()] == ["200", "200", "---", "---"]
    with TestClient(create_app(Reading(Archive(LocalStore(tmp_path / "store"), spool=tmp_path)), 8081)) as client:
        assert client.get(f"/timegate/{SECRET}", follow_redirects=False).headers["location"].count("20261123130000")
    listed = onrecord("--json", "withhold", "list").lines
    assert onrecord("withhold", "remove", listed[0]["rule"]).code == 0
    assert "twelve years" in onrecord("get", SECRET).out


def test_a_rule_that_cannot_be_understood_shows_nothing(tmp_path: Path, at: Callable[[Path], Asked]) -> None:
    store = LocalStore(tmp_path / "store")
    onrecord = at(tmp_path)
    furnish(store, tmp_path)
    assert WORD in onrecord("search", WORD).out
    name = "20261126T000000Z-00000001"
    store.put(f"notices/rules/{name}.json", b'{"hash":"sha256:')
    for arguments in (("get", OPEN), ("snapshots", OPEN), ("search", "court"), ("export", str(tmp_path / "a.wacz"))):
        done = onrecord(*arguments)
        assert (done.code, done.out) == (5, ""), arguments
        assert len(done.err.splitlines()) == 1
        assert f"onrecord withhold remove {name}" in done.err
    assert onrecord("verify").code == 5
    with TestClient(create_app(Reading(Archive(store, spool=tmp_path)), 8081)) as client:
        for path in (f"/cdx?url={OPEN}", f"/web/{stamp(NOON)}id_/{OPEN}", f"/url?url={OPEN}", "/"):
            assert client.get(path).status_code in {502, 200}
            assert "Someone" not in client.get(path).text
    assert onrecord("withhold", "remove", name).code == 0
    assert onrecord("get", OPEN).code == 0


def test_a_copy_withholds_what_the_archive_does(here: Asked, tmp_path: Path, at: Callable[[Path], Asked]) -> None:
    listed = here("--json", "withhold", "list").lines
    for command in ("replicate", "restore"):
        target = tmp_path / command
        done = here(command, str(target / "store"))
        assert done.code == 0, done.err
        copy = at(target)
        assert copy("get", SECRET).code == 4
        assert copy("--json", "withhold", "list").lines == listed
