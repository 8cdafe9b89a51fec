"""`onrecord schedule`, `alerts` and `doctor` as a user meets them, with a crontab of the test's own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.runs import Spool
from tests.command import Command
from tests.pipeline.alerts.conftest import Letters, hook_server, smtp
from tests.storage.odd_s3 import OddS3

# A crontab that does what Debian's does, with a file of its own.
CRONTAB = """#!/bin/sh
case "$1" in
-l) [ -e {table} ] || {{ echo "no crontab for ida" >&2; exit 1; }}; cat {table} ;;
-r) rm {table} ;;
-) cat > {table}.new; [ -z "$(tail -c 1 {table}.new)" ] || {{ echo "missing newline before EOF" >&2; exit 1; }}
   mv {table}.new {table} ;;
*) exit 9 ;;
esac
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "crontab"


@pytest.fixture
def scheduled(tmp_path: Path, table: Path) -> Command:
    program = tmp_path / "bin" / "crontab"
    program.parent.mkdir()
    program.write_text(CRONTAB.format(table=table))
    program.chmod(0o755)
    return Command.at(tmp_path / "store", tmp_path / "home", PATH=f"{program.parent}:{os.environ['PATH']}")


def test_installed_shown_and_removed(scheduled: Command, table: Path, tmp_path: Path) -> None:
    dry = scheduled("schedule", "install", "--dry-run")
    assert (dry.code, table.exists()) == (0, False)
    assert scheduled("schedule", "install").code == 0
    text = table.read_text()
    assert text.replace(" [no crontab before]", "") == dry.out
    (line,) = [line for line in text.splitlines() if not line.startswith("#")]
    assert f"onrecord --store {scheduled.store} run" in line
    assert f"HOME={tmp_path}/home" in line
    again = scheduled("schedule", "install")
    assert (again.code, "already" in again.err) == (0, True)
    other = Command(str(tmp_path / "other"), scheduled.env)
    assert other("schedule", "install", "--calendar", "20 6 * * mon-fri").code == 0
    shown = [(line["scheduler"], line["store"]) for line in scheduled("--json", "schedule", "show").lines]
    assert shown == [("cron", scheduled.store), ("cron", other.store)]
    assert scheduled("schedule", "remove", "--dry-run").code == 0
    assert len(scheduled("--json", "schedule", "show").lines) == 2
    assert scheduled("schedule", "remove").code == 0
    assert [entry["store"] for entry in scheduled("--json", "schedule", "show").lines] == [other.store]
    assert other("schedule", "remove").code == 0
    assert not table.exists()
    nothing = scheduled("schedule", "remove")
    assert (nothing.code, "nothing is scheduled" in nothing.err) == (0, True)
    assert "nothing is scheduled" in scheduled("schedule", "show").err


@pytest.mark.parametrize("before", [b"# mine\n5 4 * * * true\n", b"\r\n5 4 * * * true\r\n", b""])
def test_other_lines_stay_byte_for_byte(scheduled: Command, table: Path, before: bytes) -> None:
    table.write_bytes(before)
    assert scheduled("schedule", "install", "--every", "2h").code == 0
    assert table.read_bytes().startswith(before + b"# >>> onrecord ")
    assert scheduled("schedule", "remove").code == 0
    assert table.read_bytes() == before


def test_flags_and_settings_go_along_and_secrets_do_not(scheduled: Command, table: Path, tmp_path: Path) -> None:
    config = tmp_path / "my settings.toml"
    config.write_text("[capture]\ndelay = 1.0\n")
    secrets = {"ONRECORD_SMTP_PASSWORD": "hunter2", "AWS_SECRET_ACCESS_KEY": "hunter2", "AWS_ACCESS_KEY_ID": "AKIA"}
    command = Command(scheduled.store, scheduled.env | secrets | {"ONRECORD_OPERATOR": "100% Law"})
    done = command("--config", str(config), "schedule", "install")
    assert done.code == 0
    assert f"--config '{config}' run" in table.read_text()
    assert "ONRECORD_OPERATOR='100'\\%' Law'" in table.read_text()
    assert "hunter2" not in table.read_text() + done.err + done.out
    assert "ONRECORD_SMTP_PASSWORD is not written into the schedule: use password_file" in done.err
    assert "AWS_SECRET_ACCESS_KEY is not written" in done.err
    assert command("schedule", "remove").code == 0
    assert not table.exists()


@pytest.fixture
def odd() -> Iterator[OddS3]:
    with OddS3() as server:
        yield server


