"""Captures with a reader's session: what is sent where, what is marked, what is given out, and that no secret stays."""

from __future__ import annotations

import base64
import gzip
import importlib.util
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Command, Done
from tests.site import Site, Talk, answer

_SECRETS = ("c00kie-s3cret", "passw0rd-s3cret", "k3y-s3cret", "0ther-s3cret")
_ESSAY = " ".join(f"Members read in sentence {number} that the harbour court sat again." for number in range(12))
_browser = pytest.mark.skipif(
    shutil.which("chromium") is None or importlib.util.find_spec("playwright") is None,
    reason="Chromium or Playwright is not installed: apt-get install chromium, pip install '.[browser]'",
)


async def _members(talk: Talk) -> None:
    """Show the page to who has the cookie, and to others what anybody sees."""
    known = b"id=c00kie-s3cret" in talk.request
    body = f"<title>Members</title><article><p>{_ESSAY}</p></article><img src=/pic.png>" if known else "Public. " * 60
    await talk.send(answer(body.encode(), headers=('ETag: "constant"', "Set-Cookie: seen=0ther-s3cret")))


async def _guarded(talk: Talk) -> None:
    pair = base64.b64encode(b"ida:passw0rd-s3cret")
    if b"Authorization: Basic " + pair in talk.request:
        await talk.send(answer(f"<title>Guarded</title><p>{_ESSAY}</p>".encode()))
    else:
        challenge = ('WWW-Authenticate: Basic realm="quay"',)
        await talk.send(answer(b"no", status="401 Unauthorized", headers=challenge))


@pytest.fixture
def onrecord(tmp_path: Path) -> Command:
    return Command.at(tmp_path / "store", tmp_path / "home")


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        running.answers |= {"/members": _members, "/guarded": _guarded, "/open": answer(b"<p>" + b"Open. " * 40)}
        yield running


@pytest.fixture
def files(tmp_path: Path, site: Site) -> dict[str, str]:
    """The files of a session with the site."""
    cookies, logins, headers = tmp_path / "cookies.txt", tmp_path / "netrc", tmp_path / "headers"
    rows = [
        (site.host, "FALSE", "/", "FALSE", "4102444800", "id", _SECRETS[0]),
        (site.host, "FALSE", "/", "FALSE", "1000000000", "old", "0ther-s3cret"),
        (".elsewhere.example", "TRUE", "/", "TRUE", "0", "id", "0ther-s3cret"),
    ]
    cookies.write_text("# Netscape HTTP Cookie File\n\n#HttpOnly_" + "\n".join("\t".join(row) for row in rows) + "\n")
    logins.write_text(f"machine {site.host}:{site.port} login ida password {_SECRETS[1]}\n")
    headers.write_text(f"X-Key: {_SECRETS[2]}\nAccept-Language: de\n")
    return {"--cookies": str(cookies), "--logins": str(logins), "--header": f"@{headers}"}


def capture(onrecord: Command, *arguments: str) -> Done:
    return onrecord("--json", "capture", "--allow-private", "--delay", "0", *arguments)


def sent(site: Site, path: str) -> list[str]:
    return [raw.decode("latin-1") for raw in site.raw_requests if raw.split(b" ")[1].decode() == path]


def written(onrecord: Command) -> bytes:
    """Everything that a store and a home hold, unpacked."""
    found = b""
    for folder in (Path(onrecord.store), Path(onrecord.env["HOME"])):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                data = path.read_bytes()
                found += gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    return found


