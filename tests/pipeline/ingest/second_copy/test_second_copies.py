"""Second copies in another archive: asked for once, retried, read back, compared, and refused where they must be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from archive import times
from archive.archive import Archive
from pipeline.ingest.second_copy.outbox import Copies, CopyState
from pipeline.ingest.second_copy.save_page_now import SavePageNow
from pipeline.ingest.second_copy.send import Sender
from storage.local import LocalStore
from tests.command import Command
from tests.pipeline.watch.conftest import article
from tests.proxies import TestProxy
from tests.save_page_now import KEYS, STAMP, SavePageNowServer
from tests.site import Site

PAGE = "http://quay.example/post?a=1&b=%C3%BC"
PATH = "/post?a=1&b=%C3%BC"
TEXT = "The tax is sixty crowns."


def body_of(text: str) -> bytes:
    return article("A post", text).partition(b"\r\n\r\n")[2]


@pytest.fixture
def server() -> Iterator[SavePageNowServer]:
    with SavePageNowServer() as running:
        yield running


@pytest.fixture
def origin(tmp_path: Path) -> Iterator[Command]:
    """A command whose captures of quay.example go by a proxy that knows it; its site has one page."""
    with Site() as site:
        site.answers |= {PATH: article("A post", TEXT)}
        with TestProxy({"quay.example": ("127.0.0.1", site.port)}).running() as proxy:
            home = tmp_path / "home/.config/onrecord"
            home.mkdir(parents=True)
            settings = f'[capture]\ndelay = 0\nrequisites = false\nproxy = "http://127.0.0.1:{proxy.port}"\n'
            (home / "config.toml").write_text(settings)
            yield Command.at(tmp_path / "store", tmp_path / "home")


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    yield
    times.rehearse(timedelta(0))


def configure(onrecord: Command, server: SavePageNowServer, *, keys: str | None = None) -> None:
    path = Path(onrecord.env["HOME"]) / ".config/onrecord/config.toml"
    lines = f'{path.read_text()}[also]\nwayback_server = "{server.site.url("")}"\n'
    if keys is not None:
        path.with_name("keys").write_text(f"{keys}\n")
        lines += f'wayback_keys_file = "{path.with_name("keys")}"\n'
    path.write_text(lines)


def listed(onrecord: Command) -> list[tuple[str, str]]:
    return [(each["state"], each["detail"]) for each in onrecord("--json", "status", "--copies").lines]


@pytest.mark.parametrize("keys", [None, pytest.param(KEYS, marks=pytest.mark.full)])
def test_a_page_is_saved_read_back_and_compared(origin: Command, server: SavePageNowServer, keys: str | None) -> None:
    configure(origin, server, keys=keys)
    server.bodies[PAGE] = body_of(TEXT)
    done = origin("capture", PAGE, "--also", "wayback")
    assert done.code == 0, done.err
    where = f"{server.site.url('')}/web/{STAMP}/{PAGE}"
    assert f"second copy saved: {PAGE}: the same bytes, {where}" in done.err
    assert listed(origin) == [("saved", "the same bytes")]
    assert "copies     1 saved in other archives" in origin("status").out
    assert server.jobs == [PAGE]
    assert not any(b"secret" in each for each in server.site.raw_requests) or keys
    assert "secret" not in done.err
    again = origin("capture", PAGE)
    assert (again.code, server.jobs) == (0, [PAGE]), "only what was asked for is sent"


@pytest.mark.full
@pytest.mark.parametrize(
    ("theirs", "state", "detail"),
    [
        (body_of(TEXT).replace(b"<article>", b"<article data-nonce=7>"), "saved", "the same text"),
        (body_of("The tax is eighty crowns."), "differs", "another text: it has "),
        (b"<html><title>Just a moment</title><p>Checking your browser.</p></html>", "differs", "another text: it has "),
        (b"", "differs", "another text: it has 0 %"),
    ],
)
def test_a_success_is_believed_only_as_far_as_it_is_ours(
    origin: Command, server: SavePageNowServer, theirs: bytes, state: str, detail: str
) -> None:
    configure(origin, server)
    server.bodies[PAGE] = theirs
    done = origin("capture", PAGE, "--also", "wayback")
    assert done.code == 0
    ((found, why),) = listed(origin)
    assert (found, why.startswith(detail)) == (state, True), why


@pytest.mark.full
def test_what_may_not_be_sent_is_refused(origin: Command, server: SavePageNowServer, tmp_path: Path) -> None:
    configure(origin, server)
    with Site() as inside:
        inside.answers["/"] = article("Inside", TEXT)
        done = origin("capture", inside.url("/"), "--allow-private", "--proxy", "none", "--also", "wayback")
    assert done.code == 0
    assert "no second copy of http://127.0.0.1" in done.err
    assert origin("capture", PAGE).code == 0
    assert origin("withhold", "add", PAGE, "--reason", "a court order").code == 0
    origin("capture", PAGE, "--also", "wayback")
    assert sorted(listed(origin)) == [
        ("refused", "its address is not public: loopback"),
        ("refused", "our capture is withheld: a court order"),
    ]
    assert not server.site.requests


def test_what_a_session_showed_is_not_sent(origin: Command, server: SavePageNowServer) -> None:
    configure(origin, server)
    done = origin("capture", PAGE, "--header", "Authorization: Bearer of-a-reader", "--also", "wayback")
    assert done.code == 0, done.err
    ((state, why),) = listed(origin)
    assert (state, why.startswith("our capture was made with a session")) == ("refused", True), why
    assert not server.site.requests


@pytest.fixture
def asked(origin: Command, server: SavePageNowServer, tmp_path: Path) -> tuple[Sender, Copies]:
    """A capture whose second copy is wanted, before anything was sent: the server was out of reach."""
    path = Path(origin.env["HOME"]) / ".config/onrecord/config.toml"
    path.write_text(f'{path.read_text()}[also]\nwayback_server = "http://127.0.0.1:9"\n')
    done = origin("capture", PAGE, "--also", "wayback")
    assert done.code == 0, "what another archive does harms no capture"
    assert "1 second copy is not ready" in done.err
    (database,) = (tmp_path / "home").rglob("copies.db")
    copies = Copies(database.parent)
    archive = Archive(LocalStore(tmp_path / "store"), spool=tmp_path / "spool", cache=tmp_path / "cache")
    return Sender(archive, copies, SavePageNow(server.site.url(""), KEYS)), copies


def states(sender: Sender, copies: Copies, *minutes: float) -> list[tuple[str, int]]:
    """Flush at some times from now; returns the state and the attempts after each."""
    found = []
    for minute in minutes:
        times.rehearse(timedelta(minutes=minute))
        sender.flush()
        (copy,) = copies.all()
        found.append((str(copy.state), copy.attempts))
    return found


def test_what_fails_for_a_time_is_tried_again_later(asked: tuple[Sender, Copies], server: SavePageNowServer) -> None:
    server.bodies[PAGE] = body_of(TEXT)
    server.refused = [("error:user-session-limit", "You have reached your active sessions limit.")]
    server.busy, server.looks, server.lost = 1, 1, 1
    found = states(*asked, 1, 5, 6, 10, 11, 20, 21, 22, 60, 61)
    assert [state for state, _ in found][-1] == "saved"
    assert len(server.jobs) == 1
    assert {"waiting", "asked"} <= {state for state, _ in found}


@pytest.mark.full
@pytest.mark.parametrize("name", ["error:blocked-url", "error:not-found", "error:no-access"])
def test_what_will_never_be_saved_is_not_asked_for_again(
    asked: tuple[Sender, Copies], server: SavePageNowServer, name: str
) -> None:
    server.errors[PAGE] = (name, "This URL is in the Save Page Now service block list.")
    assert states(*asked, 10, 11, 600)[-1][0] == "failed"
    assert len(server.jobs) == 1
    (copy,) = asked[1].all()
    assert copy.detail == "127.0.0.1: This URL is in the Save Page Now service block list."


@pytest.mark.full
def test_a_capture_that_is_said_to_be_there_and_is_not_fails(
    asked: tuple[Sender, Copies], server: SavePageNowServer
) -> None:
    found = states(*asked, 10, *range(11, 5_000, 361))
    assert found[-1][0] == "failed"
    (copy,) = asked[1].all()
    assert copy.detail.startswith("the other archive names a capture and does not give it: 127.0.0.1 answered 404")
    assert copy.state == CopyState.FAILED


@pytest.mark.full
def test_it_is_given_up_after_a_month(asked: tuple[Sender, Copies], server: SavePageNowServer) -> None:
    server.errors[PAGE] = ("error:job-failed", "The job failed.")
    found = states(*asked, *(day * 1440 + minute for day in range(0, 32, 3) for minute in (10, 11)))
    assert found[-1][0] == "failed"
    assert "given up after 30 days" in asked[1].all()[0].detail


@pytest.mark.full
def test_a_watch_has_second_copies_of_its_own(origin: Command, server: SavePageNowServer) -> None:
    configure(origin, server)
    server.bodies[PAGE] = body_of(TEXT)
    path = Path(origin.env["HOME"]) / ".config/onrecord/watches.toml"
    path.write_text(f'[[watch]]\npage = "{PAGE}"\nalso = ["wayback"]\n[[watch]]\npage = "http://quay.example/none"\n')
    assert origin("run").code == 0
    assert [state for state, _ in listed(origin)] == ["asked"]
    path.write_text('[[watch]]\npage = "https://a.example/"\nalso = ["mementoweb"]\n')
    done = origin("run")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "'mementoweb' is no archive for second copies; known are wayback" in done.err


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ('wayback_server = "ftp://a.example"', "also.wayback_server cannot be used: write an address"),
        ('wayback_keys_file = "/nonexistent/keys"', "also.wayback_keys_file: /nonexistent/keys cannot be read"),
        ('wayback_keys_file = "/dev/null"', "holds no keys; write one line, ACCESS:SECRET"),
        ('keys = "a"', "also.keys is no setting"),
    ],
)
def test_settings_that_cannot_be_are_one_line_before_anything_is_captured(
    origin: Command, settings: str, said: str
) -> None:
    path = Path(origin.env["HOME"]) / ".config/onrecord/config.toml"
    path.write_text(f"{path.read_text()}[also]\n{settings}\n")
    done = origin("capture", PAGE, "--also", "wayback")
    assert (done.code, done.err.count("\n")) == (2, 1), done.err
    assert said in done.err
    assert not list(Path(origin.store).glob("runs/*"))
