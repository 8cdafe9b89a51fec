"""`onrecord run` and `onrecord watch` as users and cron see them."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from pipeline.watch.watch_list import WatchError, load, parsed
from tests.command import Command
from tests.pipeline.alerts.conftest import hook_server
from tests.pipeline.watch.conftest import article, feed, gone
from tests.site import Handler, Site, Talk
from tests.torture.scale import count
from tests.waiting import wait_for

SETTINGS = "[capture]\nallow_private = true\ndelay = 0\ntimeout = 60\nrequisites = false\n"


@pytest.fixture
def onrecord(tmp_path: Path) -> Command:
    (tmp_path / "home/.config/onrecord").mkdir(parents=True)
    (tmp_path / "home/.config/onrecord/config.toml").write_text(SETTINGS)
    return Command.at(tmp_path / "store", tmp_path / "home")


def listed(onrecord: Command) -> list[dict[str, object]]:
    done = onrecord("--json", "watch", "list")
    assert done.code == 0
    return done.lines


def watch_list(onrecord: Command) -> Path:
    return Path(onrecord.env["HOME"]) / ".config/onrecord/watches.toml"


def test_a_run_is_quiet_and_captures_only_what_is_due(onrecord: Command, site: Site) -> None:
    site.answers |= {"/post": article("A post", "One."), "/entry": article("An entry", "Two.")}
    site.answers["/feed"] = feed(site, "/entry")
    assert onrecord("watch", "add", site.url("/post"), "--name", "The post", "--tag", "press").code == 0
    assert onrecord("watch", "add", site.url("/feed"), "--feed").code == 0
    assert [entry["state"] for entry in listed(onrecord)] == ["never captured", "never captured"]
    for _ in range(2):
        done = onrecord("run")
        assert (done.code, done.out, done.err) == (0, "", "")
    assert sorted(site.paths) == ["/entry", "/feed", "/post", "/robots.txt"]
    post, of_feed = listed(onrecord)
    assert (post["state"], post["name"], post["tags"]) == ("ok", "The post", ["press"])
    assert (of_feed["state"], of_feed["pages"]) == ("ok", 1)
    assert str(post["next"]) > str(post["last"])
    assert onrecord("verify", "--deep").code == 0


def test_a_state_that_is_lost_is_rebuilt_from_the_store(onrecord: Command, site: Site, tmp_path: Path) -> None:
    site.answers |= {"/post": article("A post", "One."), "/gone": gone(), "/feed": feed(site, "/post")}
    onrecord("watch", "add", site.url("/gone"))
    onrecord("watch", "add", site.url("/feed"), "--feed")
    assert onrecord("run").code == 0
    before = listed(onrecord)
    assert before[1]["pages"] == 1
    for path in (tmp_path / "home/.local/state/onrecord/watch").rglob("*.db*"):
        path.unlink()
    assert listed(onrecord) == before
    for path in (tmp_path / "home/.local/state/onrecord/watch").rglob("*.db"):
        path.write_bytes(b"SQLite format 3\0 and then nothing of the kind")
    assert listed(onrecord) == before
    requests = len(site.requests)
    assert onrecord("run").code == 0
    assert len(site.requests) == requests, "nothing is due"


@pytest.mark.full
def test_an_overlap_is_refused_and_nothing_queues_up(onrecord: Command, site: Site) -> None:
    released = asyncio.Event()
    site.answers["/slow"] = _held(released)
    onrecord("watch", "add", site.url("/slow"), "--option", "timeout=100")
    first = onrecord.start("run")
    wait_for(lambda: bool(site.requests))
    second = onrecord("run")
    assert (second.code, second.out) == (11, "")
    assert second.err == "onrecord: another run of this store has not ended; what is due waits for the next\n"
    site._loop.call_soon_threadsafe(released.set)
    assert first.wait(60) == 0
    assert len(site.requests) == 1
    assert onrecord("run").code == 0


@pytest.mark.full
def test_another_machine_that_runs_is_left_alone(onrecord: Command, site: Site, tmp_path: Path) -> None:
    released = asyncio.Event()
    site.answers["/slow"] = _held(released)
    other = Command(onrecord.store, onrecord.env | {"HOME": str(tmp_path / "other")})
    (tmp_path / "other").symlink_to(tmp_path / "home2")
    (tmp_path / "home2/.config").mkdir(parents=True)
    (tmp_path / "home2/.config/onrecord").symlink_to(tmp_path / "home/.config/onrecord")
    onrecord("watch", "add", site.url("/slow"), "--option", "timeout=100")
    first = onrecord.start("run")
    wait_for(lambda: bool(site.requests))
    second = other("-v", "run")
    assert (second.code, second.out) == (0, "")
    assert "another machine captures what is due" in second.err
    assert other("run").err == ""
    site._loop.call_soon_threadsafe(released.set)
    assert first.wait(60) == 0
    assert other("run").code == 0
    assert len(site.requests) == 1, "the other machine knows what was captured"


def test_what_cannot_be_reached_is_named_once_it_is_news(onrecord: Command) -> None:
    onrecord("watch", "add", "http://127.0.0.1:9/nothing")
    done = onrecord("run")
    assert done.code == 3
    assert done.err.startswith("onrecord: connect-failed: http://127.0.0.1:9/nothing: ")
    assert done.err.count("\n") == 1


WATCHES = count("WATCHES", 120, 1000)
LIMIT = 20 + WATCHES // 20  # seconds: what does not hang takes a fraction of them


@pytest.mark.full
@pytest.mark.torture
def test_a_run_ends_at_its_time_and_names_every_outcome(tmp_path: Path) -> None:
    """Of many watches on 97 hosts one in a hundred hangs, five fail; hosts that hang have pages that do not."""
    (tmp_path / "home/.config/onrecord").mkdir(parents=True)
    (tmp_path / "home/.config/onrecord/config.toml").write_text(SETTINGS.replace("timeout = 60", "timeout = 600"))
    onrecord = Command.at(tmp_path / "store", tmp_path / "home")
    never = asyncio.Event()
    with Site(host="0.0.0.0") as site:
        urls = []
        hanging, failing = set(), set()
        for number in range(WATCHES):
            path = f"/{number}"
            urls.append(site.url(path, host=f"127.0.0.{1 + number % 97}"))
            if number % 100 == 7:
                hanging.add(urls[-1])
                site.answers[path] = _held(never)
            elif number % 20 == 3:
                failing.add(urls[-1])
                site.answers[path] = gone("500 Server Error")
            else:
                site.answers[path] = article(f"Page {number}", "It is there.")
        watch_list(onrecord).write_text("".join(f'[[watch]]\npage = "{url}"\n' for url in urls))
        begun = time.monotonic()
        code, printed, peak = _measured(onrecord, "--json", "run", "--time-limit", f"{LIMIT}s")
        took = time.monotonic() - begun
    assert code == 3
    outcomes = {entry["url"]: entry["outcome"] for entry in map(json.loads, printed) if "outcome" in entry}
    assert set(outcomes) == set(urls)
    late = {url for url, name in outcomes.items() if name == "out-of-time"}
    assert late >= hanging
    assert len(late) < WATCHES // 2, "what hangs keeps nothing else waiting"
    assert {url for url, name in outcomes.items() if name == "http-error"} == failing - late
    assert {url for url, name in outcomes.items() if name == "ok"} == set(urls) - failing - late
    assert LIMIT - 1 <= took < LIMIT + 200, "it waits for what hangs, and not for its patience of 600 s"
    assert peak <= 600_000, "kB of the process"
    counts = Counter(outcomes.values())
    print(f"{WATCHES:,} watches in {took:.1f} s, time limit {LIMIT} s, {peak / 1000:.0f} MB, {dict(counts)}")
    stored = next(Path(onrecord.store).glob("runs/*/logs/outcomes.jsonl")).read_text()
    assert stored.count('"out-of-time"') == len(late)


# A process begins with the peak of the one that forked it, and a worker of the tests is large: a small one forks it.
MEASURED = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(usage.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def _measured(onrecord: Command, *arguments: str) -> tuple[int, list[str], int]:
    """How a command ended, its lines, and the kB that its process, or one that it waited for, had of memory at most."""
    argv = [sys.executable, "-c", MEASURED, *onrecord.argv(*arguments)]
    done = subprocess.run(argv, env=onrecord.env, capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines(), int(done.stderr)


@pytest.mark.full
def test_a_page_that_disappears_is_told_by_webhook_once(onrecord: Command, site: Site, tmp_path: Path) -> None:
    """Captures by hand count as well: the past is made of them."""
    settings = Path(onrecord.env["HOME"]) / ".config/onrecord/config.toml"
    with hook_server() as hook:
        metrics = tmp_path / "prom"
        settings.write_text(f'{SETTINGS}[alerts]\nmetrics = "{metrics}"\n[alerts.webhook]\nurl = "{hook.url()}"\n')
        site.answers["/post"] = article("A post", "It was there.")
        onrecord("watch", "add", site.url("/post"), "--every", "10m")
        for ago, answer in ((60, article("A post", "It was there.")), (30, gone()), (15, gone())):
            site.answers["/post"] = answer
            _run_ago(onrecord, ago)
        assert onrecord("run").code == 0
    ((_, _, body),) = hook.requests
    (event,) = json.loads(body)["events"]
    assert (event["kind"], event["url"], event["before"], event["after"]) == ("gone", site.url("/post"), "ok", "gone")
    assert len(event["records"]) == 2
    assert "onrecord_run_exit_code 0.0" in metrics.read_text()
    gone_now = onrecord("status", "--gone")
    assert gone_now.out.startswith("gone         since 20")
    assert "410 Gone" in gone_now.out


REHEARSED = """
import sys
from datetime import timedelta
from archive import times
times.rehearse(timedelta(minutes=-int(sys.argv.pop(1))))
from dataclasses import replace
from pipeline.cli import capture_options as options
made = options.capture_options
# the fetching process has its own clock
options.capture_options = lambda given, **more: replace(made(given, **more), apart=False)
from pipeline.cli.main import main
main()
"""


def _run_ago(onrecord: Command, minutes: int) -> None:
    argv = onrecord.argv("run")
    argv[3] = REHEARSED
    done = subprocess.run([*argv[:4], str(minutes), *argv[4:]], env=onrecord.env, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_a_store_out_of_reach_keeps_captures_in_the_spool(onrecord: Command, site: Site) -> None:
    site.answers["/post"] = article("A post", "One.")
    unreachable = Command(
        "s3://bucket/x?endpoint=http://127.0.0.1:9&path_style=true",
        onrecord.env | {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_MAX_ATTEMPTS": "1"},
    )
    onrecord("watch", "add", site.url("/post"), "--every", "10m")
    done = unreachable("run")
    assert done.code == 10
    assert "waits in the spool" in done.err
    assert len(unreachable.spooled) == 1


# The list


def test_comments_in_the_watch_list_survive(onrecord: Command) -> None:
    path = watch_list(onrecord)
    path.write_text(
        '# mine\n[[watch]]  # why\npage = "https://a.example/"   # odd   spacing\nevery = "2h"\n\n# the end\n'
    )
    before = path.read_text()
    assert onrecord("watch", "add", "https://b.example/feed", "--feed", "--option", "depth=1", "--tag", "x").code == 0
    assert path.read_text().startswith(before.rstrip())
    assert onrecord("watch", "pause", "https://a.example/").code == 0
    assert "# odd   spacing" in path.read_text()
    assert "paused = true" in path.read_text()
    assert [entry["state"] for entry in listed(onrecord)] == ["paused", "never captured"]
    assert onrecord("watch", "pause", "--resume", "https://a.example/").code == 0
    assert onrecord("watch", "remove", "https://b.example/feed").code == 0
    assert path.read_text().rstrip() == before.rstrip()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[watch]]\n", "watch 1: name one of page, feed, sitemap, site, with its URL"),
        ('[[watch]]\npage = "https://a.example/"\nfeed = "https://a.example/f"\n', "watch 1: name one of page, feed"),
        ('[[watch]]\npage = "ftp://a.example/"\n', "watch 1: 'ftp://a.example/'"),
        ('[[watch]]\npage = "https://a.example/"\nevery = "soon"\n', "'soon' is no span of time; write 15m"),
        ('[[watch]]\npage = "https://a.example/"\nevery = "5s"\n', "a span is 1m at least"),
        ('[[watch]]\npage = "https://a.example/"\ncron = "x"\n', "'x' is no cron expression"),
        ('[[watch]]\npage = "https://a.example/"\ncron = "1 1 * * *"\nevery = "1h"\n', "two answers to one question"),
        ('[[watch]]\npage = "https://a.example/"\ndecay = ["1h", "15m"]\n', "grow from one to the next"),
        ('[[watch]]\npage = "https://a.example/"\ntags = "x"\n', "`tags` is a list of texts"),
        ('[[watch]]\npage = "https://a.example/"\npaused = 1\n', "`paused` is true or false"),
        (
            '[[watch]]\npage = "https://a.example/"\nurl = "x"\n',
            "'url' is no key; known are also, confirm, confirmations",
        ),
        ('[[watch]]\npage = "https://a.example/"\n[watch.options]\nforce = true\n', "`options.force` is no option"),
        ('[[watch]]\npage = "https://a.example/"\n' * 2, "watch 2: https://a.example/ is watched already"),
        ('[[watch]]\npage = "https://a.example/"\nevery = "1h"\ndecay = true\n', "write one"),
        ("[watch", "is no TOML"),
        ("every = 1\n", "'every' is no setting of a watch list"),
    ],
)
def test_a_watch_list_that_cannot_be_understood_is_told_in_one_line(text: str, said: str) -> None:
    with pytest.raises(WatchError) as told:
        parsed(text, "here")
    assert said in str(told.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[watch]]\npage = "https://a.example/"\n[watch.options]\nscope = "galaxy"\n', "scope"),
        ("[watch", "is no TOML"),
        ("", "nothing is watched in"),
    ],
)
def test_a_run_without_a_good_watch_list_fails_and_says_so(onrecord: Command, text: str, said: str) -> None:
    with hook_server() as hook:
        settings = Path(onrecord.env["HOME"]) / ".config/onrecord/config.toml"
        monitor = f'[alerts]\nhealthcheck = "{hook.url("/monitor")}"\n[alerts.webhook]\nurl = "{hook.url("/hook")}"\n'
        settings.write_text(SETTINGS + monitor)
        watch_list(onrecord).write_text(text)
        done = onrecord("run")
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1
    assert not list(Path(onrecord.store).glob("runs/*")), "nothing was captured"
    asked = [path for path, _, _ in hook.requests]
    assert asked[-1] == "/monitor/fail"
    assert "/hook" in asked


def test_what_is_added_is_checked_first_and_changes_do_not_meet(onrecord: Command) -> None:
    url = "https://a.example/"
    assert onrecord("watch", "add", url).code == 0
    again = onrecord("watch", "add", url)
    assert (again.code, again.err) == (
        2, f"onrecord: {url} is watched already; to change how, edit {watch_list(onrecord)}\n",
    )  # fmt: skip
    both = onrecord("watch", "add", "https://b.example/", "--every", "1h", "--decay")
    assert (both.code, both.err.startswith("onrecord: `decay` says when")) == (2, True)
    assert "with the tag nope is watched" in onrecord("watch", "list", "--tag", "nope").err
    adding = [onrecord.start("watch", "add", f"https://c.example/{number}") for number in range(6)]
    assert [each.wait(60) for each in adding] == [0] * 6
    assert len(load(watch_list(onrecord))) == 7


def test_watches_that_are_not_there_cannot_be_removed(onrecord: Command) -> None:
    done = onrecord("watch", "remove", "https://a.example/")
    assert done.code == 2
    assert "is not watched in" in done.err
    assert onrecord("watch", "add", "https://a.example/", "--option", "speed=9").code == 2
    assert onrecord("watch", "add", "nonsense").code == 2
    assert not watch_list(onrecord).exists() or "nonsense" not in watch_list(onrecord).read_text()


def _held(released: asyncio.Event) -> Handler:
    async def handle(talk: Talk) -> None:
        await released.wait()
        await talk.send(article("A slow page", "It came at last."))

    return handle