def test_a_session_goes_where_it_belongs_and_its_captures_are_marked(
    onrecord: Command, site: Site, files: dict[str, str]
) -> None:
    with Site(host="127.0.0.2") as other:
        other.answers["/pic.png"] = answer(b"\x89PNG", kind="image/png")
        site.answers["/page"] = answer(f"<p>{_ESSAY}</p><img src={other.url('/pic.png')}><img src=/own.png>".encode())
        options = [each for pair in files.items() for each in pair]
        done = capture(onrecord, *options, site.url("/page"), site.url("/members"), site.url("/guarded"))
        assert done.code == 0, done.out + done.err
        (elsewhere,) = other.raw_requests
    assert not [name for name in ("Cookie", "Authorization", "X-Key") if f"\r\n{name}: " in elsewhere.decode()]
    for path in ("/page", "/own.png", "/members", "/guarded"):
        (request,) = sent(site, path)
        assert "\r\nCookie: id=c00kie-s3cret\r\n" in request
        assert "\r\nX-Key: k3y-s3cret\r\n" in request
        assert request.count("Accept-Language: de") == 1
        assert "0ther-s3cret" not in request
    assert "sentence 5" in onrecord("get", site.url("/guarded")).out
    names = "X-Key, Authorization, Cookie"
    (line,) = onrecord("--json", "snapshots", site.url("/page")).lines
    assert line["session"] == names
    assert f"(made with a session: {names})" in onrecord("snapshots", site.url("/page")).out
    assert f"made with a session: {names}" in onrecord("get", site.url("/page")).err
    (manifest,) = Path(onrecord.store).glob("runs/*/datapackage.json")
    assert json.loads(manifest.read_text())["settings"]["session"] == ["cookies", "password", "header X-Key"]
    assert not [secret for secret in _SECRETS if secret in manifest.read_text()]
    assert onrecord("verify", "--deep").code == 0


@pytest.mark.full
def test_what_a_session_saw_is_nobody_elses(onrecord: Command, site: Site, files: dict[str, str]) -> None:
    """Neither a validator nor a digest ties a capture that anybody can make to one with a session."""
    site.answers["/open"] = answer(b"<p>" + b"Open. " * 40, headers=('ETag: "constant"',))
    for options in (["--cookies", files["--cookies"]], [], [], ["--cookies", files["--cookies"]]):
        assert capture(onrecord, *options, site.url("/open")).code == 0
        onrecord.next_second()
    marks = [
        (line.get("session"), line["revisit"]) for line in onrecord("--json", "snapshots", site.url("/open")).lines
    ]
    assert marks == [("Cookie", False), (None, False), (None, True), ("Cookie", True)]
    assert ["If-None-Match" in request for request in sent(site, "/open")] == [False, False, True, False]


def test_copies_for_others_leave_sessions_out(
    onrecord: Command, site: Site, files: dict[str, str], tmp_path: Path
) -> None:
    assert capture(onrecord, "--cookies", files["--cookies"], site.url("/members")).code == 0
    assert capture(onrecord, site.url("/open")).code == 0
    out = tmp_path / "all.wacz"
    done = onrecord("export", str(out))
    assert done.code == 0, done.err
    assert "made with a session left out" in done.err
    assert "--include-sessions" in done.err
    assert b"/open" in _unpacked(out)
    assert not [word for word in (b"sentence 5", b"c00kie-s3cret") if word in _unpacked(out)]
    alone = onrecord("export", "--url", site.url("/members"), str(tmp_path / "one.warc.gz"))
    assert (alone.code, (tmp_path / "one.warc.gz").exists()) == (4, False)
    proof = onrecord("evidence", "create", site.url("/members"), "-o", str(tmp_path / "proof.zip"))
    assert (proof.code, "--include-sessions" in proof.err) == (4, True), proof.err
    copy = onrecord("replicate", str(tmp_path / "copy"))
    assert (copy.code, "--include-sessions" in copy.err, (tmp_path / "copy").exists()) == (2, True, False), copy.err
    assert onrecord("export", "--include-sessions", "--overwrite", str(out)).code == 0
    assert b"sentence 5" in _unpacked(out)
    assert onrecord("replicate", "--include-sessions", str(tmp_path / "copy")).code == 0


