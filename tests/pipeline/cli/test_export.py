"""`onrecord export`: what was asked for, what it needs, byte for byte, or a line that says why not."""

from __future__ import annotations

import gzip
import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from tests.command import Command
from tests.site import Site, answer, redirect

LONG = "It is a long paragraph, so that it is taken for one, and it says the same thing more than once. "


@pytest.fixture
def paper(site: Site) -> Site:
    """A page with requisites of requisites, one of them shared with another page, and a redirect to it."""
    head = "<html><head><title>{}</title><link rel=stylesheet href=/a.css></head>"
    body = f"{head}<body><p>{LONG * 3}</p><img src=/i.png></body></html>"
    site.answers |= {
        "/one": answer(body.format("One").encode()),
        "/two": answer(body.format("Two").replace("/i.png", "/j.png").encode()),
        "/a.css": answer(b"@import url(b.css); p { background: url(/k.png) }", kind="text/css"),
        "/b.css": answer(b"p { color: teal }", kind="text/css"),
        "/i.png": answer(b"i", kind="image/png"),
        "/j.png": answer(b"j", kind="image/png"),
        "/k.png": answer(b"k", kind="image/png"),
        "/old": redirect("/one", "301 Moved"),
    }
    return site


def lines_of(file: Path) -> list[tuple[str, dict[str, str]]]:
    with zipfile.ZipFile(file) as package:
        text = gzip.decompress(package.read("indexes/index.cdx.gz")).decode()
    return [(line.split(" ", 1)[0], json.loads(line.split(" ", 2)[2])) for line in text.splitlines()]


def urls_of(file: Path) -> set[str]:
    return {fields["url"] for _, fields in lines_of(file)}


def test_a_page_takes_with_it_what_it_needs_and_nothing_else(onrecord: Command, paper: Site, tmp_path: Path) -> None:
    onrecord.capture(paper.url("/two"), paper.url("/one"), paper.url("/other"))
    file = tmp_path / "one.wacz"
    (line,) = onrecord("--json", "export", str(file), "--url", paper.url("/one")).lines
    assert urls_of(file) == {paper.url(path) for path in ("/one", "/a.css", "/b.css", "/i.png", "/k.png")}
    assert (line["captures"], line["added"], line["pages"]) == (1, 4, 1)
    with zipfile.ZipFile(file) as package:
        pages = [json.loads(each) for each in package.read("pages/pages.jsonl").splitlines()]
        described = json.loads(package.read("datapackage.json"))
    assert [page.get("title") for page in pages] == ["All Pages", "One"]
    assert LONG.strip() in pages[1]["text"]
    assert described["mainPageUrl"] == paper.url("/one")


@pytest.mark.full
def test_a_redirect_takes_its_goal_and_a_revisit_what_it_refers_to(
    onrecord: Command, paper: Site, tmp_path: Path
) -> None:
    onrecord.capture(paper.url("/old"))
    onrecord.next_second()
    onrecord.capture(paper.url("/old"))
    second = onrecord("--json", "snapshots", paper.url("/old")).lines[1]
    file = tmp_path / "moved.wacz"
    assert onrecord("export", str(file), "--url", paper.url("/old"), "--from", second["timestamp"]).code == 0
    found = lines_of(file)
    ones = [fields for _, fields in found if fields["url"] == paper.url("/one")]
    assert {fields["mime"] for fields in ones} == {"warc/revisit", "text/html"}
    assert len([1 for _, fields in found if fields["url"] == paper.url("/old")]) == 1


def test_the_package_is_as_it_says(onrecord: Command, paper: Site, tmp_path: Path) -> None:
    onrecord.capture(paper.url("/one"))
    onrecord.next_second()
    onrecord.capture(paper.url("/one"))
    for name, arguments in {"whole": [], "one": ["--url", paper.url("/one")]}.items():
        file = tmp_path / f"{name}.wacz"
        assert onrecord("export", str(file), *arguments).code == 0
        with zipfile.ZipFile(file) as package:
            assert package.testzip() is None
            described = json.loads(package.read("datapackage.json"))
            assert {entry["path"] for entry in described["resources"]} | {
                "datapackage.json",
                "datapackage-digest.json",
            } == set(package.namelist())
            for entry in described["resources"]:
                data = package.read(entry["path"])
                assert (entry["hash"], entry["bytes"]) == ("sha256:" + hashlib.sha256(data).hexdigest(), len(data))
            digest = json.loads(package.read("datapackage-digest.json"))
            assert digest["hash"] == "sha256:" + hashlib.sha256(package.read("datapackage.json")).hexdigest()
            for info in package.infolist():
                stored = info.filename.startswith(("archive/", "indexes/"))
                assert (info.compress_type == zipfile.ZIP_STORED) is stored
            assert package.read("indexes/index.idx").startswith(b'!meta 0 {"format":"cdxj-gzip-1.0"')
            for _, fields in lines_of(file):
                offset, length = int(fields["offset"]), int(fields["length"])
                member = package.read(f"archive/{fields['filename']}")[offset : offset + length]
                assert fields["recordId"].encode() in gzip.decompress(member)


