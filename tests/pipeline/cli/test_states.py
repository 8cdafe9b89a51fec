"""What `capture` says of a page is what `snapshots` says of it; lookups name the address that they give."""

from __future__ import annotations

from tests.command import Command
from tests.pipeline.extract.test_page_status import ESSAY, page
from tests.site import Site, answer, redirect

OTHER = [paragraph.replace("the ", "that ") for paragraph in ESSAY]


def essay(paragraphs: list[str], more: str = "") -> bytes:
    return answer((page("Berths", *paragraphs, h1="Berths") + more).encode())


def test_capture_says_what_snapshots_say(onrecord: Command, site: Site) -> None:
    paths = ("/edited", "/nonce", "/gone", "/moved")
    site.answers |= {path: essay(ESSAY) for path in paths}
    onrecord.capture(*map(site.url, paths))
    onrecord.next_second()
    site.answers |= {"/edited": essay(OTHER), "/nonce": essay(ESSAY, "<!-- 2 -->"), "/moved": redirect("/nonce")}
    del site.answers["/gone"]
    done = onrecord.capture(*map(site.url, paths))
    assert done.code == 3
    said = {line["url"]: (line["state"], line.get("state_certainty")) for line in done.lines}
    for path, state in {"/edited": "edited", "/nonce": "unchanged", "/gone": "gone"}.items():
        kept = onrecord("--json", "snapshots", site.url(path)).lines[-1]
        assert said[site.url(path)] == (kept["state"], kept.get("state_certainty"))
        assert kept["state"] == state
    onrecord.next_second()
    plain = onrecord.capture(*map(site.url, paths), json_lines=False)
    assert f"404 to be confirmed: gone {site.url('/gone')}" in plain.err
    assert f"200 unchanged    {site.url('/edited')}" in plain.out


def test_tracking_parameters_hide_no_page(onrecord: Command, site: Site) -> None:
    site.answers |= {"/plain": essay(ESSAY), "/rss?utm_source=rss&id=1": essay(ESSAY)}
    onrecord.capture(site.url("/plain"), site.url("/rss?utm_source=rss&id=1"))
    assert "/rss?utm_source=rss&id=1" in site.paths, "captured at the address as it was given"
    for asked, kept in {"/plain?fbclid=x": "/plain", "/rss?id=1&gclid=9": "/rss?utm_source=rss&id=1"}.items():
        for command in ("get", "snapshots"):
            done = onrecord(command, site.url(asked))
            assert (done.code, f"another spelling of the address: {site.url(kept)}" in done.err) == (0, True), command
    assert onrecord("get", site.url("/rss?id=2")).code == 4
    strict = Command(onrecord.store, onrecord.env | {"ONRECORD_KEEP_TRACKING": "true"})
    assert strict("get", site.url("/plain?fbclid=x")).code == 4
