"""Collections, labels and notes, from the command line: said with a capture and later, listed, searched, exported."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from tests.command import Command, Done
from tests.site import Site

SAID = ("--collection", "Case 7", "--label", "draft", "--note", "Names the minister.")


def _capture(onrecord: Command, *urls: str, said: tuple[str, ...] = SAID) -> Done:
    return onrecord.capture(*urls, extra=said)


def _pages(done: Done) -> list[str]:
    assert done.code == 0, done.err
    return [line["url"].rpartition("/")[2] for line in done.lines]


def test_what_is_said_with_a_capture_is_found_by_it(onrecord: Command, site: Site, tmp_path: Path) -> None:
    assert onrecord("evidence", "key", "--new", "clinic.example").code == 0
    assert _capture(onrecord, site.url("/post")).code == 0
    assert _capture(onrecord, site.url("/other"), said=()).code == 0
    listed = onrecord("--json", "list", "--collection", "Case 7")
    assert _pages(listed) == ["post"]
    assert listed.lines[0]["collections"] == ["Case 7"]
    assert listed.lines[0]["note"] == "Names the minister."
    assert "[Case 7]  [draft]" in onrecord("list").out
    assert _pages(onrecord("--json", "search", "paragraph")) != ["post"]
    assert _pages(onrecord("--json", "search", "paragraph", "--collection", "Case 7")) == ["post"]
    (said,) = onrecord("--json", "annotate").lines
    assert said["signature"] == "signed by clinic.example"
    assert onrecord("export", str(tmp_path / "case.wacz"), "--collection", "Case 7").code == 0
    with zipfile.ZipFile(tmp_path / "case.wacz") as package:
        pages = [json.loads(line) for line in package.read("pages/pages.jsonl").splitlines()[1:]]
    assert [page["url"] for page in pages] == [site.url("/post")]
    assert onrecord("verify", "--deep").code == 0


def test_pages_snapshots_and_runs_are_annotated_later(onrecord: Command, site: Site) -> None:
    first = _capture(onrecord, site.url("/post"), site.url("/other"), said=()).lines[0]
    onrecord.next_second()
    _capture(onrecord, site.url("/post"), said=())
    post, run = site.url("/post"), first["key"].split("/")[1]
    assert onrecord("annotate", post, "--collection", "pages").code == 0
    assert onrecord("annotate", post, "--at", first["timestamp"], "--collection", "one").code == 0
    assert onrecord("annotate", "--run", run, "--collection", "a run").code == 0
    for name, pages in (("pages", ["post"]), ("one", ["post"]), ("a run", ["other", "post"])):
        assert _pages(onrecord("--json", "list", "--collection", name)) == pages
    found = onrecord("--json", "annotate", post).lines
    assert [each["collections"] for each in found] == [["pages"], ["one"], ["a run"]]
    assert onrecord("annotate", "--remove", found[0]["annotation"], "--reason", "wrong page").code == 0
    done = onrecord("list", "--collection", "pages")
    assert (done.code, "no collection" in done.err) == (2, True)
    assert len(onrecord("--json", "annotate").lines) == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("annotate", "--collection", "x"), 2),
        (("annotate", "https://nowhere.example/", "--label", "x"), 4),
        (("annotate", "--run", "20261123T172500Z-7f3a0000", "--label", "x"), 4),
        (("annotate", "--remove", "20261123T172500Z-7f3a0000"), 2),
        (("annotate", "--collection", "a\x1b[2J", "https://nowhere.example/"), 2),
        (("search", "word", "--collection", "x"), 2),
        (("export", "x.csv", "--collection", "x"), 2),
    ],
)
def test_what_cannot_be_annotated_is_one_line(
    onrecord: Command, site: Site, tmp_path: Path, arguments: tuple[str, ...], code: int
) -> None:
    _capture(onrecord, site.url("/post"), said=())
    done = onrecord(*(str(tmp_path / each) if each == "x.csv" else each for each in arguments))
    assert done.code == code, done.err
    assert len(done.err.splitlines()) == 1


def test_words_of_what_is_withheld_are_withheld(onrecord: Command, site: Site) -> None:
    _capture(onrecord, site.url("/post"))
    onrecord("annotate", site.url("/post"), "--label", "secret", "--note", "the name of a witness")
    onrecord("withhold", "add", site.url("/"), "--match", "host")
    for command in (("annotate",), ("--json", "annotate"), ("list",), ("--json", "list", "--collection", "Case 7")):
        shown = onrecord(*command)
        assert "witness" not in shown.out
        assert "secret" not in shown.out
        assert "minister" not in shown.out
    assert "witness" in onrecord("annotate", "--withheld").out
    assert onrecord("search", "paragraph", "--collection", "Case 7").out == ""


def test_copies_hold_what_is_said_and_verify_names_what_was_altered(
    onrecord: Command, site: Site, tmp_path: Path
) -> None:
    onrecord("evidence", "key", "--new", "clinic.example")
    _capture(onrecord, site.url("/post"))
    onrecord("annotate", site.url("/post"), "--label", "later")
    copy = tmp_path / "copy"
    assert onrecord("replicate", str(copy)).code == 0
    restored = tmp_path / "restored"
    assert onrecord("restore", str(restored)).code == 0
    for store in (copy, restored):
        assert len(Command(str(store), onrecord.env)("--json", "annotate").lines) == 2
    for path in (tmp_path / "store" / "annotations").iterdir():
        path.write_bytes(path.read_bytes().replace(b"later", b"never"))
    shutil.rmtree(next(Path(onrecord.env["HOME"]).glob(".cache/onrecord")))
    done = onrecord("verify")
    assert (done.code, "annotations/" in done.err) == (5, True)
    assert onrecord("annotate").code == 5
    assert onrecord("repair", "--from", str(copy)).code == 0
    assert onrecord("verify").code == 0
    assert "later" in onrecord("annotate").out


def test_what_is_said_waits_with_its_run(onrecord: Command, site: Site, tmp_path: Path) -> None:
    mirror = Command.at(f"mirror:{tmp_path}/one,{tmp_path}/other/two", tmp_path / "home")
    (tmp_path / "other").write_text("no folder: the replica is out of reach")
    assert _capture(mirror, site.url("/post")).code == 10
    assert mirror("annotate").out == ""
    (tmp_path / "other").unlink()
    assert _capture(mirror, site.url("/other"), said=()).code == 0
    for store in (mirror.store, str(tmp_path / "other" / "two")):
        assert _pages(Command(store, mirror.env)("--json", "list", "--collection", "Case 7")) == ["post"]


def test_a_damaged_key_is_named_before_anything_is_captured(onrecord: Command, site: Site, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("no key")
    keyed = Command(onrecord.store, onrecord.env | {"ONRECORD_SIGNING_KEY": str(key)})
    done = _capture(keyed, site.url("/post"))
    assert (done.code, str(key) in done.err) == (2, True)
    assert site.requests == []
