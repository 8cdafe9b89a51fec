"""The crontab: one block is ours, every other byte is not."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.schedule.crontab import (
    block,
    environment,
    fields,
    installed,
    line,
    quoted,
    read,
    with_block,
    without_block,
)
from pipeline.schedule.job import Job, ScheduleError, differing, job_of, span, withheld

ODD = [
    *(
        "plain",
        "a b",
        "100%",
        "%",
        "%%",
        "a%b%c",
        "it's",
        "''",
        '"',
        '"a"',
        "$HOME",
        "`id`",
        "$(id)",
        "!x",
        "#",
        "~",
        "*",
    ),
    *(
        "\\",
        "\\\\",
        "\\\\\\",
        "\\%",
        "%\\",
        "\\\\%",
        "a\\b",
        "\\'",
        "'\\",
        "'%'",
        "%'\\%\\\\'",
        "ünï",
        "-x",
        "a;b",
        "a&b",
    ),
    *("s3://bucket/a%20b?endpoint=http://127.0.0.1:8333&region=x", "", " ", "=", "日本"),
]


def vixie(command: str) -> str:
    """What Debian's cron hands to the shell: a backslash before `%` goes, the rest after a bare `%` is stdin."""
    return _unescaped(command, "%")


def older(command: str) -> str:
    """What crons do that take the backslash from a backslash too."""
    return _unescaped(command, "%\\")


def busy(command: str) -> str:
    """What crons do that know no `%` at all."""
    return command


def _unescaped(command: str, taken: str) -> str:
    made, escaped = "", False
    for character in command:
        if escaped:
            made = (made[:-1] if character in taken else made) + character
            escaped = False
            continue
        if character == "%":
            raise AssertionError("what follows a bare % is stdin")
        escaped = character == "\\"
        made += character
    return made


@pytest.mark.parametrize("cron", [vixie, older, busy])
def test_odd_words_reach_the_program_as_they_are(cron: Callable[[str], str]) -> None:
    shell = cron(f"printf {quoted('[%s]')} " + " ".join(quoted(word) for word in ODD))
    done = subprocess.run(["/bin/sh", "-c", shell], capture_output=True, check=True)
    assert done.stdout.decode() == "".join(f"[{word}]" for word in ODD)


@given(st.text(st.sampled_from("a'\\% \"$"), max_size=12))
def test_any_word(word: str) -> None:
    for cron in (vixie, older, busy):
        assert shlex.split(cron(quoted(word))) == [word]


JOB = Job("0123abcd", "s3://b/p", ("/opt/on record/onrecord", "--store", "s3://b/p", "run"), (("PATH", "/bin:/100%"),))
OTHER = Job("89abcdef", "/srv/other", ("/opt/onrecord", "--store", "/srv/other", "run"))
WHEN = "7-59/15 * * * *"


def test_the_line_starts_it_with_what_it_needs() -> None:
    assert line(JOB, WHEN) == (
        f"{WHEN} /usr/bin/env PATH='/bin:/100'\\%'' '/opt/on record/onrecord' --store s3://b/p run"
    )
    assert line(Job("0123abcd", "s", ("/opt/onrecord", "x" * 984)), WHEN)
    with pytest.raises(ScheduleError, match="and cron takes 998"):
        line(Job("0123abcd", "s", ("/opt/onrecord", "x" * 985)), WHEN)


TABLES = [
    None,
    b"",
    b"\n",
    b"# mine\n5 4 * * * true\n",
    b"# mine\r\n5 4 * * * true\r\n",
    b"no newline at the end",
    b"MAILTO=ida\n\n\n# \xff\xfe not UTF-8\n* * * * * x \\r \x00\n\n",
    b"# >>> onrecording <<<\n",
]


