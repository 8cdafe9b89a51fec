"""Bits that turn, files that are cut and files that go, in every kind of object: found, and mended from the copy."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from archive import object_keys
from archive.archive import Archive
from archive.copies.replicate import Replica
from archive.crypto.rfc3161 import query
from archive.crypto.signed_note import Signer
from archive.errors import OnrecordError
from archive.evidence.stored_timestamps import keep_token
from archive.redaction.plan import plan_redaction, redact
from storage.base import ObjectStore
from tests.authority import Authority
from tests.torture.actions import Place, capture, replicate
from tests.torture.conftest import Tally
from tests.torture.places import Objects, full, objects_in, put_back
from tests.torture.scale import LONG, count

pytestmark = pytest.mark.full

FLIPS = count("FLIPS", 36, 1000)
CUTS = count("CUTS", 12, 200)
SIGNER = Signer("clinic.example", b"s" * 32)
KNOWN = [SIGNER.public]
LOST_UNSEEN = (f"{object_keys.NOTICES_PREFIX}rules/", object_keys.TOKENS_PREFIX)

# The kinds of object, each by the end of its key.
KINDS = {
    object_keys.STORE_KEY: object_keys.STORE_KEY,
    "WARC files": "/00000.warc.gz",
    "WARC files of other programs": "/foreign-00000.warc.gz",
    "texts": object_keys.PAGES,
    "indexes": object_keys.CDX,
    "index heads": object_keys.IDX,
    "outcomes": object_keys.OUTCOMES,
    "manifests": f"/{object_keys.MANIFEST}",
    "manifest digests": object_keys.MANIFEST_DIGEST,
    "merged indexes": object_keys.GENERATION_CDX,
    "merged index heads": object_keys.GENERATION_IDX,
    "lists of merged runs": object_keys.GENERATION_RUNS,
    "descriptions of merged indexes": object_keys.GENERATION,
}
# Others, each by the beginning of its key.
APART = {
    "loose marks": object_keys.LOOSE_PREFIX,
    "rules of what is not to be shown": f"{object_keys.NOTICES_PREFIX}rules/",
    "redactions": f"{object_keys.NOTICES_PREFIX}redactions/",
    "ends of rules": ".removed.json",
    "logs of runs": object_keys.LOG_PREFIX,
    "checkpoints": object_keys.CHECKPOINTS_PREFIX,
    "keys of signers": object_keys.SIGNERS_PREFIX,
    "time stamps": object_keys.TOKENS_PREFIX,
}


def kind_of(key: str) -> str | None:
    if key.endswith(APART["ends of rules"]):
        return "ends of rules"
    for kind, begin in APART.items():
        if key.startswith(begin):
            return kind
    merged = key.startswith(object_keys.GENERATIONS_PREFIX)
    ends = {kind: end for kind, end in KINDS.items() if ("merged" in kind) == merged}
    return next((kind for kind, end in ends.items() if key.endswith(end)), None)


@dataclass(frozen=True)
class Damage:
    """What happens to an object: `bytes` become others, or none."""

    how: str
    key: str
    do: Callable[[bytes], bytes | None]


def damages(dice: random.Random, objects: Objects, share: int) -> Iterator[Damage]:
    """Each object lost once; flips and cuts, dealt out to the kinds in turn. Or a share of it all."""

    def flip(data: bytes) -> bytes:
        position = dice.randrange(len(data))
        return data[:position] + bytes([data[position] ^ 1 << dice.randrange(8)]) + data[position + 1 :]

    def cut(data: bytes) -> bytes:
        return data[: dice.randrange(len(data))]

    by_kind: dict[str, list[str]] = {}
    for number, (key, data) in enumerate(sorted(objects.items())):
        kind = kind_of(key)
        if kind is not None:
            if number % share == 0:
                yield Damage("losses", key, lambda _: None)
            if data:
                by_kind.setdefault(kind, []).append(key)
    assert by_kind.keys() == (KINDS.keys() | APART.keys()) - {"loose marks"}, "a mark has no bytes; all else is there"
    kinds = sorted(by_kind)
    for how, number, do in (("flips", FLIPS, flip), ("cuts", CUTS, cut)):
        for turn in range(number // share):
            yield Damage(how, dice.choice(by_kind[kinds[turn % len(kinds)]]), do)


@pytest.fixture(params=["directory", "bucket"])
def stores(request: pytest.FixtureRequest, quick: Path) -> tuple[ObjectStore, ObjectStore, int]:
    """An archive with every kind of object, its copy, and the share of the damage that there is time for."""
    bucket = request.getfixturevalue("s3_bucket").replace("?", "/NAME?") if request.param == "bucket" else ""
    place = Place(quick / "place", bucket)
    place.folder.mkdir()
    full(place)
    prove(place, quick / "authority")
    return place.store(), place.copy(), 12 if bucket and not LONG else 1


def prove(place: Place, folder: Path) -> None:
    """Besides, a capture that was taken out of a run, and a checkpoint of the log of runs with a time stamp."""
    archive = place.archive()
    run = next(iter(archive.runs()))
    url = next(archive.captures_of(run)).url
    redact(archive, plan_redaction(archive, run, [url], ()), SIGNER, "Court order 3 O 17/26")
    archive = place.archive()
    archive.merge()
    made = archive.checkpoint(SIGNER, folder / "remembered")
    assert made is not None
    authority = Authority(folder)
    try:
        answer = authority.stamp(query(made.checkpoint.note.encode()).der)
    finally:
        authority.close()
    keep_token(archive.unguarded().stores.primary, made.key, authority.url, answer)
    faults = [each.faults for each in Replica(place.store(), place.copy(), folder / "scratch", KNOWN).replicate()]
    assert not any(faults)
    capture(place, lambda _: None, 3)  # loose, and later than what was signed
    replicate(place, lambda _: None)


def faults_of(archive: Archive) -> list[str]:
    try:
        return [fault for finding in archive.verify(known=KNOWN) for fault in finding.faults]
    except OnrecordError as error:
        return [str(error)]


def is_unknowable(damage: Damage, whole: Objects) -> bool:
    """What is as if it had never been, once it is gone.

    A run without manifest, which only a later run misses, an index without description, without which every run is
    asked by itself, a rule, and a time stamp.
    """
    manifests = [
        key for key in whole if key.startswith(object_keys.RUNS_PREFIX) and key.endswith(f"/{object_keys.MANIFEST}")
    ]
    unknowable = (damage.key == max(manifests), damage.key.endswith(f"/{object_keys.GENERATION}"))
    return damage.how == "losses" and (any(unknowable) or damage.key.startswith(LOST_UNSEEN))


def test_every_flip_cut_and_loss_in_every_kind_of_object_is_found_and_mended_to_the_byte(
    stores: tuple[ObjectStore, ObjectStore, int], quick: Path, tally: Tally
) -> None:
    store, copy, share = stores
    where = "bucket" if store.url.startswith("s3:") else "directory"
    archive = Archive(store, spool=quick / "spool")
    whole = objects_in(store)
    everything = list(archive.every())
    rebuilt = {}
    for damage in damages(random.Random(12), whole, share):
        data = damage.do(whole[damage.key])
        if data is None:
            store.delete(damage.key)
        else:
            store.put(damage.key, data)
        found = faults_of(archive)
        assert found or is_unknowable(damage, whole), damage
        copies = list(Replica(copy, store, quick / "scratch", KNOWN).repair())
        assert not [fault for copied in copies for fault in copied.faults], damage
        now = objects_in(store)
        assert {key: data for key, data in now.items() if not key.startswith("index/")} == {
            key: data for key, data in whole.items() if not key.startswith("index/")
        }, damage
        if damage.key.startswith("index/"):
            archive.merge(rebuild=True)
            (made,) = archive.unguarded().catalog.generations.current()
            rebuilt[made.lines, made.cdx, made.idx, made.names] = damage.key
        assert faults_of(Archive(store, spool=quick / "spool")) == [], damage
        assert list(Archive(store, spool=quick / "spool").every()) == everything, damage
        put_back(store, whole)
        archive = Archive(store, spool=quick / "spool")
        tally(f"{damage.how} in a {where}, all found and mended to the byte", 1)
    assert len(rebuilt) <= 1, "made again from the same runs, an index is the same to the byte"
    assert rebuilt or share > 1, "a share of the damage may meet no index"
