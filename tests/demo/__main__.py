"""`make demo`: a small site on loopback is captured, edited, captured again, and asked about its past.

Nothing leaves this machine. The archive stays in demo-store/ for a look around.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.demo.pages import FEED, FIRST, SECOND, STYLE, TYPE
from tests.site import Site, answer

STORE = Path("demo-store")
BOLD, DIM, PLAIN = ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("", "", "")


def main() -> None:
    shutil.rmtree(STORE, ignore_errors=True)
    with Site() as site, tempfile.TemporaryDirectory() as home:
        demo = Demo(home)
        site.answers |= {path: answer(html.encode()) for path, html in FIRST.items()}
        site.answers |= {
            "/feed.xml": answer(FEED.encode(), kind="application/rss+xml"),
            "/paper.css": answer(STYLE.encode(), kind="text/css"),
            "/type.css": answer(TYPE.encode(), kind="text/css"),
        }
        feed = site.url("/feed.xml")
        say(
            "A small opinion site is running on this machine. What its feed announces goes on record, style sheets too:"
        )
        demo.run("capture", "--feed", feed)

        time.sleep(1.1)  # the second capture is to have a timestamp of its own
        for path, html in SECOND.items():
            site.answers[path] = answer(html.encode())
        site.answers["/harbour-tax"] = answer(b"<h1>Gone</h1>", status="410 Gone")
        say("\nOvernight one page is edited and one is removed. The site is captured again:")
        demo.run("capture", "--feed", feed, expect=3)

        edited, removed = site.url("/open-court"), site.url("/harbour-tax")
        say("\nWhat is kept of the edited page:")
        first, _ = re.findall(r"^\S+Z", demo.run("snapshots", edited), re.MULTILINE)
        say("\nIts clean text, as it was before the edit:")
        demo.run("get", edited, "--at", first)
        say("\nWhat the edit did:")
        demo.run("diff", edited)
        say("\nThe page that is gone: its tombstone is on record, and its last good text still there:")
        demo.run("snapshots", removed)
        demo.run("get", removed)
        say("\nOne page came from a page builder that has died; its shortcodes are no part of the text:")
        demo.run("get", site.url("/night-trains"))
        say("\nEvery byte is checked against the manifests:")
        demo.run("verify", "--deep")
    say(
        f"\nThe archive is in {STORE}/ : WARC files, text, index and manifest of two runs.\n"
        f"Capture a page of the real web into an archive of your own:\n\n"
        f"    .venv/bin/onrecord capture https://example.org/\n"
        f"    .venv/bin/onrecord get https://example.org/\n"
    )


class Demo:
    """The program, run as a user would run it."""

    def __init__(self, home: str) -> None:
        self._env = os.environ | {"HOME": home}

    def run(self, name: str, *arguments: str, expect: int = 0, shown: bool = True) -> str:
        extra = ["--allow-private", "--delay", "0"] if name == "capture" else []
        if shown:
            print(f"{DIM}$ onrecord --store {STORE} {' '.join([name, *extra, *arguments])}{PLAIN}", flush=True)
        command = [str(Path(sys.executable).with_name("onrecord")), "--store", str(STORE), name, *extra, *arguments]
        done = subprocess.run(command, env=self._env, capture_output=True, text=True)
        if shown:
            print(done.stdout + done.stderr, end="", flush=True)
        if done.returncode != expect:
            sys.exit(f"the demo failed: {name} ended with {done.returncode}, not {expect}\n{done.stderr}")
        return done.stdout


def say(text: str) -> None:
    print(f"{BOLD}{text}{PLAIN}", flush=True)


main()
