"""The archive signed and stamped, and a snapshot proved to somebody who has nothing but the bundle."""

from __future__ import annotations

import gzip
import html
import re
import shlex
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.authority import Authority
from tests.command import Command
from tests.site import Site, answer, redirect

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    running = Authority(tmp_path / "authority")
    yield running
    running.close()


def settings(onrecord: Command, text: str) -> None:
    path = Path(onrecord.env["HOME"]) / ".config/onrecord/config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def key(onrecord: Command, authority: Authority) -> str:
    """A signing key, and settings by which every commit is signed and stamped."""
    made = onrecord("evidence", "key", "--new", "clinic.example")
    assert made.code == 0, made.err
    table = f'sign = true\nauthorities = ["{authority.url}"]\nroots = "{authority.roots}"\n'
    settings(onrecord, f"[capture]\nallow_private = true\n[evidence]\n{table}")
    return made.out.strip()


def test_a_snapshot_is_proved_without_the_archive(
    onrecord: Command, site: Site, authority: Authority, key: str, tmp_path: Path
) -> None:
    assert onrecord.capture(site.url("/post"), site.url("/other")).code == 0
    onrecord.next_second()
    assert onrecord.capture(site.url("/post")).code == 0, "a revisit, whose payload an earlier run holds"
    assert authority.queries == 2
    bundle = tmp_path / "post.evidence.zip"
    made = onrecord("--json", "evidence", "create", site.url("/post"), "-o", str(bundle))
    assert made.code == 0, made.err
    (line,) = made.lines
    assert line["tokens"] == 1
    assert line["whole"] == []

    names = zipfile.ZipFile(bundle).namelist()
    assert sum(name.endswith("datapackage.json") for name in names) == 2
    opened = zipfile.ZipFile(bundle)
    text = b"".join(gzip.decompress(opened.read(name)) for name in names if name.endswith(".gz"))
    assert site.url("/post").encode() in text
    assert site.url("/other").encode() not in text, "nothing of other captures is handed on"

    elsewhere = Command.at(tmp_path / "no store", tmp_path / "another home")
    roots = str(authority.roots)
    done = elsewhere("evidence", "verify", str(bundle), "--key", key, "--roots", roots)
    assert done.code == 0, done.out + done.err
    assert "BROKEN" not in done.out
    assert "unknown" not in done.out
    assert re.search(r"holds; it was there at 20\d\d-", done.out)
    assert "It does not prove:" in done.out
    assert f"what is proved is the revisit {line['record_id']} of {site.url('/post')}" in done.out
    assert not (tmp_path / "no store").exists()

    unnamed = elsewhere("evidence", "verify", str(bundle))
    assert unnamed.code == 0
    assert "which came with it" in unnamed.out
    assert "leads to no root that you named" in unnamed.out
    assert "since when it was there is not proved" in unnamed.out

    (tmp_path / "key").write_text(key + "\n")
    lines = elsewhere("--json", "evidence", "verify", str(bundle), "--key", str(tmp_path / "key"), "--roots", roots)
    assert lines.lines[-1]["proved"] is True
    assert lines.lines[-1]["not_later_than"].startswith("20")

    with zipfile.ZipFile(bundle) as opened:
        opened.extractall(tmp_path / "out")
    by_openssl = ["openssl", "ts", "-verify", "-in", "tokens/0.tsr", "-data", "checkpoint", "-CAfile", roots]
    done_so = subprocess.run(by_openssl, cwd=tmp_path / "out", capture_output=True, text=True)
    assert "Verification: OK" in done_so.stdout + done_so.stderr


@pytest.mark.full
def test_what_is_withheld_is_not_proved_to_others(onrecord: Command, site: Site, key: str, tmp_path: Path) -> None:
    onrecord.capture(site.url("/post"), site.url("/other"))
    assert onrecord("withhold", "add", site.url("/post")).code == 0
    bundle = tmp_path / "post.zip"
    done = onrecord("evidence", "create", site.url("/post"), "-o", str(bundle))
    assert (done.code, done.err.count("\n"), bundle.exists()) == (4, 1, False)
    assert onrecord("evidence", "create", site.url("/other"), "-o", str(tmp_path / "other.zip")).code == 0
    assert onrecord("evidence", "create", site.url("/post"), "-o", str(bundle), "--withheld").code == 0


@pytest.mark.full
def test_import_and_run_sign_what_they_commit(onrecord: Command, site: Site, key: str, tmp_path: Path) -> None:
    onrecord.capture(site.url("/post"))
    file = tmp_path / "all.warc.gz"
    assert onrecord("export", str(file)).code == 0
    second = replace(onrecord, store=str(tmp_path / "second"))
    checkpoints = tmp_path / "second/evidence/checkpoints"
    assert second("import", "--no-extract", str(file)).code == 0
    assert len(list(checkpoints.iterdir())) == 1
    assert second("watch", "add", site.url("/other")).code == 0
    done = second("run")
    assert done.code == 0, done.err
    assert len(list(checkpoints.iterdir())) == 2
    assert second("verify").code == 0


