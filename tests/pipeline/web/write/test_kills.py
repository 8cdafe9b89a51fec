"""A server that is killed in the middle of its queue: everything that was answered arrives, after it is started again."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.command import Command
from tests.pipeline.cli.conftest import post
from tests.pipeline.ingest.test_record_ids import of_stranger
from tests.pipeline.web.write.conftest import manifests, serving
from tests.site import Site
from tests.torture.scale import count
from tests.waiting import wait_for

_FILES = 2


@pytest.mark.full
@pytest.mark.timeout(600)
def test_a_kill_in_the_middle_of_the_queue_loses_nothing(tmp_path: Path) -> None:
    onrecord = Command.at(tmp_path / "store", tmp_path / "home", ONRECORD_DELAY="0", ONRECORD_WORKERS="1")
    kills = count("KILLS", 1, 10)
    jobs: list[str] = []
    token = ""
    with Site() as site:
        paths = [f"/{number}" for number in range(2 * kills)]
        site.answers |= {path: post(f"Page {path}", f"What page {path} says.") for path in paths}
        for number in range(kills):
            with serving(onrecord, token=token) as running:
                token = running.token
                jobs += [running.capture(site.url(path)) for path in paths[2 * number : 2 * number + 2]]
                for each in range(_FILES):
                    url = f"http://gazette.example/{number}-{each}"
                    data = of_stranger(f"words {number} {each}", f"<urn:uuid:{number}-{each}>", url)
                    jobs.append(running.ask("POST", "/import?name=a.warc", data, token).entry["id"])
                wait_for(lambda: any(running.ask("GET", f"/saved/{job}").entry["state"] != "queued" for job in jobs))  # noqa: B023 - at once
                os.kill(running.process.pid, signal.SIGKILL)
                running.process.wait()
        with serving(onrecord, token=token) as running:
            ended = [running.ended(job) for job in jobs]
        assert [each["state"] for each in ended] == ["done"] * len(jobs), ended
        for path in paths:
            assert f"What page {path} says." in onrecord("get", site.url(path)).out
    for number in range(kills):
        for each in range(_FILES):
            assert f"words {number} {each}" in onrecord("get", f"http://gazette.example/{number}-{each}").out
    found = manifests(onrecord)
    assert {each["settings"]["saved-by"] for each in found} == {"ida"}
    assert {each.get("run") for each in ended} - {None} <= {each["run"]["id"] for each in found}
    assert onrecord.spooled == []
    assert onrecord("verify", "--deep").code == 0