@pytest.mark.parametrize("table", TABLES, ids=repr)
def test_removing_puts_back_every_byte(table: bytes | None) -> None:
    one = with_block(table, JOB, WHEN)
    assert (table or b"") in one
    assert one.count(b"onrecord 0123abcd") == 2
    assert with_block(one, JOB, WHEN) == one
    assert without_block(one, OTHER.key) == one
    assert without_block(one, JOB.key) == table
    both = with_block(one, OTHER, WHEN)
    assert [it.store for it in installed(both)] == ["s3://b/p", "/srv/other"]
    for first, second in ((JOB, OTHER), (OTHER, JOB)):
        assert without_block(without_block(both, first.key), second.key) == table
    changed = with_block(both, JOB, "1 2 3 4 5")
    assert changed == both.replace(WHEN.encode(), b"1 2 3 4 5", 1)
    after = one + b"# added later\n"
    joined = table if table is None or not table or table.endswith(b"\n") else table + b"\n"
    assert without_block(after, JOB.key) == (joined or b"") + b"# added later\n"


@given(st.binary(max_size=60).filter(lambda table: b">>> onrecord" not in table))
def test_removing_puts_back_any_bytes(table: bytes) -> None:
    assert without_block(with_block(table, JOB, WHEN), JOB.key) == table


def test_a_block_that_lost_its_end_is_not_guessed_at() -> None:
    table = with_block(b"", JOB, WHEN)
    broken = table.replace(b"# <<< onrecord", b"# onrecord") + b"5 4 * * * true\n"
    for act in (lambda: with_block(broken, JOB, WHEN), lambda: without_block(broken, JOB.key)):
        with pytest.raises(ScheduleError, match="has lost its end"):
            act()
    with pytest.raises(ScheduleError, match="has lost its end"):
        installed(broken + table)


def test_a_block_that_is_there_twice_becomes_one() -> None:
    twice = b"# a\n" + block(JOB, WHEN) + b"# b\n" + block(JOB, WHEN) + b"# c\n"
    assert with_block(twice, JOB, WHEN) == b"# a\n" + block(JOB, WHEN) + b"# b\n# c\n"
    assert without_block(twice, JOB.key) == b"# a\n# b\n# c\n"


@pytest.mark.parametrize(
    ("every", "wanted"),
    [
        ("1m", "* * * * *"),
        ("15m", "1-59/15 * * * *"),
        ("60m", "1 * * * *"),
        ("6h", "1 1-23/6 * * *"),
        ("1d", "1 1 * * *"),
    ],
)
def test_spans_as_fields(every: str, wanted: str) -> None:
    assert fields(span(every), None, "0000003d") == wanted


@pytest.mark.parametrize("every", ["7m", "0m", "45m", "5h", "2d", "15", "15s", "m", "-1h", "٣m", "1440h"])
def test_spans_that_no_clock_repeats(every: str) -> None:
    with pytest.raises(ScheduleError):
        fields(span(every), None, "00000000")


@pytest.mark.parametrize("calendar", ["20 6 * * mon-fri", "*/5 0-6 1,15 * *"])
def test_calendars(calendar: str) -> None:
    assert fields(None, calendar, "00000000") == calendar


@pytest.mark.parametrize(
    "calendar", ["", "6 * * *", "60 6 * * *", "* * * * * rm", "* * * *\n* x", "Mon 06:20", "@daily"]
)
def test_calendars_that_are_none(calendar: str) -> None:
    with pytest.raises(ScheduleError, match="write five fields"):
        fields(None, calendar, "00000000")


def test_a_job_has_the_environment_and_no_secret() -> None:
    environment = {
        "PATH": "/usr/bin",
        "HOME": "/home/ida",
        "ONRECORD_OPERATOR": "Law Clinic",
        "ONRECORD_STORE": "elsewhere",
        "ONRECORD_SMTP_PASSWORD": "hunter2",
        "ONRECORD_HEALTHCHECK": "https://hc.example/hunter2",
        "AWS_SECRET_ACCESS_KEY": "hunter2",
        "AWS_PROFILE": "archive",
        "XDG_STATE_HOME": "/srv/state",
        "SECRET": "hunter2",
    }
    job = job_of("s3://b", config=None, arguments=("run",), environment=environment, home="/home/ida")
    assert dict(job.environment) == {
        name: environment[name] for name in ("PATH", "ONRECORD_OPERATOR", "AWS_PROFILE", "XDG_STATE_HOME", "HOME")
    }
    homeless = job_of("s3://b", config=None, arguments=("run",), environment={}, home="/root")
    assert dict(homeless.environment) == {"HOME": "/root"}, "whatever HOME= the crontab says above the block"
    hints = " ".join(withheld(environment))
    assert "hunter2" not in hints
    for name in ("ONRECORD_SMTP_PASSWORD", "ONRECORD_HEALTHCHECK", "AWS_SECRET_ACCESS_KEY"):
        assert f"{name} is not written" in hints
    with pytest.raises(ScheduleError, match="control characters"):
        job_of("/a\nb", config=None, arguments=("run",), environment={}, home=None)
    other = job_of("s3://c", config=None, arguments=("run",), environment={}, home=None)
    assert other.key != job.key
    assert timedelta(minutes=90) == span("90m")