@pytest.mark.full
def test_records_are_as_they_were_kept(onrecord: Command, paper: Site, tmp_path: Path) -> None:
    onrecord.capture(paper.url("/one"))
    (kept,) = Path(onrecord.store).glob("runs/*/archive/*")
    file = tmp_path / "all.warc.gz"
    assert onrecord("export", str(file)).code == 0
    assert file.read_bytes() == kept.read_bytes()
    assert onrecord("export", str(file), "--overwrite", "--url", paper.url("/one")).code == 0
    for entry in onrecord("--json", "snapshots", paper.url("/"), "--match", "host").lines:
        assert kept.read_bytes()[entry["offset"] : entry["offset"] + entry["length"]] in file.read_bytes()


@pytest.mark.full
def test_both_forms_of_a_key_stand_in_the_index(onrecord: Command, paper: Site, tmp_path: Path) -> None:
    paper.answers["/Folder/?b=2&a=1"] = answer(b"<p>x</p>")
    onrecord.capture(paper.url("/Folder/?b=2&a=1"))
    file = tmp_path / "x.wacz"
    assert onrecord("export", str(file)).code == 0
    assert {key.rpartition(")")[2] for key, _ in lines_of(file)} == {"/folder?a=1&b=2", "/folder/?a=1&b=2"}


@pytest.mark.full
def test_parquet_is_read_by_duckdb(onrecord: Command, paper: Site, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    onrecord.capture(paper.url("/one"), paper.url("/missing"))
    file = tmp_path / "all.parquet"
    (line,) = onrecord("--json", "export", str(file)).lines
    found = duckdb.sql(
        f"select url, fetch_status, title, text, warc_filename, fetch_time, url_port from '{file}' order by url"
    ).fetchall()
    assert len(found) == line["captures"] == 6
    one = next(row for row in found if row[0] == paper.url("/one"))
    assert one[1:3] == (200, "One")
    assert LONG.strip() in one[3]
    assert (Path(onrecord.store) / one[4]).exists()
    assert one[6] == paper.port
    assert {row[1] for row in found} == {200, 404}


@pytest.mark.full
def test_runs_and_times_choose(onrecord: Command, paper: Site, tmp_path: Path) -> None:
    onrecord.capture(paper.url("/other"))
    onrecord.next_second()
    onrecord.capture(paper.url("/post"))
    first, second = (onrecord("--json", "snapshots", paper.url(path)).lines[0] for path in ("/other", "/post"))
    for name, arguments, expected in (
        ("run", ["--run", first["run"]], {"/other"}),
        ("from", ["--from", second["timestamp"]], {"/post"}),
        ("to", ["--to", first["timestamp"]], {"/other"}),
        ("both", ["--run", first["run"], "--run", second["run"]], {"/other", "/post"}),
    ):
        file = tmp_path / f"{name}.wacz"
        assert onrecord("export", str(file), *arguments).code == 0
        assert urls_of(file) == {paper.url(path) for path in expected}, name


def test_what_cannot_be_exported_ends_in_one_line(onrecord: Command, site: Site, tmp_path: Path) -> None:
    cases = [
        (["x.zip"], 2, "none of the endings"),
        (["x.wacz", "--match", "host"], 2, "name one with --url"),
        (["x.wacz", "--url", "http://nowhere.example/"], 4, "nothing to export"),
        (["x.warc.gz", "--to", "1999"], 4, "nothing to export"),
        (["x.parquet", "--url", "http://nowhere.example/"], 4, "nothing to export"),
        (["x.wacz", "--run", "20200101T000000Z-0000"], 4, "there is no run"),
        (["no/such/folder/x.wacz"], 2, "cannot be written"),
    ]
    onrecord.capture(site.url("/post"))
    for arguments, code, words in cases:
        done = onrecord("export", str(tmp_path / arguments[0]), *arguments[1:])
        assert (done.code, words in done.err, len(done.err.splitlines())) == (code, True, 1), done.err
        assert not (tmp_path / arguments[0]).exists()
        assert list(tmp_path.glob("**/.onrecord-*")) == []


@pytest.mark.full
def test_a_file_that_is_there_is_not_replaced_unless_told(onrecord: Command, site: Site, tmp_path: Path) -> None:
    onrecord.capture(site.url("/post"))
    file = tmp_path / "x.wacz"
    file.write_text("mine")
    done = onrecord("export", str(file))
    assert (done.code, "--overwrite" in done.err) == (2, True)
    assert file.read_text() == "mine"
    assert onrecord("export", str(file), "--overwrite").code == 0
    assert zipfile.is_zipfile(file)


def test_a_damaged_record_is_told_and_leaves_no_file(onrecord: Command, site: Site, tmp_path: Path) -> None:
    onrecord.capture(site.url("/post"))
    (warc,) = Path(onrecord.store).glob("runs/*/archive/*")
    data = bytearray(warc.read_bytes())
    data[len(data) // 2] ^= 1
    warc.write_bytes(bytes(data))
    for arguments in (["a.wacz"], ["b.warc.gz"], ["c.wacz", "--url", site.url("/post")]):
        done = onrecord("export", str(tmp_path / arguments[0]), *arguments[1:])
        assert done.code == 5, done.err
        assert not (tmp_path / arguments[0]).exists()
