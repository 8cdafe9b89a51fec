"""Archives that released versions wrote: read, searched, verified, exported, added to and compacted by this one.

`make.py` says how a release adds its own.
"""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest

from tests.kept import answers
from tests.kept.paper import BOARD, BRIDGE, DRAFT, FERRY, LAMPS, LETTER, MARKET, ORIGIN
from tests.site import Site, answer

KEPT = sorted(path.parent for path in Path(__file__).parent.glob("*/store"))
TEXTS = [
    *(f"get {ORIGIN}{path}" for path in (FERRY, LAMPS, MARKET, LETTER, BRIDGE)),
    f"get {ORIGIN}{FERRY} --at 20251006",
    f"get {BOARD}/board",
]
ENTRIES = [
    f"--json snapshots {ORIGIN}{FERRY}",
    f"--json snapshots {ORIGIN}{DRAFT}",
    "--json search '\"half past six\"'",
    "--json search crane",
]
PAGE = b"""<!doctype html><html lang="en"><head><title>A bell for the new quay</title></head><body><article>
<h1>A bell for the new quay</h1>
<p>The founders in the hill street have cast a bell for the new quay. It is as heavy as two oxen, and it will be rung
when fog hides the light on the breakwater from the boats that wait outside.</p>
<p>A carillon was considered and given up, because nobody in the town can play one and nobody wishes to learn.</p>
</article></body></html>"""


@pytest.fixture(params=KEPT, ids=lambda folder: str(folder.name))
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """One of the archives; a copy of it lies in tmp_path."""
    folder: Path = request.param
    answers.stage(folder, tmp_path)
    return folder


def ask(work: Path, *asked: str) -> list[answers.Answer]:
    """The answers to commands of which each must end well."""
    given = list(answers.ask(list(asked), work))
    assert [(each.asked, each.err) for each in given if each.code] == []
    return given


def changed(folder: Path, work: Path, asked: list[str] | None = None) -> str:
    """What is answered in another way than it was, "" when all is as it was."""
    before = [each for each in answers.read(folder) if asked is None or each.asked in asked]
    assert len(before) == len(asked or before) > 0
    now = answers.ask([each.asked for each in before], work)
    return "\n\n".join(filter(None, map(answers.differences, before, now)))


def test_there_is_one() -> None:
    assert KEPT


def test_every_answer_is_what_it_was(kept: Path, tmp_path: Path) -> None:
    assert changed(kept, tmp_path) == ""


def test_it_is_added_to_and_compacted(kept: Path, tmp_path: Path) -> None:
    with Site({"/bell.html": answer(PAGE)}) as site:
        bell = site.url("/bell.html")
        _, _, _, _, found, text = ask(
            tmp_path, f"capture --allow-private --delay 0 --workers 1 {bell}", "compact --all", "evidence checkpoint",
            "verify --deep", "--json search carillon", f"get {bell}",
        )  # fmt: skip
    assert [each["title"] for each in answers.objects(found.out)] == ["A bell for the new quay"]
    assert "as heavy as" in text.out
    assert changed(kept, tmp_path, [*TEXTS, *ENTRIES]) == ""


@pytest.mark.full
def test_its_texts_can_be_made_again(kept: Path, tmp_path: Path) -> None:
    ask(tmp_path, "extract --force --workers 1", "verify --deep")
    assert changed(kept, tmp_path, TEXTS) == ""


@pytest.mark.full
def test_it_is_copied_and_what_it_exported_is_imported(kept: Path, tmp_path: Path) -> None:
    newest = f"get {ORIGIN}{FERRY}"
    _, _, first, second = ask(
        tmp_path, "replicate copy", "--store imported import --workers 1 files/ferry.wacz", newest,
        f"--store imported {newest}",
    )  # fmt: skip
    assert second.out == first.out
    shutil.rmtree(tmp_path / "store")
    (tmp_path / "copy").rename(tmp_path / "store")
    ask(tmp_path, "verify --deep")
    assert changed(kept, tmp_path, TEXTS) == ""


@pytest.mark.full
def test_a_run_of_it_is_redacted(kept: Path, tmp_path: Path) -> None:
    lamps = ORIGIN + LAMPS
    found, text = ask(tmp_path, f"--json snapshots {lamps}", f"get {lamps}")
    run = str(answers.objects(found.out)[0]["key"]).split("/")[1]
    words = max(text.out.splitlines(), key=len).encode()[:60]
    files = list((tmp_path / "store" / "runs").glob("*/archive/*.warc.gz"))
    assert any(words in gzip.decompress(file.read_bytes()) for file in files)
    ask(tmp_path, f"redact {run} --url {lamps} --reason Trial --yes", "evidence checkpoint", "verify --deep")
    (gone,) = answers.ask([f"get {lamps}"], tmp_path)
    assert (gone.code, words.decode() in gone.out) == (4, False)
    assert not any(words in gzip.decompress(file.read_bytes()) for file in files)
    assert changed(kept, tmp_path, [each for each in TEXTS if LAMPS not in each]) == ""


def test_damage_is_found(kept: Path, tmp_path: Path) -> None:
    warcs = sorted((tmp_path / "store").glob("runs/*/archive/*.warc.gz"))
    for warc in warcs:
        data = bytearray(warc.read_bytes())
        data[len(data) // 2] ^= 1
        warc.write_bytes(data)
    (report,) = answers.ask(["--json verify --deep"], tmp_path)
    assert report.code == 5
    assert all(warc.parent.parent.name in report.out for warc in warcs)