def _unpacked(path: Path) -> bytes:
    with zipfile.ZipFile(path) as package:
        data = [package.read(name) for name in package.namelist()]
    return b"".join(gzip.decompress(each) if each.startswith(b"\x1f\x8b") else each for each in data)


def test_masked_no_secret_is_anywhere(onrecord: Command, site: Site, files: dict[str, str]) -> None:
    options = [each for pair in files.items() for each in pair]
    done = capture(onrecord, *options, "--credentials", "mask", site.url("/members"), site.url("/guarded"))
    assert done.code == 0, done.err
    held = written(onrecord) + (done.out + done.err).encode()
    assert not [secret for secret in _SECRETS if secret.encode() in held]
    assert base64.b64encode(b"ida:passw0rd-s3cret") not in held
    assert b"\r\nX-Key: **********\r\n" in held
    assert b"\r\nAccept-Language: de\r\n" in held


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("--cookies", "not\ta\tcookie s3cret"),
        ("--cookies", "h.example\tFALSE\t/\tFALSE\t1000000000\tid\ts3cret"),
        ("--logins", "machin s3cret"),
        ("--logins", "default login ida password s3cret"),
        ("--header", "s3cret"),
        ("--header", "Cookie: id=s3cret"),
        ("--header", "Host: s3cret"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_and_not_quoted(
    onrecord: Command, site: Site, tmp_path: Path, option: str, text: str
) -> None:
    path = tmp_path / "file"
    path.write_text(text)
    done = capture(onrecord, option, f"@{path}" if option == "--header" else str(path), site.url("/open"))
    assert (done.code, done.err.count("\n"), str(path) in done.err) == (2, 1, True), done.err
    assert "s3cret" not in done.err
    assert site.paths == []


@pytest.mark.full
def test_a_watch_takes_headers_from_files_alone(onrecord: Command, site: Site, files: dict[str, str]) -> None:
    home = Path(onrecord.env["HOME"])
    (home / ".config/onrecord").mkdir(parents=True)
    (home / ".config/onrecord/config.toml").write_text("[capture]\nallow_private = true\ndelay = 0\n")
    watches = home / ".config/onrecord/watches.toml"
    entry = f'[[watch]]\npage = "{site.url("/members")}"\n[watch.options]\n'
    watches.write_text(entry + f'header = ["X-Key: {_SECRETS[2]}"]\n')
    refused = onrecord("run")
    assert (refused.code, _SECRETS[2] in refused.err, "@FILE" in refused.err) == (2, False, True), refused.err
    watches.write_text(entry + f'cookies = "{files["--cookies"]}"\nheader = ["{files["--header"]}"]\n')
    assert onrecord("run").code == 0
    (line,) = onrecord("--json", "snapshots", site.url("/members")).lines
    assert line["session"] == "X-Key, Cookie"


@pytest.mark.full
@_browser
def test_the_browser_has_the_session_too(onrecord: Command, site: Site, files: dict[str, str]) -> None:
    site.answers["/"] = answer(
        b"<title>App</title><main id=m></main><script>fetch('/members').then(it => it.text()).then(it => {"
        b"m.innerHTML = it})</script>"
    )
    options = [each for pair in files.items() for each in pair]
    done = capture(onrecord, "--browser", "--settle", "1", *options, site.url("/"))
    assert done.code == 0, done.err
    for path in ("/", "/members"):
        (request,) = sent(site, path)
        assert "\r\nCookie: id=c00kie-s3cret\r\n" in request
        assert "\r\nX-Key: k3y-s3cret\r\n" in request
        assert "\r\nAuthorization: Basic " in request
        assert request.lower().count("\r\naccept-language: ") == 1
    assert "sentence 5" in onrecord("get", site.url("/")).out
    for url in (site.url("/"), f"urn:dom:{site.url('/')}", f"urn:fullPageFinal:{site.url('/')}"):
        (line,) = onrecord("--json", "snapshots", url).lines
        assert set(str(line["session"]).split(", ")) == {"X-Key", "Authorization", "Cookie"}