@pytest.mark.full
def test_a_schedule_reaches_the_store_that_its_command_reached(odd: OddS3, table: Path, scheduled: Command) -> None:
    endpoint = {"AWS_ENDPOINT_URL_S3": odd.endpoint, "AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "us-east-1"}
    keys = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "hunter2"}
    command = Command("s3://bucket", scheduled.env | endpoint | keys)
    done = command("schedule", "install", "--cron")
    assert (done.code, f"AWS_ENDPOINT_URL_S3={odd.endpoint} " in table.read_text()) == (0, True), done.err
    unit = command("schedule", "install", "--systemd", "--dry-run").out
    assert f"Environment=AWS_ENDPOINT_URL_S3={odd.endpoint}\n" in unit

    def warned(*without: str) -> list[str]:
        environment = {name: value for name, value in command.env.items() if name not in without}
        said = Command(command.store, environment)("--json", "doctor").lines
        return [line["detail"].partition(":")[0] for line in said if line["check"] == "schedule environment"]

    def tried() -> tuple[str, str]:
        (line,) = [line for line in command("--json", "doctor").lines if line["check"] == "schedule store"]
        return line["state"], line["detail"]

    state, detail = tried()
    assert (state, "with the environment of the schedule" in detail) == ("failed", True)
    assert "AWS_ACCESS_KEY_ID" in detail
    credentials = Path(command.env["HOME"]) / ".aws" / "credentials"
    credentials.parent.mkdir()
    credentials.write_text("[default]\naws_access_key_id = AKIA\naws_secret_access_key = hunter2\n")
    assert tried()[0] == "ok"
    credentials.unlink()
    assert [each.split()[0] for each in warned()] == ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
    table.write_text(table.read_text().replace(f"AWS_ENDPOINT_URL_S3={odd.endpoint} ", ""))
    assert warned(*keys) == ["AWS_ENDPOINT_URL_S3 is set here and not in the schedule"]


def test_what_cannot_be_scheduled_is_one_line(scheduled: Command, tmp_path: Path) -> None:
    nowhere = Command(scheduled.store, scheduled.env | {"PATH": str(tmp_path)})
    for command, arguments, said in (
        (scheduled, ["--every", "7m"], "a schedule repeats every"),
        (scheduled, ["--every", "soon"], "no span of time"),
        (scheduled, ["--calendar", "Mon 06:20"], "write five fields"),
        (scheduled, ["--calendar", "* * * * *", "--every", "1h"], "two answers"),
        (nowhere, ["--cron"], "there is no crontab here"),
        (nowhere, ["--systemd"], "there is no systemctl here"),
    ):
        done = command("schedule", "install", *arguments)
        assert (done.code, len(done.err.splitlines())) == (2, 1), done.err
        assert said in done.err


def test_alerts_are_tried_before_they_are_needed(tmp_path: Path, letters: Letters) -> None:
    config = tmp_path / "config.toml"
    onrecord = Command.at(tmp_path / "store", tmp_path / "home", ONRECORD_CONFIG=str(config))
    config.write_text("")
    assert (onrecord("alerts", "test").code, onrecord("alerts", "test").out) == (2, "")
    with smtp(letters) as port, hook_server() as hook:
        hook.answers = [500]
        config.write_text(
            f'[alerts.mail]\nto = ["ida@quay.example"]\nhost = "127.0.0.1"\nport = {port}\n'
            f'[alerts.webhook]\nurl = "{hook.url("/hunter2")}"\n'
        )
        done = onrecord("alerts", "test")
        assert done.code == 3
        assert done.out == "sent     mail\nfailed   webhook: 127.0.0.1 answered 500\n"
        assert [line["sent"] for line in onrecord("--json", "alerts", "test").lines] == [True, True]
    assert letters.messages[0]["Subject"] == "onrecord: test: A test alert"
    config.write_text("[alerts.mail]\nto = 5\n")
    wrong = onrecord("alerts", "test")
    assert (wrong.code, wrong.err) == (2, "onrecord: alerts.mail.to cannot be understood: write a list of texts\n")
    config.write_text("[alerts]\nmial = 5\n")
    assert "alerts.mial is no setting; perhaps alerts.mail" in onrecord("alerts", "test").err


def test_a_run_says_that_its_list_was_made_for_another_store(scheduled: Command, tmp_path: Path) -> None:
    scheduled("watch", "add", "http://127.0.0.1:1/", "--every", "1d")
    path = Path(scheduled.env["HOME"]) / ".config" / "onrecord" / "watches.toml"
    assert f'stores = ["{scheduled.store}"]' in path.read_text()
    assert "was made for" not in scheduled("watch", "pause", "http://127.0.0.1:1/").err
    other = Command(str(tmp_path / "other"), scheduled.env)
    assert "was made for" not in scheduled("run").err
    for done in (other("run"), other("watch", "add", "http://127.0.0.1:2/", "--watches", str(path))):
        assert f"the watch list {path} was made for {scheduled.store}" in done.err
        assert f"captured into {other.store}" in done.err
    path.write_text(path.read_text().replace("stores = [", f'stores = ["{other.store}", '))
    assert "was made for" not in other("run").err
    path.write_text(path.read_text().replace("stores = [", "stores = [5, "))
    assert (other("run").code, "`stores` is a list of addresses" in other("run").err) == (2, True)


