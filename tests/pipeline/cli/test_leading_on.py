"""A page that leads on by itself shows the page that it leads to, in every command that looks it up."""

from __future__ import annotations

from tests.command import Command
from tests.pipeline.capture.http.test_refresh import TARGET, leading
from tests.pipeline.extract.test_text_guard import SENTENCES
from tests.site import Site


def test_get_gives_the_text_of_the_page_that_it_leads_to(onrecord: Command, site: Site) -> None:
    site.answers |= {"/first": leading("0;url=/target"), "/target": TARGET}
    url = site.url("/first")
    for _ in range(2):
        done = onrecord.capture(url)
        assert (done.code, done.lines[0]["outcome"], done.lines[0]["final_url"]) == (0, "ok", site.url("/target"))
        assert SENTENCES[1] in onrecord("get", url).out
        onrecord.next_second()
    kept = onrecord("--json", "snapshots", url).lines
    assert [(entry["status"], entry["location"]) for entry in kept] == [(200, site.url("/target"))] * 2
    assert onrecord("verify").code == 0


def test_capture_names_the_page_that_another_led_to(onrecord: Command, site: Site) -> None:
    """What it says of its state is said of that page."""
    site.answers |= {"/first": leading("0;url=/target"), "/target": TARGET}
    told = onrecord("capture", "--allow-private", "--delay", "0", site.url("/first"), site.url("/target")).out
    (line,) = [line for line in told.splitlines() if "/first" in line]
    assert f"{site.url('/first')} -> {site.url('/target')}" in line
    assert " -> " not in told.replace(line, "")
