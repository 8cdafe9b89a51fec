"""The commands as a user meets them: what they print, where, and how they end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from pipeline.cli.exit_codes import EXIT_CODES
from pipeline.cli.main import COMMANDS, GROUPS
from tests.command import Command
from tests.pipeline.cli.conftest import post
from tests.site import ODD, Site, a_byte_at_a_time, answer, empty_reply, endless_header, gzip_bomb, redirect

FIELDS = [
    *("url", "outcome", "timestamp", "status", "mime", "digest", "revisit", "record_id", "key", "offset", "length"),
    *("title", "error"),
]
ROOT = Path(__file__).parents[3]
README = ROOT / "README.md"
READMES = [README, *(ROOT / room / "README.md" for room in ("storage", "archive", "pipeline", "tests"))]


def test_capture_then_get(onrecord: Command, site: Site) -> None:
    done = onrecord.capture(site.url("/post"), site.url("/other"))
    assert done.code == 0
    by_url = {line["url"]: line for line in done.lines}
    assert len(by_url) == 2
    line = by_url[site.url("/post")]
    assert list(line)[: len(FIELDS)] == FIELDS
    assert (line["status"], line["outcome"], line["title"], line["error"]) == (200, "ok", "A post", None)
    text = onrecord("get", site.url("/post"))
    [when] = text.err.splitlines()
    assert (text.code, when.endswith("Z; no later change is known")) == (0, True)
    assert text.out.startswith("A post\nThe first version of it.")
    raw = onrecord("get", site.url("/post"), "--format", "raw").out.encode()
    assert raw == site.answers["/post"]
    html = onrecord("get", site.url("/post"), "--format", "html").out
    assert raw.endswith(html.encode())
    record = onrecord("get", site.url("/post"), "--format", "record").out
    assert record.startswith("WARC/1.1\r\nWARC-Type: response\r\nWARC-Record-ID: " + line["record_id"])
    assert "# A post" in onrecord("get", site.url("/post"), "--format", "markdown").out
    (document,) = onrecord("--json", "get", site.url("/post")).lines
    assert (document["record_id"], document["payload_digest"]) == (line["record_id"], line["digest"])
    assert (document["key"], document["offset"]) == (line["key"], line["offset"])
    assert document["extractor"].startswith("trafilatura ")


def test_redirects_lead_to_the_page_in_the_archive_too(onrecord: Command, site: Site) -> None:
    (line,) = onrecord.capture(site.url("/moved")).lines
    assert (line["url"], line["final_url"], line["status"]) == (site.url("/moved"), site.url("/post"), 200)
    assert "first version" in onrecord("get", site.url("/moved")).out
    assert f"-> {site.url('/post')}" in onrecord("snapshots", site.url("/moved")).out


def test_what_changed_and_what_did_not(onrecord: Command, site: Site) -> None:
    assert onrecord.capture(site.url("/post"), site.url("/other")).code == 0
    onrecord.next_second()
    site.answers["/post"] = post("A post", "The second version of it.")
    second = onrecord.capture(site.url("/post"), site.url("/other"))
    assert {line["url"]: line["revisit"] for line in second.lines} == {
        site.url("/post"): False,
        site.url("/other"): True,
    }
    listed = onrecord("--json", "snapshots", site.url("/post")).lines
    assert [line["revisit"] for line in listed] == [False, False]
    assert "first version" in onrecord("get", site.url("/post"), "--at", listed[0]["timestamp"]).out
    assert "second version" in onrecord("get", site.url("/post")).out
    assert "Something else" in onrecord("get", site.url("/other")).out
    forced = onrecord.capture(site.url("/other"), extra=("--force",))
    assert [line["revisit"] for line in forced.lines] == [False]
    verified = onrecord("verify", "--deep")
    assert (verified.code, "0 faults" in verified.err) == (0, True)


@pytest.mark.full
def test_a_second_run_of_the_same_pages_starts_no_extractor(onrecord: Command, site: Site, tmp_path: Path) -> None:
    assert onrecord.capture(site.url("/post")).code == 0
    (tmp_path / "trafilatura").mkdir()
    (tmp_path / "trafilatura" / "__init__.py").write_text("raise SystemExit('an extractor was started')")
    without = Command(onrecord.store, onrecord.env | {"PYTHONPATH": str(tmp_path)})
    again = without.capture(site.url("/post"))
    assert (again.code, again.lines[0]["revisit"], again.lines[0]["title"]) == (0, True, "A post")
    fresh = without.capture(site.url("/other"))
    assert fresh.lines[0]["outcome"].startswith("extract")


def test_tombstones_are_kept_and_never_hide_a_good_snapshot(onrecord: Command, site: Site) -> None:
    onrecord.capture(site.url("/post"))
    onrecord.next_second()
    site.answers["/post"] = answer(b"<h1>Gone</h1>", status="410 Gone")
    gone = onrecord.capture(site.url("/post"))
    assert (gone.code, gone.lines[0]["outcome"], gone.lines[0]["error"]) == (3, "http-error", "410 Gone")
    assert "first version" in onrecord("get", site.url("/post")).out
    last = onrecord("get", site.url("/post"), "--at", "now")
    assert (last.code, "has no text" in last.err) == (4, True)
    assert "<h1>Gone</h1>" in onrecord("get", site.url("/post"), "--at", "now", "--format", "html").out


BAD_URLS = {
    "ftp://example.org/file": "unsupported-scheme",
    "file:///etc/passwd": "unsupported-scheme",
    "http://169.254.169.254/latest/meta-data/": "refused-address",
    "http://localhost/": "refused-address",
    "http://127.0.0.1:1/": "refused-address",
    "http://example.org/\tx": "invalid-url",
    "http://no-such-host.invalid/": "dns-failure",
}


def test_bad_urls_are_named_in_one_line_each(onrecord: Command) -> None:
    done = onrecord("capture", "", "http://example.org/a\r\nHost: b/", *BAD_URLS)
    assert done.code == 3
    lines = [line for line in done.err.splitlines() if line.startswith("---")]
    assert len(lines) == 2 + len(BAD_URLS)
    for url, name in BAD_URLS.items():
        assert any(name in line and url.replace("\t", "\\t") in line for line in lines), url
    assert sum("invalid-url" in line for line in lines) == 3
    assert "Traceback" not in done.err


@pytest.mark.full
def test_misbehaving_servers_are_named_and_the_rest_of_the_run_is_unharmed(onrecord: Command, site: Site) -> None:
    site.answers |= {
        "/bomb": gzip_bomb(512 << 20),
        "/endless": endless_header,
        "/slow": a_byte_at_a_time,
        "/loop": redirect("/loop"),
        "/crlf": b"HTTP/1.1 302 Found\r\nLocation: http://a\x0b/\r\nContent-Length: 0\r\n\r\n",
        "/smtp": b"220 mail ready\r\n",
        "/empty": empty_reply,
        "/inner": redirect("file:///etc/passwd"),
        "/bare-lf": ODD["/bare-lf"],
    }
    expected = {
        "/bomb": "decoded-too-large",
        "/endless": "header-too-large",
        "/slow": "timeout",
        "/loop": "redirect-loop",
        "/crlf": "invalid-url",
        "/smtp": "not-http",
        "/empty": "empty-reply",
        "/inner": "unsupported-scheme",
        "/bare-lf": "ok",
        "/post": "ok",
    }
    done = onrecord.capture(*(site.url(path) for path in expected if path != "/slow"))
    slow = onrecord.capture(site.url("/slow"), extra=("--deadline", "2"))  # for it alone: others may take longer
    assert (done.code, slow.code) == (3, 3)
    found = {line["url"].removeprefix(site.url("")): line for line in done.lines + slow.lines}
    assert {path: line["outcome"] for path, line in found.items()} == expected
    for path, line in found.items():
        assert (line["error"] is None) == (line["outcome"] == "ok"), path
        assert "\n" not in (line["error"] or "")
    assert found["/bomb"]["record_id"]
    assert "first version" in onrecord("get", site.url("/post")).out
    assert onrecord("verify", "--deep").code == 0


def test_an_input_list_may_hold_comments_and_repeats(onrecord: Command, site: Site) -> None:
    done = onrecord.capture("# a list", "", site.url("/post"), f"  {site.url('/post')}  ")
    assert (done.code, len(done.lines)) == (0, 1)


def test_lines_for_people_go_apart_from_json(onrecord: Command, site: Site) -> None:
    plain = onrecord.capture(site.url("/post"), json_lines=False)
    assert plain.out.startswith("200 new")
    assert "1 capture" in plain.err
    assert "\x1b" not in plain.out + plain.err
    quiet = Command(onrecord.store, onrecord.env)("-q", "capture", "--allow-private", site.url("/post"))
    assert (quiet.out, quiet.err) == ("", "")


def test_titles_and_urls_cannot_steer_a_terminal(onrecord: Command, site: Site) -> None:
    site.answers["/evil"] = post("Evil \x1b]0;owned\x07 \u202etitle", "Text \x1b[2Jwith controls.")
    done = onrecord.capture(site.url("/evil"), json_lines=False)
    shown = done.out + onrecord("snapshots", site.url("/evil")).out + onrecord("get", site.url("/evil")).out
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "\u202e" not in done.out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["get", "http://example.org/"], 10, "capture something into it first"),
        (["snapshots", "http://example.org/"], 10, "capture something into it first"),
        (["verify"], 10, "capture something into it first"),
        (["capture"], 2, "name a URL"),
        (["get", "http://example.org/", "--at", "tomorrowish"], 2, "20261123172500"),
        (["capture", "--max-size", "much", "http://x/"], 2, "is no size"),
        (["frobnicate"], 2, "no command 'frobnicate'"),
        (["--config", "/no/such/file", "verify"], 2, "no configuration file"),
        (["get"], 2, "Missing argument"),
        (["--config", "/", "verify"], 2, "/ cannot be read: Is a directory; see"),
        (["gc", "--older-than", "1h"], 2, "a span is 2d at least"),
        (["verify", "--checkpoint", str(README)], 10, "capture something into it first"),
    ],
)
def test_wrong_calls_end_in_one_line(onrecord: Command, arguments: list[str], code: int, words: str) -> None:
    done = onrecord(*arguments)
    assert (done.code, done.out) == (code, "")
    assert words in done.err
    assert len(done.err.splitlines()) == 1
    assert done.err.startswith("onrecord: ")


@pytest.mark.parametrize("group", ["watch", "evidence", "schedule", "withhold", "embargo", "alerts"])
def test_a_group_without_a_command_shows_its_help(onrecord: Command, group: str) -> None:
    done = onrecord(group)
    assert (done.code, done.out) == (2, "")
    assert done.err == onrecord(group, "--help").out


def test_a_store_that_lost_its_description_is_not_called_empty(onrecord: Command, site: Site) -> None:
    onrecord.capture(site.url("/post"))
    (Path(onrecord.store) / "onrecord.json").unlink()
    done = onrecord("status")
    assert (done.code, "onrecord.json is missing" in done.err, "onrecord repair" in done.err) == (5, True, True)


def test_nothing_kept_ends_with_four(onrecord: Command, site: Site) -> None:
    onrecord.capture(site.url("/post"))
    done = onrecord("get", site.url("/never"))
    assert (done.code, "onrecord capture" in done.err) == (4, True)
    done = onrecord("snapshots", site.url("/post"), "--to", "2001")
    assert (done.code, "in that span" in done.err) == (4, True)
    assert "in that span" not in onrecord("snapshots", site.url("/never")).err


def test_a_damaged_archive_ends_with_five(onrecord: Command, site: Site) -> None:
    onrecord.capture(site.url("/post"))
    (warc,) = Path(onrecord.store).glob("runs/*/archive/*.warc.gz")
    data = bytearray(warc.read_bytes())
    data[len(data) // 2] ^= 1
    warc.write_bytes(bytes(data))
    verified = onrecord("verify", "--deep")
    assert verified.code == 5
    assert "its hash differs" in verified.err


@pytest.mark.parametrize("location", ["gopher://x", "s3://", "s3://user:pass@bucket", "s3://bucket?colour=red"])
def test_bad_store_addresses_end_with_two(location: str, tmp_path: Path) -> None:
    done = Command.at(location, tmp_path)("verify")
    assert done.code == 2
    assert len(done.err.splitlines()) == 1
    assert "pass" not in done.err.replace("pass it", "")


def test_an_interrupted_run_keeps_what_it_acknowledged(onrecord: Command, site: Site) -> None:
    async def wait(talk: object) -> None:
        import asyncio

        await asyncio.sleep(3600)

    site.answers["/hang"] = wait
    urls = [site.url("/post"), site.url("/hang")]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs ignore it, and hand that on
    try:
        running = onrecord.start("--json", "capture", "--allow-private", "--delay", "0", *urls)
    finally:
        signal.signal(signal.SIGINT, before)
    assert running.stdout is not None
    first = json.loads(running.stdout.readline())
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "published by the next invocation" in err
    assert "Traceback" not in err
    assert onrecord("snapshots", first["url"]).code in {4, 10}
    resume = f"onrecord --store {onrecord.store} capture --resume"
    assert f"not reached; to fetch them: {resume}" in err
    asked = onrecord("get", first["url"])
    assert "waits in the spool with" in asked.err
    assert f"this URL among them; to publish it: {resume}" in asked.err
    assert f"not reached; to fetch them: {resume}" in onrecord("status").err
    site.answers["/hang"] = site.answers["/other"]
    assert onrecord("capture", "--resume", site.url("/post")).code == 2
    after = onrecord("--json", "capture", "--resume")
    assert "published run" in after.err
    assert site.url("/hang") in {line["url"] for line in after.lines if line["outcome"] == "ok"}
    assert site.url("/post") not in {line["url"] for line in after.lines}
    assert "first version" in onrecord("get", first["url"]).out
    assert onrecord("status").err == ""
    assert "nothing is left to fetch" in onrecord("capture", "--resume").err


@pytest.mark.full
def test_settings_by_rank(tmp_path: Path, site: Site) -> None:
    home = tmp_path / "home"
    config = home / ".config" / "onrecord" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('store = "FILE"\n[capture]\nallow_private = true\nuser_agent = "from-file/1"\ndelay = 0\n')
    base = Command.at("", home)

    def run(*flags: str, **env: str) -> subprocess.CompletedProcess[str]:
        argv = [word for word in base.argv() if word not in {"--store", ""}]
        command = [*argv, *flags, "capture", site.url("/post")]
        return subprocess.run(command, env=base.env | env, capture_output=True, text=True, cwd=tmp_path)

    assert run().returncode == 0
    assert (tmp_path / "FILE" / "onrecord.json").exists()
    assert b"User-Agent: from-file/1\r\n" in site.raw_requests[-1]
    assert run(ONRECORD_STORE="ENV", ONRECORD_USER_AGENT="from-env/1").returncode == 0
    assert (tmp_path / "ENV").exists()
    assert b"User-Agent: from-env/1\r\n" in site.raw_requests[-1]
    assert run("--store", "FLAG", ONRECORD_STORE="ENV2").returncode == 0
    assert (tmp_path / "FLAG").exists()
    assert not (tmp_path / "ENV2").exists()
    unknown = run(ONRECORD_COLOUR="red")
    assert (unknown.returncode, "ONRECORD_COLOUR is no setting" in unknown.stderr) == (2, True)
    config.write_text("[capture]\ncolour = 'red'\n")
    assert (run().returncode, "capture.colour is no setting" in run().stderr) == (2, True)
    config.write_text("store = [broken")
    assert run().returncode == 2


def test_doctor(onrecord: Command, tmp_path: Path) -> None:
    done = onrecord("doctor")
    assert done.code == 0
    checks = {line["check"]: line["state"] for line in onrecord("--json", "doctor").lines}
    assert checks["store"] == checks["extractor"] == checks["spool"] == "ok"
    assert list(Path(onrecord.store).rglob("onrecord-doctor*")) == []
    (tmp_path / "in-the-way").write_text("a file")
    bad = Command.at(tmp_path / "in-the-way", tmp_path / "home")("doctor")
    assert bad.code == 10
    assert "failed   store" in bad.out


def test_output_goes_whole_to_a_file_or_not_at_all(onrecord: Command, site: Site, tmp_path: Path) -> None:
    onrecord.capture(site.url("/post"))
    target = tmp_path / "page.html"
    assert onrecord("get", site.url("/post"), "--format", "html", "-o", str(target)).code == 0
    assert "first version" in target.read_text()
    missing = tmp_path / "none" / "page.html"
    done = onrecord("get", site.url("/post"), "-o", str(missing))
    assert (done.code, missing.exists()) == (2, False)


def test_help_lists_every_command_and_exit_code(onrecord: Command) -> None:
    text = " ".join(onrecord("--help").out.split())
    for name, (_, line) in COMMANDS.items():
        assert f"{name} {line}" in text
    for code, meaning in EXIT_CODES.items():
        assert f"{code} {meaning}" in text
    for name in COMMANDS:
        assert onrecord(name, "--help").code == 0


def test_help_explains_each_topic_and_has_every_command_in_one_group(onrecord: Command) -> None:
    from pipeline.capture.http.failures import MEANINGS
    from pipeline.cli.glossary import TERMS

    assert sorted(name for names in GROUPS.values() for name in names) == sorted(COMMANDS)
    assert len(TERMS) <= 30
    for topic, table in (("terms", TERMS), ("outcomes", MEANINGS), ("exit-codes", EXIT_CODES)):
        text = " ".join(onrecord("help", topic).out.split())
        assert all(f"{name} {meaning}" in text for name, meaning in table.items()), topic
    assert "ONRECORD_MAX_SIZE" in onrecord("help", "settings").out
    assert onrecord("help", "nothing").code == 2
    readme = (ROOT / "archive/README.md").read_text()
    assert all(f"| {term} | {meaning.partition(': see')[0]}" in readme for term, meaning in TERMS.items())


OTHERS = {
    "--strict",
    "--bind",
    "--directory",
    "--data",
    "--loud",
    "--unpack-wacz",
}  # of other programs, and of an alert


def _options(command: click.Command) -> Iterator[str]:
    for parameter in command.params:
        yield from (option for option in (*parameter.opts, *parameter.secondary_opts) if option.startswith("--"))
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            yield from _options(inner)


def test_the_readmes_name_every_command_option_and_exit_code_and_no_other() -> None:
    import importlib

    from pipeline.cli.main import cli

    texts = {path: path.read_text() for path in READMES}
    readme = "\n".join(texts.values())
    common = {"--help", *(option for parameter in cli.params for option in parameter.opts)}
    known = set(common)
    for name, (module, _) in COMMANDS.items():
        assert f"onrecord {name}" in readme, name
        known |= (options := set(_options(importlib.import_module(module).command)))
        assert not [option for option in sorted(options - common) if option not in readme], name
    named = set(re.findall(r"(?<![-\w])--[a-z][-a-z]+", readme))
    assert named - known - OTHERS == set()
    codes = "".join(f"| {code} | {meaning} |\n" for code, meaning in EXIT_CODES.items())
    assert f"| exit code | meaning |\n|---|---|\n{codes}\n" in texts[ROOT / "pipeline/README.md"]


HEAVY = {
    *(
        "asyncio",
        "boto3",
        "botocore",
        "charset_normalizer",
        "h11",
        "idna",
        "isal",
        "lxml",
        "multiprocessing",
        "platformdirs",
    ),
    *(
        "rich",
        "ssl",
        "trafilatura",
        "urllib.request",
        "warcio",
        "archive",
        "storage.s3",
        "storage.local",
        "pipeline.ingest.capture_run",
    ),
}


def test_help_loads_no_heavy_module() -> None:
    code = (
        "import sys\nfrom pipeline.cli.main import main\ntry:\n    main(['--help'])\nexcept SystemExit as end:\n"
        "    assert not end.code\nprint('LOADED', *sys.modules)"
    )
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, env=env)
    loaded = set(done.stdout.partition("LOADED ")[2].split())
    assert "click" in loaded
    assert loaded & HEAVY == set()


def test_the_readme_has_the_table_of_outcomes() -> None:
    from pipeline.capture.http.failures import MEANINGS

    table = "".join(f"| `{name}` | {meaning} |\n" for name, meaning in MEANINGS.items())
    assert f"| outcome | meaning |\n|---|---|\n{table}\n" in (ROOT / "pipeline/README.md").read_text()


def test_output_that_cannot_be_written_ends_in_one_line(onrecord: Command, site: Site) -> None:
    onrecord.capture(site.url("/post"))
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            onrecord.argv("get", site.url("/post")), env=onrecord.env, stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 2
    assert done.stderr.decode().splitlines()[1].startswith("onrecord: the output: No space left")
    assert b"Traceback" not in done.stderr
    reading = subprocess.Popen(onrecord.argv("get", site.url("/post")), env=onrecord.env, stdout=subprocess.PIPE)
    assert reading.stdout is not None
    reading.stdout.close()
    assert reading.wait() == 0


@pytest.mark.full
def test_a_wall_or_a_soft_404_never_passes_for_the_article(onrecord: Command, site: Site) -> None:
    assert onrecord.capture(site.url("/post")).code == 0
    onrecord.next_second()
    site.answers["/post"] = answer(
        b"<html><head><title>Page not found</title></head><body><h1>404 - Page not found</h1>"
        b"<p>Sorry, the page you are looking for does not exist.</p></body></html>"
    )
    gone = onrecord.capture(site.url("/post"))
    assert (gone.code, gone.lines[0]["outcome"], gone.lines[0]["status"]) == (3, "soft-404", 200)
    onrecord.next_second()
    site.answers["/post"] = answer(
        b"<html><head><title>A post</title><script type='application/ld+json'>"
        b'{"@context": "https://schema.org", "@type": "NewsArticle", "isAccessibleForFree": false}</script></head>'
        b"<body><article><h1>A post</h1><p>The first version of it, but only how it begins.</p>"
        b"<p>Subscribe to continue reading this article.</p></article></body></html>"
    )
    assert onrecord.capture(site.url("/post")).lines[0]["outcome"] == "paywalled"
    assert "second paragraph says the same" in onrecord("get", site.url("/post")).out
    listed = onrecord("--json", "snapshots", site.url("/post")).lines
    assert [line["state"] for line in listed] == ["new", "soft-404", "paywalled"]
    site.answers["/only"] = site.answers["/post"]
    onrecord.capture(site.url("/only"))
    assert "how it begins" in onrecord("get", site.url("/only")).out, "a wall is better than nothing"


def test_a_page_of_a_dead_page_builder_comes_out_readable_with_its_evidence(onrecord: Command, site: Site) -> None:
    site.answers["/evidence.pdf"] = answer(b"%PDF-1.4 evidence", kind="application/pdf")
    site.answers["/frame"] = answer(b"<title>A frame</title><p>Framed.</p>")
    page = (
        f"""<html><head><title>Roe v Ferrymen</title></head><body><article>
