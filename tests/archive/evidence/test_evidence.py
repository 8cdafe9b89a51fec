"""Bundles of evidence: what they prove, and that nothing in one can be changed unnoticed, by accident or on purpose."""

from __future__ import annotations

import gzip
import io
import json
import random
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from archive import object_keys
from archive.archive import Archive
from archive.crypto import merkle
from archive.crypto.signed_note import Signer
from archive.digests import self_digested
from archive.errors import IntegrityError, NothingSigned, Withheld
from archive.evidence.bundle_create import create
from archive.evidence.bundle_layout import encode
from archive.evidence.bundle_verify import Checking, Step
from archive.evidence.bundle_zip import Packed, pack
from archive.evidence.checkpoint import Checkpoint, places, read_checkpoint, signers
from archive.evidence.run_log import Entries, Entry, Log
from archive.formats import manifest
from archive.local_cache import Cache
from archive.model import Exchange
from archive.runs.warc_files import RunSettings
from storage.memory import MemoryStore
from tests.archive.conftest import Keep
from tests.exchanges import an_exchange
from tests.torture.scale import examples

URL = "http://example.org/a"
SIGNER = Signer("clinic.example", bytes(range(32)))


def steps(data: bytes, folder: Path) -> list[Step]:
    path = folder / "bundle.zip"
    path.write_bytes(data)
    return list(Checking(path, SIGNER.public).steps())


def broken(data: bytes, folder: Path) -> list[str]:
    return [step.text for step in steps(data, folder) if step.holds is False]