REACHES = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9000",
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9001",
    "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9002",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_CONFIG_FILE": "/srv/100%/config",
    "AWS_DEFAULT_PROFILE": "it's",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://169.254.169.254",
    "REQUESTS_CA_BUNDLE": "/srv/ca.pem",
    "HTTPS_PROXY": "http://proxy.example:3128",
    "no_proxy": "localhost,.example",
}
LEFT_OUT = {
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN": "hunter2",
    "AWS_BEARER_TOKEN_BEDROCK": "hunter2",
    "AWS_SECURITY_TOKEN": "hunter2",
    "AWS_ENDPOINT_URL_SSO": "https://ida:hunter2@sso.example/",
    "http_proxy": "http://ida:hunter2@proxy.example:3128",
    "ALL_PROXY": "ida:hunter2@proxy.example:3128",
    "ONRECORD_PROXY": "http://ida:hunter2@proxy.example:3128",
}


def test_the_way_to_the_store_goes_along_or_is_named() -> None:
    job = job_of("s3://b", config=None, arguments=("run",), environment=REACHES | LEFT_OUT, home="/home/ida")
    assert dict(job.environment) == REACHES | {"HOME": "/home/ida"}
    hints = withheld(REACHES | LEFT_OUT | {"AWS_PAGER": "less", "AWS_REGION": ""})
    assert [hint.partition(" is not written into the schedule: ")[0] for hint in hints] == sorted(LEFT_OUT)
    assert "hunter2" not in " ".join(hints)
    assert environment(line(job, "* * * * *")) == dict(job.environment)
    assert differing(REACHES | LEFT_OUT, dict(job.environment)) == []
    assert differing({"AWS_REGION": "a", "NO_PROXY": "x"}, {"AWS_REGION": "b", "AWS_CA_BUNDLE": "/c"}) == [
        "AWS_CA_BUNDLE is in the schedule and not set here",
        "AWS_REGION has another value in the schedule than here",
        "NO_PROXY is set here and not in the schedule",
    ]


@pytest.mark.parametrize(
    ("words", "code", "there_may_be_one"),
    [
        ("no crontab for ida", 1, False),
        ("crontab: no crontab for ida", 1, False),
        ("crontab: can't open 'root': No such file or directory", 1, False),
        ("crontab: can't open your crontab file.", 1, False),
        ("0481-103 Cannot open a file in the /var/spool/cron/crontabs directory.", 1, False),
        ("kein Crontab", 2, False),
        ("", 1, False),
        ("You (ida) are not allowed to use this program (crontab)", 1, True),
        ("crontab: can't open 'ida': Permission denied", 1, True),
        ("crontab: must be suid to work properly", 1, True),
        ("/var/spool/cron/crontabs/ida: Input/output error", 1, True),
        ("exec format error", 126, True),
    ],
)
def test_no_crontab_is_an_empty_one_whatever_the_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, code: int, there_may_be_one: bool
) -> None:
    program = tmp_path / "crontab"
    program.write_text(f"#!/bin/sh\nprintf %s {shlex.quote(words)} >&2\nexit {code}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    if there_may_be_one:
        with pytest.raises(ScheduleError, match="crontab -l: "):
            read()
    else:
        assert read() is None