<p>[av_heading heading=’Roe v Ferrymen’ tag=’h3′ link_apply=” link=’manually,http://’ style=’blockquote’ size=”
av_uid=’av-1′][/av_heading]</p>
<p>[av_hr class=’short’ height=’50’ shadow=’no-shadow’ position=’center’ av_uid=’av-2′]</p>
<p>[av_textblock size=” font_color=” color=” av_uid=’av-3′]<br />
The ferrymen say that “[t]he quay was never theirs” [sic], and cite [2019] HCQ 5; the clerk adds
[emphasis added] twice.</p>
<p>Their boats were used by <a href="/other">the Harbour Guild</a> (as well as by thousands of others), which is why the
guild is named beside them in a suit that will not end this year, nor the next [1].</p>
<p>[/av_textblock]</p>
<p>[scribd id=403337367 key=key-abcdefghijklmnop mode=scroll]</p>
<p>[pdf-embedder url=”{site.url("/evidence.pdf")}”]</p><iframe src="/frame"></iframe>
<p>Whoever reads the claims will find that they name a key witness, and that she has since moved abroad for good.</p>
</article></body></html>"""
    ).encode()
    site.answers["/broken"] = answer(page)
    assert onrecord.capture(site.url("/broken")).code == 0
    (document,) = onrecord("--json", "get", site.url("/broken")).lines
    text = " ".join(document["text"].split())
    assert text.count("Roe v Ferrymen") >= 1
    for words in (
        "“[t]he quay was never theirs” [sic], and cite [2019] HCQ 5; the clerk adds [emphasis added] twice.",
        "Their boats were used by the Harbour Guild (as well as by thousands of others), which is why",
        "nor the next [1].",
        "she has since moved abroad for good.",
    ):
        assert words in text
    assert not [name for name in ("av_", "scribd id", "pdf-embedder url") if name in text]
    embeds = {embed["kind"]: embed for embed in document["embeds"]}
    assert embeds["scribd"]["url"].startswith("https://www.scribd.com/embeds/403337367/content?")
    assert "--embeds" in embeds["scribd"]["reason"]
    assert embeds["iframe"]["record_id"].startswith("<urn:uuid:")
    pdf = next(embed for embed in document["embeds"] if embed["url"] == site.url("/evidence.pdf"))
    assert "record_id" not in pdf
    site.answers["/broken"] = answer(page.replace(b"[scribd", b"[gone"))
    onrecord.next_second()
    assert onrecord.capture(site.url("/broken"), extra=("--embeds",)).code == 0
    (document,) = onrecord("--json", "get", site.url("/broken")).lines
    pdf = next(embed for embed in document["embeds"] if embed["url"] == site.url("/evidence.pdf"))
    assert pdf["record_id"].startswith("<urn:uuid:")
    assert onrecord("get", site.url("/evidence.pdf"), "--format", "html").out.startswith("%PDF")


def test_a_tombstone_never_hides_the_good_snapshot_behind_a_redirect(onrecord: Command, site: Site) -> None:
    assert onrecord.capture(site.url("/post")).code == 0
    onrecord.next_second()
    site.answers["/post"] = answer(b"<h1>Gone</h1>", status="410 Gone")
    assert onrecord.capture(site.url("/moved")).code == 3
    moved = onrecord("get", site.url("/moved"))
    assert (moved.code, "first version" in moved.out) == (0, True), moved.err


@pytest.mark.full
def test_a_journal_that_cannot_be_understood_keeps_nobody_from_capturing(onrecord: Command, site: Site) -> None:
    site.answers["/slow"] = a_byte_at_a_time
    process = onrecord.start(
        "--json", "capture", "--allow-private", "--delay", "0", site.url("/post"), site.url("/slow")
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    process.kill()
    process.communicate()
    (spooled,) = onrecord.spooled
    journal = spooled / "journal.jsonl"
    journal.write_text(journal.read_text().replace('"capture"', '"document"'))
    done = onrecord.capture(site.url("/other"))
    assert done.code == 0, done.err
    assert "cannot be taken up" in done.err
    assert onrecord.spooled == [spooled], "what was captured stays for whoever understands it"
