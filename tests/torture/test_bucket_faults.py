"""What networks and servers do to requests, at every request: named in one line, nothing lost, published later."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from archive.archive import Archive
from archive.runs.warc_files import RunSettings
from storage.errors import ObjectMissing, OnrecordError, StoreUnavailable
from storage.location import open_store
from tests.command import Command
from tests.exchanges import an_exchange
from tests.pipeline.cli.conftest import post
from tests.servers import S3Server
from tests.site import Site
from tests.storage.odd_s3 import Reply, Request
from tests.torture import proxy as faults
from tests.torture.actions import ACTIONS, Place, recover
from tests.torture.conftest import Tally
from tests.torture.places import BEFORE, recorded, silent, steps, whole
from tests.torture.proxy import FaultProxy, store_at, with_attempts
from tests.torture.scale import LONG, count

PLACES = count("PLACES", 1, 1000)  # requests at which a fault begins, of those of an action
ACTS = ["capture", "merge", "replicate", "read"] if LONG else ["capture"]

PASSING = {
    "slow down": faults.slow_down,
    "internal error": faults.internal_error,
    "200 with an error": faults.error_in_200,
    "hangs up": faults.hangs_up,
    "answer lost": faults.answer_lost,
    "half a body": faults.half_a_body,
    "too slow": faults.too_slow,
}
HARMLESS_AT_TIMES = {"half a body", "answer lost", "200 with an error"}  # where nobody reads the answer's body
FOR_GOOD = PASSING | {"expired token": faults.expired, "skewed clock": faults.skewed, "denied": faults.denied_later}


@pytest.fixture
def proxy(s3_server: S3Server) -> Iterator[FaultProxy]:
    with FaultProxy(s3_server.endpoint) as running:
        yield running


@pytest.fixture
def behind(s3_bucket: str, proxy: FaultProxy) -> str:
    """The bucket, by way of the proxy."""
    return f"s3://{urlsplit(s3_bucket).netloc}/NAME?endpoint={proxy.endpoint}"


@pytest.fixture
def direct(s3_bucket: str) -> str:
    return s3_bucket.replace("?", "/NAME?")


def attempt(place: Place, action: str, told: list[str]) -> OnrecordError | None:
    """Do something, which may fail with a line and a code of the table; anything else is a bug."""
    try:
        ACTIONS[action](place, told.append)
    except OnrecordError as error:
        return judged(error)
    return None


def judged(error: OnrecordError) -> OnrecordError:
    assert error.exit_code in {5, 10}, error
    assert "\n" not in str(error)
    assert len(str(error)) > 20
    assert not isinstance(error, ObjectMissing), "what is out of reach is not missing"
    return error


@pytest.mark.full
@pytest.mark.parametrize("action", ACTS)
def test_a_fault_from_any_request_on_is_named_and_loses_nothing(
    quick: Path, proxy: FaultProxy, behind: str, direct: str, action: str, tally: Tally
) -> None:
    """Nothing is tried again: each request meets the fault itself."""
    place, requests = a_place(quick, proxy, behind, action)
    told: list[str] = []
    for name, fault in FOR_GOOD.items():
        place = replace(place, wrap=with_attempts(1, name))
        for at in steps(requests, PLACES, random.Random(name)):
            proxy.strike(fault, at)
            error = attempt(place, action, told)
            assert error is not None or proxy.struck == 0 or name in HARMLESS_AT_TIMES, (name, at)
            publish_later(proxy, place, direct, told)
            tally(f"places of '{name}' in requests of {action}, each named in a line, nothing lost", 1)
    heal_and_check(proxy, place, direct, told)


@pytest.mark.full
def test_a_fault_that_passes_is_tried_again_until_it_has(
    quick: Path, proxy: FaultProxy, behind: str, direct: str, tally: Tally
) -> None:
    place, requests = a_place(quick, proxy, behind, "capture")
    told: list[str] = []
    for name, fault in PASSING.items():
        place = replace(place, wrap=with_attempts(3, name))
        for at in steps(requests, PLACES, random.Random(name)):
            proxy.strike(fault, at, once=True)
            error = attempt(place, "capture", told)
            # What stands in an object's place is a stream, which nobody understands before it is read: it is named.
            assert error is None or (name == "200 with an error" and "check the endpoint" in str(error)), (name, at)
            publish_later(proxy, place, direct, told)
            tally(f"places of one '{name}', tried again", 1)
    heal_and_check(proxy, place, direct, told)


def a_place(folder: Path, proxy: FaultProxy, behind: str, action: str) -> tuple[Place, int]:
    """An archive behind the proxy, and how many requests an action makes there."""
    place = Place(folder / "place", behind, with_attempts(3))
    place.folder.mkdir()
    BEFORE[action](place)
    return place, requests_of(proxy, place, action)


def requests_of(proxy: FaultProxy, place: Place, action: str) -> int:
    proxy.heal()
    ACTIONS[action](place, silent)
    return proxy.counted


def publish_later(proxy: FaultProxy, place: Place, direct: str, told: list[str]) -> None:
    """The next invocation publishes; in the long form all is looked at each time, else once at the end."""
    if LONG:
        heal_and_check(proxy, place, direct, told)
        return
    proxy.heal()
    recover(place, silent)
    assert Archive(place.store(), spool=place.folder / "spool").spool.names() == []


def heal_and_check(proxy: FaultProxy, place: Place, direct: str, told: list[str]) -> None:
    """The next invocation publishes; asked without the proxy, all is there and whole."""
    proxy.heal()
    recover(place, silent)
    assert Archive(place.store(), spool=place.folder / "spool").spool.names() == []
    plain = replace(place, bucket=direct, wrap=lambda store: store)
    whole(plain)
    found = recorded(plain)
    assert set(told) <= set(found)
    assert set(found.values()) == {1}


@pytest.mark.parametrize("attempts", [1, 3])
def test_a_put_that_was_applied_and_not_answered_is_decided_rightly(
    proxy: FaultProxy, behind: str, direct: str, attempts: int
) -> None:
    store = store_at(behind.replace("NAME", "store"), attempts)
    assert store.put_if_absent("first", b"so that conditions are known") is True
    proxy.strike(faults.answer_lost, once=True, wanted=lambda request: request.method == "PUT")
    if attempts == 1:
        with pytest.raises(StoreUnavailable, match="does not answer"):
            store.put_if_absent("ours", b"ours")
    else:
        assert store.put_if_absent("ours", b"ours") is True
    proxy.heal()
    assert store.put_if_absent("ours", b"of another") is False
    assert open_store(direct.replace("NAME", "store")).get("ours") == b"ours"

    def another_was_first(request: Request, forward: faults.Forward) -> Reply:
        open_store(direct.replace("NAME", "store")).put("theirs", b"theirs")
        return Reply(0, silent=True)

    if attempts > 1:
        proxy.strike(another_was_first, once=True, wanted=lambda request: request.method == "PUT")
        assert store.put_if_absent("theirs", b"ours") is False


@pytest.mark.full
@pytest.mark.parametrize("lost", ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"])
def test_lost_answers_to_a_large_upload_leave_the_object_whole_or_a_reason_to_put_it_again(
    tmp_path: Path, proxy: FaultProxy, behind: str, direct: str, lost: str
) -> None:
    wanted: dict[str, Callable[[Request], bool]] = {
        "CreateMultipartUpload": lambda request: request.method == "POST" and "uploads" in request.query,
        "UploadPart": lambda request: request.method == "PUT" and request.query.get("partNumber") == ["2"],
        "CompleteMultipartUpload": lambda request: request.method == "POST" and "uploadId" in request.query,
    }
    data = os.urandom(11 << 20)
    path = tmp_path / "large"
    path.write_bytes(data)
    store = store_at(behind.replace("NAME", "store"), 3)
    proxy.strike(faults.answer_lost, once=True, wanted=wanted[lost])
    try:
        store.put_file("large", path)
    except StoreUnavailable as error:  # where a server has forgotten the upload that it ended
        judged(error)
    assert proxy.struck == 1
    proxy.heal()
    store.put_file("large", path)
    assert open_store(direct.replace("NAME", "store")).get("large") == data


@pytest.mark.full
def test_a_run_of_which_no_answer_tells_that_its_large_file_arrived_is_published_by_the_next_invocation(
    quick: Path, proxy: FaultProxy, behind: str, direct: str
) -> None:
    place = Place(quick / "place", behind, with_attempts(3))
    archive = place.archive()
    archive.prepare()
    session = archive.session(RunSettings("test/1"))
    kept = session.add(an_exchange("http://example.org/film", os.urandom(11 << 20)), page=False)
    proxy.strike(faults.answer_lost, wanted=lambda request: request.method == "POST" and "uploadId" in request.query)
    with pytest.raises(StoreUnavailable):
        session.commit()
    session.close()
    assert proxy.struck
    heal_and_check(proxy, place, direct, [kept.record_id])


@pytest.mark.full
def test_a_body_cut_at_any_byte_is_never_taken_for_the_whole(proxy: FaultProxy, behind: str, tally: Tally) -> None:
    store = store_at(behind.replace("NAME", "store"), 1)
    data = bytes(range(256))
    store.put("object", data)
    for at in range(len(data)):

        def cut(request: Request, forward: faults.Forward, at: int = at) -> Reply:
            reply = forward(request)
            reply.cut = at
            return reply

        proxy.strike(cut)
        for call in (lambda: store.get("object"), lambda: store.get_range("object", 0, 256)):
            with pytest.raises(StoreUnavailable):
                call()
        tally("bodies of objects cut", 2)


@pytest.mark.parametrize("lengthless", [False, True])
def test_a_listing_cut_at_any_byte_is_never_a_shorter_list(
    proxy: FaultProxy, behind: str, lengthless: bool, tally: Tally
) -> None:
    store = store_at(behind.replace("NAME", "store"), 1)
    for number in range(4):
        store.put(f"runs/{number}", b"x")
    bodies: list[bytes] = []

    def seen(request: Request, forward: faults.Forward) -> Reply:
        bodies.append((reply := forward(request)).body)
        return reply

    proxy.strike(seen)
    listed = list(store.list())
    assert len(listed) == 4
    for at in range(0, len(bodies[0]), 1 if LONG else 7):

        def cut(request: Request, forward: faults.Forward, at: int = at) -> Reply:
            reply = forward(request)
            return Reply(reply.status, reply.body[:at] if lengthless else reply.body, reply.headers, at, lengthless)

        proxy.strike(cut)
        try:
            assert list(store.list()) == listed
        except StoreUnavailable as error:
            assert "\n" not in str(error)  # noqa: PT017 - either will do, a shorter list will not
        tally("listings cut", 1)


@pytest.mark.full
def test_a_listing_that_lags_behind_keeps_the_run_in_the_spool_or_publishes_it_whole(
    quick: Path, proxy: FaultProxy, behind: str, direct: str
) -> None:
    place = Place(quick / "place", behind, with_attempts(1))
    place.folder.mkdir()
    BEFORE["capture"](place)
    told: list[str] = []
    recover(place, silent)
    recorded(place)
    proxy.heal()
    proxy.stale = True
    for action in ("capture", "merge", "capture"):
        attempt(place, action, told)
    assert proxy.struck
    heal_and_check_merged(proxy, place, direct, told)


def heal_and_check_merged(proxy: FaultProxy, place: Place, direct: str, told: list[str]) -> None:
    """As above; an index that was merged by a stale list is made good by the next merging."""
    proxy.heal()
    recover(place, silent)
    ACTIONS["merge"](place, silent)
    heal_and_check(proxy, place, direct, told)


ENDINGS = {
    "expired token": "renew the credentials",
    "skewed clock": "set this machine's clock",
    "slow down": "run again later",
    "internal error": "run again later",
    "hangs up": "check the endpoint and the network",
    "200 with an error": "run again later",
}


@pytest.mark.full
@pytest.mark.parametrize("fault", sorted(ENDINGS) if LONG else ["expired token"])
def test_the_command_ends_with_a_line_and_code_10_and_publishes_the_next_time(
    tmp_path: Path, proxy: FaultProxy, behind: str, direct: str, fault: str
) -> None:
    with Site() as site:
        urls = []
        for number in range(4):
            site.answers[f"/{number}"] = post(f"Page {number}", f"The text of page {number}.")
            urls.append(site.url(f"/{number}"))
        onrecord = Command.at(behind.replace("NAME", "store"), tmp_path / "home")
        assert onrecord.capture(urls[0]).code == 0
        proxy.strike(FOR_GOOD[fault], 2, wanted=lambda request: request.method == "PUT" and "/runs/" in request.path)
        refused = onrecord.capture(*urls)
        assert refused.code == 10, refused.err
        assert [line["outcome"] for line in refused.lines] == ["ok"] * 4
        (told,) = [line for line in refused.err.splitlines() if "waits in the spool" in line]
        assert ENDINGS[fault] in told
        assert "Traceback" not in refused.err
        assert len(onrecord.spooled) == 1
        proxy.heal()
        again = onrecord.capture(urls[0])
        assert (again.code, "published run" in again.err) == (0, True), again.err
        archive = Archive(open_store(direct.replace("NAME", "store")), spool=tmp_path / "no-spool")
        kept = {snapshot.record_id for snapshot in archive.snapshots(site.url("/"), match="host")}
        assert {line["record_id"] for line in refused.lines} <= kept
        assert [found for finding in archive.verify() for found in finding.faults] == []
