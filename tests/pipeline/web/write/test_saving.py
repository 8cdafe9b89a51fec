"""Pages and files that people send to `serve --write` arrive in the archive, with their names."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlencode

from tests.command import Command
from tests.pipeline.ingest.test_record_ids import of_stranger
from tests.pipeline.web.write.conftest import Saving, manifests, serving
from tests.site import Site
from tests.waiting import wait_for

FORM = {"Content_Type": "application/x-www-form-urlencoded", "Accept": "text/html"}


def test_a_page_is_captured_and_the_name_kept_with_it(saving: Saving, site: Site) -> None:
    entry = saving.ended(saving.capture(site.url("/moved")))
    assert (entry["state"], entry["outcome"], entry["url"]) == ("done", "ok", site.url("/post"))
    (line,) = saving.onrecord("--json", "snapshots", site.url("/post")).lines
    assert (line["run"], line["timestamp"]) == (entry["run"], entry["captured"])
    (manifest,) = (each for each in manifests(saving.onrecord) if each["run"]["id"] == entry["run"])
    assert manifest["settings"]["saved-by"] == "ida"


def test_a_person_pastes_an_address_and_sees_it_arrive(saving: Saving, site: Site) -> None:
    page = saving.ask("GET", f"/save?url={site.url('/other')}", Accept="text/html")
    assert (page.status, page.headers["referrer-policy"]) == (200, "same-origin")
    assert f'value="{site.url("/other")}"' in page.body
    assert f"javascript:location.href=&#39;http://127.0.0.1:{saving.port}/save?url=" in page.body.replace("'", "&#39;")
    sent = urlencode({"url": site.url("/other"), "token": saving.token})
    done = saving.ask("POST", "/capture", sent, Origin=f"http://127.0.0.1:{saving.port}", **FORM)
    assert done.status == 303
    where = done.headers["location"]
    saving.ended(where.rpartition("/")[2])
    shown = saving.ask("GET", where, Accept="text/html").body
    assert "http-equiv" not in shown
    (read,) = re.findall(r'href="(/read[^"]+)"', shown)
    assert saving.token not in shown + page.body
    assert 'href="/save"' in saving.ask("GET", "/", Accept="text/html").body
    assert "POST /capture" in saving.ask("GET", "/help").body
    wait_for(
        lambda: "Something else entirely." in saving.ask("GET", read.replace("&amp;", "&"), Accept="text/html").body
    )


def test_files_are_imported_as_a_body_and_as_a_form(saving: Saving) -> None:
    url = "http://gazette.example/sent"
    data = of_stranger("some sent words", "<urn:uuid:77>", url)
    first = saving.ask("POST", "/import?name=../../sent.warc", data, saving.token)
    assert (first.status, first.entry["what"]) == (202, "sent.warc")
    entry = saving.ended(first.entry["id"])
    assert (entry["state"], entry["outcome"]) == ("done", "imported")
    assert "some sent words" in saving.onrecord("get", url).out
    (manifest,) = (each for each in manifests(saving.onrecord) if each["run"]["id"] == entry["run"])
    assert (manifest["settings"]["saved-by"], manifest["settings"]["imported"]) == ("ida", "sent.warc")

    form = b'--b\r\nContent-Disposition: form-data; name="url"\r\n\r\nhttp://x.example/\r\n--b\r\nContent-Disposition: form-data; '
    form += b'name="file"; filename="again.warc"\r\n\r\n' + data + b"\r\n--b--\r\n"
    again = saving.ask("POST", "/import", form, saving.token, Content_Type="multipart/form-data; boundary=b")
    assert (again.status, again.entry["what"]) == (202, "again.warc")
    assert "were in already" in saving.ended(again.entry["id"])["error"]


def test_what_cannot_be_saved_is_said(saving: Saving, site: Site) -> None:
    assert saving.ended(saving.capture(site.url("/nothing")))["outcome"] == "http-error"
    lost = saving.ask("POST", "/import", b"neither this nor that", saving.token)
    entry = saving.ended(lost.entry["id"])
    assert (entry["state"], "upload is neither WACZ" in entry["error"]) == ("failed", True)


def test_no_address_inside_is_captured(tmp_path: Path, site: Site) -> None:
    """Also where the settings let captures by hand go there."""
    onrecord = Command.at(tmp_path / "store", tmp_path / "home", ONRECORD_ALLOW_PRIVATE="true", ONRECORD_DELAY="0")
    before = len(site.requests)
    with serving(onrecord, allow_private=False) as running:
        job = running.capture(site.url("/post"))
        assert running.ended(job)["outcome"] == "refused-address"
    assert len(site.requests) == before