@pytest.mark.full
def test_doctor_names_the_runs_that_wait(scheduled: Command) -> None:
    root = Path(scheduled.env["HOME"]) / ".local" / "state" / "onrecord" / "spool"
    Spool(root, scheduled.store).create("20261123T172500Z-0123abcd", {}).close()
    (waiting,) = scheduled.spooled
    (spool,) = [line for line in scheduled("--json", "doctor").lines if line["check"] == "spool"]
    assert (
        f"waiting: {waiting.name} (0 captures): onrecord --store {scheduled.store} capture --resume" in spool["detail"]
    )


@pytest.mark.full
def test_a_proxy_that_nobody_chose_is_named_before_the_night(scheduled: Command) -> None:
    environment = {"HTTPS_PROXY": "http://127.0.0.1:9"}
    proxied = Command(scheduled.store, scheduled.env | environment)
    assert "at each run: HTTPS_PROXY is set" in proxied("schedule", "install", "--dry-run").err
    decided = Command(scheduled.store, scheduled.env | environment | {"ONRECORD_PROXY": "none"})
    assert "HTTPS_PROXY is set" not in decided("schedule", "install", "--dry-run").err
    found = {line["check"]: line for line in proxied("--json", "doctor").lines}
    assert found["proxy"]["state"] == "warning"


def test_a_time_that_clocks_skip_is_named(scheduled: Command) -> None:
    berlin = Command(scheduled.store, scheduled.env | {"TZ": "Europe/Berlin"})
    done = berlin("schedule", "install", "--systemd", "--calendar", "02:30", "--dry-run")
    assert (done.code, "02:30 is a time that clocks skip on 20" in done.err) == (0, True)
    assert "skip" not in berlin("schedule", "install", "--systemd", "--calendar", "04:30", "--dry-run").err


def test_doctor_names_what_would_stop_a_night_run(
    scheduled: Command, table: Path, tmp_path: Path, letters: Letters
) -> None:
    config = Path(scheduled.env["HOME"]) / ".config" / "onrecord" / "config.toml"
    config.parent.mkdir(parents=True)
    with smtp(letters) as port:
        config.write_text(
            f'[alerts]\nmetrics = "{tmp_path}/none/x.prom"\n'
            f'[alerts.mail]\nto = ["ida@quay.example"]\nhost = "127.0.0.1"\nport = {port}\n'
            '[alerts.slack]\nurl_file = "/nonexistent"\n[alerts.command]\nargv = ["/nonexistent"]\n'
        )
        assert scheduled("schedule", "install").code == 0
        found = {line["check"]: line for line in scheduled("--json", "doctor").lines}
    states = {name: found[name]["state"] for name in found if name.startswith("alerts")}
    assert states == {"alerts by mail": "ok", "alerts by slack": "warning", "alerts by command": "warning"}
    assert letters.messages == []
    assert found["metrics"]["state"] == "warning"
    assert found["clock"]["state"] == found["outbox"]["state"] == "ok"
    assert found["schedule"]["detail"].startswith("in the crontab")
    table.write_text(table.read_text().replace("/onrecord --store", "/onrecord-gone --store"))
    config.write_text("[alerts.mail]\nto = 5\n")
    done = scheduled("doctor")
    assert done.code == 2
    assert "failed   schedule: cron starts " in done.out
    assert "onrecord-gone, which is not there: schedule it again" in done.out
    assert "failed   alerts: alerts.mail.to cannot be understood" in done.out


def test_doctor_sees_a_clock_that_is_wrong(s3_bucket: str, tmp_path: Path) -> None:
    done = Command.at(s3_bucket, tmp_path / "home")("--json", "doctor")
    (clock,) = [line for line in done.lines if line["check"] == "clock"]
    assert clock["state"] == "ok"
    assert "the store's server" in clock["detail"]


def test_what_is_said_as_json_lines(onrecord: Command, tmp_path: Path) -> None:
    done = onrecord("--log-json", "capture", "not a url")
    entries = [json.loads(line) for line in done.err.splitlines()]
    assert any("invalid-url" in entry["message"] for entry in entries)
    assert all({"time", "level", "logger", "message"} <= set(entry) for entry in entries)
    missing = onrecord("--log-json", "get", "https://a.example/")
    (entry,) = [json.loads(line) for line in missing.err.splitlines()]
    assert (missing.code, entry["level"]) == (4, "error")
    log = tmp_path / "log"
    by_file = Command(onrecord.store, onrecord.env | {"ONRECORD_LOG_FILE": str(log)})
    plain = by_file("get", "https://a.example/")
    assert plain.err.startswith("onrecord: ")
    assert json.loads(log.read_text())["message"] == plain.err.removeprefix("onrecord: ").rstrip()
    by_setting = Command(onrecord.store, onrecord.env | {"ONRECORD_LOG_FORMAT": "json"})
    assert json.loads(by_setting("get", "https://a.example/").err)["level"] == "error"
    nowhere = Command(onrecord.store, onrecord.env | {"ONRECORD_LOG_FILE": str(tmp_path)})("get", "https://a.example/")
    assert (nowhere.code, "cannot be written" in nowhere.err) == (2, True)


@pytest.fixture
def letters() -> Letters:
    return Letters()