@pytest.mark.full
def test_captures_go_on_without_a_key_and_each_refusal_says_what_to_do(
    onrecord: Command, site: Site, tmp_path: Path
) -> None:
    settings(onrecord, '[evidence]\nauthorities = "ftp://x"\n')
    done = onrecord.capture(site.url("/post"))
    assert (done.code, done.err.count("\n"), site.requests) == (2, 1, [])
    assert "evidence.authorities: write an address" in done.err
    settings(onrecord, "[evidence]\nsign = true\n")
    done = onrecord.capture(site.url("/post"))
    assert done.code == 0
    assert "no checkpoint was signed: there is no signing key" in done.err
    unsigned = onrecord("evidence", "checkpoint")
    assert unsigned.code == 2
    program, *command = shlex.split(unsigned.err.partition("make one: ")[2])
    assert program == "onrecord"
    assert onrecord(*command).code == 0
    assert onrecord("evidence", "checkpoint").code == 0


HOSTILE = "<img src=http://elsewhere.example/x onerror=alert(1)> \u202e moc.elpmaxe"


def test_a_bundle_is_made_without_any_preparation_and_can_be_read_by_anybody(
    onrecord: Command, site: Site, tmp_path: Path
) -> None:
    words = f"<p>The pilots said that {html.escape(HOSTILE)} is what they had read.</p>"
    style = '<link rel="stylesheet" href="/style.css">'
    head = f"<head><title>{html.escape(HOSTILE)}</title>{style}</head>"
    body = f"<html>{head}<body><article>{words * 4}</article></body></html>"
    site.answers |= {
        "/moved": redirect("/hostile"),
        "/hostile": answer(body.encode()),
        "/style.css": answer(b"p { color: red }", kind="text/css"),
    }
    assert onrecord.capture(site.url("/moved"), site.url("/other")).code == 0
    bundle = tmp_path / "post.zip"
    done = onrecord("evidence", "create", site.url("/moved"), "-o", str(bundle))
    assert done.code == 0, done.err
    assert "there was no signing key: made one" in done.err
    assert "no checkpoint covered the snapshot: signed one of 1 run" in done.err
    checked = Command.at(tmp_path / "no store", tmp_path / "another home")("evidence", "verify", str(bundle))
    assert (checked.code, "BROKEN" in checked.out) == (0, False)
    for path in ("/moved", "/hostile", "/style.css"):
        assert f"of {site.url(path)} at " in checked.out, path
    assert site.url("/other") not in checked.out
    with zipfile.ZipFile(bundle) as opened:
        shown, text = opened.read("index.html").decode(), opened.read("text.txt").decode()
    assert "The pilots said" in text
    assert html.escape("The pilots said that <img src=http://elsewhere.example/x onerror=alert(1)>") in shown
    assert re.findall(r"<(?:script|img|link|iframe|a)\b", shown) == []
    assert "\u202e" not in shown
    assert re.search(r"Captured on \d+ [A-Z][a-z]+ 20\d\d at \d\d:\d\d:\d\d UTC with onrecord", shown)
    again = onrecord("evidence", "create", site.url("/moved"), "-o", str(bundle), "--overwrite")
    assert (again.code, "made one" in again.err) == (0, False)


@pytest.mark.full
def test_verify_takes_a_checkpoint_that_was_kept_elsewhere(
    onrecord: Command, site: Site, key: str, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    onrecord.capture(site.url("/post"))
    assert onrecord("evidence", "checkpoint", "-o", str(kept)).code == 0
    done = onrecord("verify", "--checkpoint", str(kept))
    assert (done.code, f"{kept} holds" in done.err) == (0, True)
    done = onrecord("verify", "--checkpoint", __file__)
    assert (done.code, f"--checkpoint {__file__}" in done.err) == (5, True)
    shutil.rmtree(Path(onrecord.store) / "runs")
    shutil.rmtree(Path(onrecord.store) / "evidence")
    told = "it covers 1 runs, and the log holds 0: its last entries were deleted"
    done = onrecord("verify")
    assert (done.code, "that this machine signed last" in done.err, told in done.err) == (5, True, True)
    elsewhere = Command.at(onrecord.store, tmp_path / "another home")
    assert elsewhere("verify").code == 0, "nothing in the store tells it"
    done = elsewhere("verify", "--checkpoint", str(kept))
    assert (done.code, f"{kept}: {told}" in done.err) == (5, True)
    (tmp_path / "none").write_text("nonsense")
    done = elsewhere("verify", "--checkpoint", str(tmp_path / "none"))
    assert (done.code, done.err.count("\n")) == (5, 1)
