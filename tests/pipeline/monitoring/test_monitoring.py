"""Pings, metrics, logs and the clock: told to machines, and never in the way of a run."""

from __future__ import annotations

import io
import json
import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.alerts.channel import AlertSettingsError
from pipeline.monitoring.clock_skew import endpoint, skew
from pipeline.monitoring.healthchecks import Healthcheck, healthcheck
from pipeline.monitoring.json_log import JsonLines, Lines, LogFileError, log_file
from pipeline.monitoring.prometheus import RunReport, write_metrics
from pipeline.monitoring.scheduler_daemons import cron_runs
from tests.pipeline.alerts.conftest import drip, hook_server, moved_to

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_pings_at_start_success_and_failure() -> None:
    with hook_server() as hook:
        check = healthcheck(hook.url("/ping/uuid?rid=1"))
        assert [check.start(), check.success(), check.fail()] == [True, True, True]
        assert [path for path, _, _ in hook.requests] == [
            "/ping/uuid/start?rid=1",
            "/ping/uuid?rid=1",
            "/ping/uuid/fail?rid=1",
        ]


def test_a_monitor_that_is_gone_slow_or_moved_fails_no_run(caplog: pytest.LogCaptureFixture) -> None:
    with hook_server() as hook:
        hook.answers = [500, moved_to("file:///etc/passwd"), drip]
        check = Healthcheck(hook.url("/hunter2"), timeout=2.0)
        assert [check.start(), check.success(), check.fail()] == [False, False, False]
        assert len(hook.requests) == 3
    assert check.start() is False
    assert Healthcheck(None).start() is False
    assert Healthcheck("file:///etc/passwd").start() is False
    assert "hunter2" not in caplog.text
    assert caplog.text.count("the healthcheck got no ping") == 5


@pytest.mark.parametrize("url", ["file:///etc/passwd", "hunter2", "https://", 5])
def test_what_is_no_monitor_is_said_at_once(url: str) -> None:
    with pytest.raises(AlertSettingsError, match=r"alerts\.healthcheck cannot be used") as failure:
        healthcheck(url)
    assert "hunter2" not in str(failure.value)


def _values(path: Path) -> dict[str, float]:
    families = text_string_to_metric_families(path.read_text())
    return {
        sample.name + "".join(f":{value}" for value in sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def test_metrics_are_a_file_that_prometheus_reads(tmp_path: Path) -> None:
    path = tmp_path / "onrecord.prom"
    report = RunReport(NOON, 12.5, 0, {"ok": 7, "dns-failure": 1}, due=8, late=2, captured=4096, outbox=3)
    assert write_metrics(path, report)
    values = _values(path)
    assert values["onrecord_run_outcomes:dns-failure"] == 1
    assert values["onrecord_run_last_success_timestamp_seconds"] == NOON.timestamp()
    names = ("duration_seconds", "exit_code", "due", "late", "captured_bytes")
    assert [values[f"onrecord_run_{name}"] for name in names] == [12.5, 0, 8, 2, 4096]
    assert values["onrecord_outbox_alerts"] == 3
    later = NOON + timedelta(hours=1)
    assert write_metrics(path, RunReport(later, 1, 3))
    values = _values(path)
    assert values["onrecord_run_last_timestamp_seconds"] == later.timestamp()
    assert values["onrecord_run_last_success_timestamp_seconds"] == NOON.timestamp()
    assert "onrecord_run_outcomes:ok" not in values
    assert list(tmp_path.iterdir()) == [path]


def test_metrics_that_cannot_be_written_fail_no_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert not write_metrics(tmp_path / "none" / "onrecord.prom", RunReport(NOON, 1, 0))
    assert "no metrics" in caplog.text


def test_a_log_line_is_one_object_whatever_it_quotes(tmp_path: Path) -> None:
    log = logging.getLogger("onrecord.test.json")
    log.propagate = False
    path = tmp_path / "log"
    handler = log_file(str(path))
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    log.info("below\n\x1b[2J\u2028 \ud800 %s", "ß", extra={"url": "https://a.example", "count": 3, "path": path})
    try:
        raise ValueError("two\nlines")
    except ValueError:
        log.exception("it failed")
    log.debug("too fine")
    path.rename(tmp_path / "log.1")
    log.warning("after logrotate")
    log.removeHandler(handler)
    handler.close()
    raw = (tmp_path / "log.1").read_bytes()
    assert raw.isascii()
    first, second = [json.loads(line) for line in raw.splitlines()]
    assert (first["level"], first["logger"], first["message"]) == (
        "info",
        "onrecord.test.json",
        "below\n\x1b[2J\u2028 \ud800 ß",
    )
    assert (first["url"], first["count"], first["path"]) == ("https://a.example", 3, str(path))
    assert datetime.fromisoformat(first["time"]).tzinfo is not None
    assert "ValueError: two\nlines" in second["exception"]
    assert json.loads(path.read_text())["message"] == "after logrotate"
    with pytest.raises(LogFileError, match="cannot be written: Is a directory"):
        log_file(str(tmp_path))


def test_what_is_printed_on_stderr_becomes_entries() -> None:
    raw = io.StringIO()
    lines = Lines(raw)
    print("onrecord: run 1: ", end="", file=lines)
    assert raw.getvalue() == ""
    print("well\n\nonrecord: error: no such page", file=lines)
    record = logging.makeLogRecord({"name": "onrecord", "levelname": "WARNING", "msg": "as it is"})
    print(JsonLines().format(record), file=lines)
    entries = [json.loads(line) for line in raw.getvalue().splitlines()]
    assert [(entry["level"], entry["message"]) for entry in entries] == [
        ("info", "run 1: well"),
        ("error", "no such page"),
        ("warning", "as it is"),
    ]


def _date(ahead: timedelta | None) -> object:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        date = f"Date: {format_datetime(datetime.now(UTC) + ahead, usegmt=True)}\r\n" if ahead is not None else ""
        handler.wfile.write(f"HTTP/1.1 403 No\r\n{date}Content-Length: 0\r\n\r\n".encode())

    return answer


def test_the_clock_is_compared_with_the_servers() -> None:
    with hook_server() as hook:
        hook.answers = [_date(timedelta(hours=-2)), _date(timedelta(seconds=0)), _date(None)]  # type: ignore[list-item]
        ahead = skew(hook.url(""))
        assert ahead is not None
        assert abs(ahead - 7200) < 60
        level = skew(hook.url(""))
        assert level is not None
        assert abs(level) < 60
        assert skew(hook.url("")) is None
    with pytest.raises(OSError, match="refused"):
        skew(hook.url(""))


def test_whose_clock() -> None:
    assert endpoint("/srv/store") is None
    assert endpoint("s3://b/p?endpoint=http://127.0.0.1:8333", {}) == "http://127.0.0.1:8333"
    assert endpoint("s3://b?region=eu-west-1", {}) == "https://s3.eu-west-1.amazonaws.com"
    assert endpoint("s3://b", {"AWS_ENDPOINT_URL": "https://objects.example"}) == "https://objects.example"


def test_daemons_are_seen_by_their_names(tmp_path: Path) -> None:
    assert cron_runs(tmp_path) is None
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "comm").write_text("bash\n")
    assert cron_runs(tmp_path) is False
    (tmp_path / "8").mkdir()
    (tmp_path / "8" / "comm").write_text("cron\n")
    assert cron_runs(tmp_path) is True