def contents(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def sealed(parts: dict[str, bytes]) -> bytes:
    """A bundle that is packed as it should be, whatever it holds."""
    file = io.BytesIO()
    pack(file, [(name, lambda data=data: iter([data])) for name, data in parts.items()])  # type: ignore[misc]
    return file.getvalue()


@dataclass(frozen=True)
class Made:
    """A bundle, the archive it was made from, and the names of the runs it is about."""

    data: bytes
    archive: Archive
    runs: list[str]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The bundle of a revisit, its payload in an earlier run that holds other pages too."""
    folder = tmp_path_factory.mktemp("made")
    archive = Archive(MemoryStore(), spool=folder / "spool")
    archive.prepare()
    pages = [an_exchange(f"http://example.org/{number}", b"secret %d" % number) for number in range(4)]
    runs = [run_of(archive, an_exchange(notes=("noted",)), *pages), run_of(archive, an_exchange(notes=("noted too",)))]
    archive.checkpoint(SIGNER, folder / "last")
    run_of(archive, an_exchange("http://example.org/later"))
    archive.checkpoint(SIGNER, folder / "last")
    return Made(bundle_of(archive, URL), archive, runs)


def run_of(archive: Archive, *exchanges: Exchange) -> str:
    session = archive.session(RunSettings("test/1"))
    for exchange in exchanges:
        session.add(exchange, page=False)
    found = session.commit()
    assert found is not None
    archive.refresh()
    return found.run


def bundle_of(archive: Archive, url: str) -> bytes:
    file = io.BytesIO()
    done = create(archive.unguarded().stores.primary, archive.closest(url), file)
    assert done.bytes == len(file.getvalue())
    return file.getvalue()


def unpacked(data: bytes) -> bytes:
    """All that a bundle says, its records unpacked."""
    parts = contents(data)
    return b"".join(gzip.decompress(part) if name.endswith(".gz") else part for name, part in parts.items())


def test_a_bundle_holds_what_was_asked_for_and_nothing_else(made: Made, tmp_path: Path) -> None:
    assert broken(made.data, tmp_path) == []
    assert b"secret" not in unpacked(made.data)
    assert b"<p>hello</p>" in unpacked(made.data)
    kinds = sorted(
        step.text.split()[3]
        for step in steps(made.data, tmp_path)
        if re.match(r"records/\d\d.warc.gz is the ", step.text)
    )
    assert kinds == ["metadata", "metadata", "request", "request", "response", "revisit", "warcinfo", "warcinfo"]
    again = sealed(contents(made.data))
    assert again == made.data


def test_every_single_byte_that_is_changed_is_found(made: Made, tmp_path: Path) -> None:
    dice = random.Random(6962)
    places = {0, len(made.data) - 1, *dice.sample(range(len(made.data)), 250)}
    for at in sorted(places):
        changed = bytearray(made.data)
        changed[at] ^= dice.randrange(1, 256)
        assert broken(bytes(changed), tmp_path), f"byte {at}"
    for length in dice.sample(range(len(made.data)), 20):
        assert broken(made.data[:length], tmp_path), f"cut to {length}"
    assert broken(made.data + b"\n", tmp_path)


def test_every_change_of_what_is_in_it_is_found_though_it_is_packed_again(made: Made, tmp_path: Path) -> None:
    """Whoever makes it up can pack it right: then the hashes, proofs and the signature must tell."""
    dice = random.Random(3161)
    parts = contents(made.data)
    for name, data in parts.items():
        for at in {0, len(data) - 1, *(dice.randrange(len(data)) for _ in range(12))}:
            changed = data[:at] + bytes([data[at] ^ (1 << dice.randrange(8))]) + data[at + 1 :]
            assert broken(sealed(parts | {name: changed}), tmp_path), f"{name} at {at}"
        assert broken(sealed({other: kept for other, kept in parts.items() if other != name}), tmp_path), name
    assert broken(sealed(parts | {"more": b"x"}), tmp_path) == ["more is in it, and nothing says what for"]


def altered(made: Made, change: Callable[[dict[str, object]], object]) -> bytes:
    parts = contents(made.data)
    body = json.loads(parts["bundle.json"])
    change(body)
    return sealed(parts | {"bundle.json": encode(body)})


HOSTILE: dict[str, Callable[[dict[str, object]], object]] = {  # type: ignore[misc]
    "no runs": lambda body: body.update(runs=[]),
    "no records": lambda body: body.update(records=[]),
    "runs of another type": lambda body: body.update(runs={"a": 1}),
    "a run of another type": lambda body: body.update(runs=[[]]),
    "records of another type": lambda body: body.update(records=[7]),
    "another version": lambda body: body.update(version=3),
    "an earlier version": lambda body: body.update(version=1),
    "no page": lambda body: body.pop("shown"),
    "a page of another type": lambda body: body.update(shown=7),
    "a title that is another": lambda body: body["shown"].update(title="<script>alert(1)</script>"),
    "a text of another type": lambda body: body["shown"].update(text=[]),
    "a text of no record": lambda body: body["shown"].update(record=99),
    "a text of another record": lambda body: body["shown"].update(record=1),
    "a picture that is not there": lambda body: body["shown"].update(picture=0),
    "a version of another type": lambda body: body.update(version={}),
    "another format": lambda body: body.update(format="zip"),
    "one field more": lambda body: body.update(claim="it is true"),
    "a run under a path": lambda body: body["runs"][0].update(run="../../etc"),
    "an entry beyond the log": lambda body: body["runs"][0].update(entry=9),
    "an entry that is another's": lambda body: body["runs"][0].update(entry=0),
    "an entry of another type": lambda body: body["runs"][0].update(entry=[]),
    "a proof of another type": lambda body: body["runs"][0].update(proof="00"),
    "a proof that is no hex": lambda body: body["runs"][0].update(proof=["zz"]),
    "a proof in capitals": lambda body: body["runs"][0].update(proof=[it.upper() for it in body["runs"][0]["proof"]]),
    "a proof of short hashes": lambda body: body["runs"][0].update(proof=["00"]),
    "no proof": lambda body: body["runs"][0].update(proof=[]),
    "a run twice": lambda body: body["runs"].append(body["runs"][0]),
    "a leaf that is another's": lambda body: body["records"][0].update(leaf=0),
    "a leaf that is huge": lambda body: body["records"][0].update(leaf=10**30),
    "a leaf below nothing": lambda body: body["records"][0].update(leaf=-1),
    "a record without a proof": lambda body: body["records"][0].pop("proof"),
    "a record by its place": lambda body: body["records"].__setitem__(
        0, {"file": body["records"][0]["file"], "run": body["records"][0]["run"], "offset": 0, "length": 9}
    ),
    "a record of another run": lambda body: body["records"][0].update(run=body["records"][1]["run"]),
    "a file that is not there": lambda body: body["records"][0].update(file="records/99.warc.gz"),
    "a file out of the bundle": lambda body: body["records"][0].update(file="../../../etc/passwd"),
    "a file that is no record": lambda body: body["records"][0].update(file="checkpoint"),
    "without the payload": lambda body: body["records"].pop(1),
}


def test_a_bundle_that_says_something_else_does_not_hold(made: Made, tmp_path: Path) -> None:
    for what, change in HOSTILE.items():
        lines = broken(altered(made, change), tmp_path)
        assert lines, what
        assert all("\n" not in line for line in lines), what


def test_what_is_no_bundle_is_one_line(made: Made, tmp_path: Path) -> None:
    def zipped(*names: str, method: int = zipfile.ZIP_STORED, data: bytes = b"x") -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as target:
            for name in names:
                target.writestr(name, data)
        return file.getvalue()

    for data in (
        b"",
        b"PK",
        b"nothing of the kind" * 99,
        zipped(),
        zipped("../../etc/passwd"),
        zipped("/etc/passwd"),
        zipped("C:\\windows"),
        zipped("bundle.json", method=zipfile.ZIP_DEFLATED, data=bytes(10_000_000)),
        zipped("bundle.json", data=b"[" * 100_000),
        zipped("bundle.json", data=b'{"format":' + b"[" * 100_000),
        zipped("bundle.json", data=b"7"),
        sealed({"bundle.json": bytes(17 << 20)}),
        sealed({**contents(made.data), "checkpoint": b"\xff\xfe"}),
        sealed({**contents(made.data), "checkpoint": b"a\n1\nAA==\n\n"}),
        sealed({**contents(made.data), "tokens/0.tsr": b"0\x80"}),
        sealed({**contents(made.data), "tokens/0.tsr": bytes(1 << 20)}),
    ):
        (line,) = broken(data, tmp_path)
        assert "\n" not in line
    assert [path.name for path in tmp_path.iterdir()] == ["bundle.zip"]


def test_records_that_unpack_to_more_than_anybody_wants_are_left(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(made.data)
    (line,) = [step.text for step in Checking(path, _left=100).steps() if step.holds is False]
    assert "when they are unpacked" in line


def test_a_bundle_of_a_run_without_a_root_holds_its_whole_file(
    store: MemoryStore, archive: Archive, keep: Keep, tmp_path: Path
) -> None:
    run = keep(an_exchange(), an_exchange("http://example.org/b", b"beside"))
    key = object_keys.run_key(run, object_keys.MANIFEST)
    package = json.loads(store.get(key))
    del package["records"]
    store.put(key, json.dumps(package).encode())
    store.put(object_keys.run_key(run, object_keys.MANIFEST_DIGEST), manifest.digest_file(store.get(key)))
    fresh = Archive(store, spool=tmp_path / "spool")
    fresh.checkpoint(SIGNER, tmp_path / "last")
    file = io.BytesIO()
    with pytest.raises(Withheld, match="not given out"):
        create(store, fresh.closest(URL), file, lambda _: False)
    assert create(store, fresh.closest(URL), file).whole == (object_keys.run_key(run, object_keys.warc_path(0)),)
    data = file.getvalue()
    assert broken(data, tmp_path) == []
    parts = contents(data)
    for name, content in parts.items():
        for at in range(0, len(content), max(len(content) // 9, 1)):
            changed = content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :]
            assert broken(sealed(parts | {name: changed}), tmp_path), f"{name} at {at}"
    body = json.loads(parts["bundle.json"])
    body["records"][0]["offset"] += 1
    assert broken(sealed(parts | {"bundle.json": encode(body)}), tmp_path)


def test_two_checkpoints_are_proved_to_be_of_one_log(made: Made, tmp_path: Path) -> None:
    archive, store = made.archive, made.archive.unguarded().stores.primary
    first, second = (read_checkpoint(store, place, signers(store)) for place in places(store))
    file = io.BytesIO()
    create(store, archive.closest(URL), file, other=second)
    path = tmp_path / "bundle.zip"
    path.write_bytes(file.getvalue())

    def lines(other: Checkpoint | None, *, data: bytes = file.getvalue()) -> list[str]:
        path.write_bytes(data)
        return [step.text for step in Checking(path, SIGNER.public, other=other).steps() if step.holds is False]

    assert lines(None) == []
    assert lines(second) == []
    no_proof = ["it holds no proof that its log is that of the checkpoint that you named"]
    assert lines(first) == no_proof
    assert lines(second, data=made.data) == no_proof
    assert lines(first, data=made.data) == [], "it is the very checkpoint"
    elsewhere = replace(second, origin="onrecord/another")
    assert lines(elsewhere) == ["the checkpoint that you named is of another log, onrecord/another"]
    parts = contents(file.getvalue())
    for change in ({"size": 9}, {"root": "00" * 32}, {"proof": []}, {"root": 7}, {"more": 1}, {"size": "x"}):
        body = json.loads(parts["bundle.json"])
        body["consistency"] |= change
        assert lines(None, data=sealed(parts | {"bundle.json": encode(body)})), change
    for fake in (replace(second, root=bytes(32)), replace(second, size=9), elsewhere):
        with pytest.raises(IntegrityError, match="the checkpoint that was named"):
            create(store, archive.closest(URL), io.BytesIO(), other=fake)


def test_what_no_checkpoint_covers_is_not_proved(store: MemoryStore, archive: Archive, keep: Keep) -> None:
    keep(an_exchange())
    with pytest.raises(NothingSigned, match="onrecord evidence checkpoint"):
        create(store, archive.closest(URL), io.BytesIO())


def test_the_earliest_checkpoint_is_taken(made: Made) -> None:
    assert Checkpoint.parse(contents(made.data)["checkpoint"]).size == 2


def test_what_a_page_needs_makes_no_later_checkpoint_of_its_proof(made: Made, tmp_path: Path) -> None:
    archive, file = made.archive, io.BytesIO()
    beside = [archive.closest("http://example.org/1"), archive.closest("http://example.org/later")]
    done = create(archive.unguarded().stores.primary, archive.closest(URL), file, beside=beside)
    assert done.left == 1
    assert Checkpoint.parse(contents(file.getvalue())["checkpoint"]).size == 2
    assert broken(file.getvalue(), tmp_path) == []
    assert b"secret 1" in unpacked(file.getvalue())
    assert b"http://example.org/later" not in unpacked(file.getvalue())


def test_a_damaged_run_is_not_passed_on(made: Made) -> None:
    archive, store = made.archive, made.archive.unguarded().stores.primary
    key = object_keys.run_key(made.runs[0], object_keys.warc_path(0))
    whole = store.get(key)
    first = archive.closest(URL)
    assert first.refers_to is not None
    other = first.refers_to.record.offset + first.refers_to.record.length + 40
    store.put(key, whole[:other] + bytes([whole[other] ^ 1]) + whole[other + 1 :])
    with pytest.raises(IntegrityError):
        create(store, first, io.BytesIO())
    store.put(key, whole)


# The log


def entry(number: int) -> Entry:
    return Entry(f"2026112{number % 10}T000000Z-{number:08x}", "sha256:" + f"{number:064x}")


def test_writers_at_once_make_one_log(store: MemoryStore, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    wanted = [[entry(writer * 20 + number) for number in range(8)] for writer in range(6)]

    def write(mine: list[Entry]) -> None:
        log = Log(store, Cache(None))
        for one in mine:
            log.append([one, mine[0]])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, wanted))
    found = Log(store, Cache(None)).read()
    assert found.fault is None
    assert sorted(found.all, key=lambda each: each.run) == sorted(
        (one for mine in wanted for one in mine), key=lambda each: each.run
    )
    for mine in wanted:
        places = [found.all.index(one) for one in mine]
        assert places == sorted(places), "each writer's own order stands"


@hypothesis_settings(max_examples=examples(30), deadline=None)  # timings decide nothing
@given(st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=6), min_size=1, max_size=6))
def test_the_log_only_grows(batches: list[list[int]]) -> None:
    store = MemoryStore()
    log = Log(store, Cache(None))
    heads = []
    for batch in batches:
        entries = log.append([entry(number) for number in dict.fromkeys(batch)])
        heads.append((len(entries.all), merkle.root_of(entries.leaves())))
    leaves = Log(store, Cache(None)).read().leaves()
    for old, new in pairwise(heads):
        proof = merkle.consistency(leaves[: new[0]], old[0])
        assert merkle.extends(old, new, proof)


def test_a_damaged_log_is_not_added_to(store: MemoryStore) -> None:
    log = Log(store, Cache(None))
    for number in range(3):
        log.append([entry(number)])
    for data in (b"", b"nonsense\n", entry(1).line, entry(1).line + b"\n\n", b"\xff\n"):
        store.put(object_keys.log_key(1), data)
        assert Log(store, Cache(None)).read().fault
        with pytest.raises(IntegrityError, match="nothing is added"):
            Log(store, Cache(None)).append([entry(7)])
    store.delete(object_keys.log_key(1))
    fault = Log(store, Cache(None)).read().fault
    assert fault is not None
    assert "the log has no entry 1" in fault


def test_what_is_mended_in_the_log_is_seen_where_the_damage_was_read(store: MemoryStore, tmp_path: Path) -> None:
    log = Log(store, Cache(tmp_path))
    log.append([entry(0)])
    sound = store.get(object_keys.log_key(0))
    store.put(object_keys.log_key(0), sound[:-1])
    assert log.read().fault
    store.put(object_keys.log_key(0), sound)
    assert log.read() == Entries((entry(0),))
    store.put(object_keys.log_key(0), b"lost")
    assert log.read() == Entries((entry(0),)), "what was understood is kept on this machine"


@pytest.mark.parametrize("more", ["\n7\nAAAA", "\n", " x", "", "x" * 300, "\x00"])
def test_nothing_is_signed_for_a_store_that_says_more_than_its_id(
    more: str, store: MemoryStore, archive: Archive, keep: Keep, tmp_path: Path
) -> None:
    keep(an_exchange())
    kept = json.loads(store.get(object_keys.STORE_KEY))
    store.put(
        object_keys.STORE_KEY, self_digested({"layout": kept["layout"], "id": kept["id"] + more if more else more})
    )
    with pytest.raises(IntegrityError, match="its id is not valid"):
        archive.checkpoint(SIGNER, tmp_path / "last")
    assert places(store) == []
    assert not (tmp_path / "last").exists()


def test_a_checkpoint_has_the_form_of_the_standard() -> None:
    from archive.evidence.checkpoint import signed

    entries = Entries((entry(1), entry(2)))
    found = signed("onrecord/some-archive", entries, SIGNER)
    lines = found.note.split("\n")
    assert lines[:2] == ["onrecord/some-archive", "2"]
    assert lines[3] == ""
    assert lines[4].startswith("— clinic.example ")
    assert lines[5:] == [""]
    assert Checkpoint.parse(found.note.encode()) == found


def bad_notes() -> Iterator[str]:
    tail = "\n— clinic.example " + "AAAAAAAA" * 8 + "\n"
    root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
    yield from (f"\n1\n{root}\n{tail}", f"a\n01\n{root}\n{tail}", f"a\n-1\n{root}\n{tail}", f"a\n١\n{root}\n{tail}")
    yield from (f"a\n1\n{tail}", f"a\n1\nAA==\n{tail}", f"a\n1\n{root[:-2]}J=\n{tail}", f"a\n1\n{root}\n\nb\n{tail}")


@pytest.mark.parametrize("note", list(bad_notes()))
def test_what_is_no_checkpoint_is_told(note: str) -> None:
    with pytest.raises(IntegrityError):
        Checkpoint.parse(note.encode())


def test_the_example_of_the_standard_is_read() -> None:
    note = (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE"
        "+xeMcTOAYQ8=\n"
    )
    found = Checkpoint.parse(note.encode())
    assert (found.origin, found.size, found.root.hex()[:8]) == ("example.com/behind-the-sofa", 20852163, "0ac5186a")


def test_nothing_in_a_bundle_is_compressed(made: Made, tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(made.data)
    opened = Packed(path)
    assert sum(opened.sizes.values()) < len(made.data)
    opened.close()


def test_after_a_commit_only_what_is_new_is_read(
    store: MemoryStore, archive: Archive, keep: Keep, tmp_path: Path
) -> None:
    first = keep(an_exchange())
    assert archive.checkpoint(SIGNER, tmp_path / "last") is not None
    second = keep(an_exchange("http://example.org/b"))
    store.delete(object_keys.run_key(first, object_keys.MANIFEST))
    fresh = Archive(store, spool=tmp_path / "spool")
    store.put(object_keys.run_key(first, object_keys.MANIFEST), b"not looked at")
    signed = fresh.checkpoint(SIGNER, tmp_path / "last", everything=False)
    assert signed is not None
    assert signed.added == 1
    assert [entry.run for entry in Log(store, Cache(None)).read().all] == [first, second]
