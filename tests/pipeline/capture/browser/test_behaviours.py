"""What is done to see the whole of a page: banners answered, closed parts opened, boxes scrolled, and no page left."""

# ruff: noqa: E501 - a banner is easier to read in one line

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.capture.browser.visit_many import BrowserSettings
from tests.pipeline.capture.browser.test_browser import LIMITS, Visit, browse, by_url, dom, html, site, visit
from tests.site import Site, answer

__all__ = ["site", "visit"]
pytestmark = pytest.mark.full


def banner(box: str, refuse: str, accept: str) -> str:
    """A banner over the page that goes when it is answered, and says how."""
    return (
        f"<div style='position:fixed;inset:0;background:#fff' {box}><p>We value your privacy</p>"
        f"<button {refuse} onclick=\"done('refused')\">Reject</button>"
        f"<button {accept} onclick=\"done('accepted')\">Accept</button></div>"
        "<script>function done(how) {document.querySelector('[style]').remove(); document.title = how}</script>"
    )


BANNERS = {
    "OneTrust": banner("id=onetrust-banner-sdk", "id=onetrust-reject-all-handler", "id=onetrust-accept-btn-handler"),
    "Cookiebot": banner(
        "id=CybotCookiebotDialog",
        "id=CybotCookiebotDialogBodyButtonDecline",
        "id=CybotCookiebotDialogBodyLevelButtonLevelOptinAllowAll",
    ),
    "Didomi": banner("id=didomi-notice", "id=didomi-notice-disagree-button", "id=didomi-notice-agree-button"),
    "Complianz": banner("class=cmplz-cookiebanner", "class=cmplz-deny", "class=cmplz-accept"),
    "Quantcast": (
        "<div class=qc-cmp2-container><div class=qc-cmp2-ui style='width:300px'><p>We value your privacy</p>"
        "<div class=qc-cmp2-summary-buttons><button mode=secondary onclick=\"more.hidden = false\">MORE OPTIONS</button>"
        "<button mode=primary onclick=\"done('accepted')\">AGREE</button></div><div class=qc-cmp2-header-links id=more hidden>"
        "<button onclick=\"done('refused')\">REJECT ALL</button></div></div></div>"
        "<script>function done(how) {document.querySelector('.qc-cmp2-container').remove(); document.title = how}</script>"
    ),
    "Usercentrics": (
        "<div id=usercentrics-root></div><script>const root = document.getElementById('usercentrics-root')"
        ".attachShadow({mode: 'open'}); root.innerHTML = '<div data-testid=uc-default-banner>We value your privacy"
        "<button data-testid=uc-deny-all-button>Deny</button><button data-testid=uc-accept-all-button>Accept</button></div>';"
        "for (const [name, how] of [['deny', 'refused'], ['accept', 'accepted']]) root.querySelector("
        "`[data-testid=uc-${name}-all-button]`).onclick = () => {root.innerHTML = ''; document.title = how}</script>"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BANNERS)
def test_a_banner_is_refused(site: Site, visit: Visit, name: str) -> None:
    site.answers["/"] = html(f"<p>the article</p>{BANNERS[name]}")
    browsed = visit(site.url("/"))
    assert browsed.notes == (f"consent: the banner of {name} was refused",)
    assert "<title>refused</title>" in dom(browsed)


def test_a_banner_in_a_frame_is_refused(site: Site, visit: Visit) -> None:
    with Site(host="127.0.0.2") as other:
        other.answers["/consent"] = html(
            "<div class=message-container><p>We value your privacy</p><button class=sp_choice_type_13 "
            "onclick=\"parent.postMessage('refused', '*')\">Reject all</button></div>"
        )
        site.answers["/"] = html(
            f"<p>the article</p><iframe id=sp_message_iframe_1 src={other.url('/consent')}></iframe><script>"
            "onmessage = (it) => {document.title = it.data; document.querySelector('iframe').remove()}</script>"
        )
        browsed = visit(site.url("/"))
    assert browsed.notes == ("consent: the banner of Sourcepoint was refused",)
    assert "<title>refused</title>" in dom(browsed)


@pytest.mark.parametrize(("wanted", "title"), [("accept", "accepted"), ("leave", "A page")])
def test_a_banner_is_accepted_or_left_where_that_is_said(site: Site, tmp_path: Path, wanted: str, title: str) -> None:
    site.answers["/"] = html(BANNERS["OneTrust"])
    browsed = browse(tmp_path, site.url("/"), replace(LIMITS, consent=wanted))
    done = {"accept": "accepted", "leave": "left as it was"}[wanted]
    assert browsed.notes == (f"consent: the banner of OneTrust was {done}",)
    assert f"<title>{title}</title>" in dom(browsed)


def test_a_banner_that_stays_is_said_to(site: Site, visit: Visit) -> None:
    site.answers["/"] = html(BANNERS["OneTrust"].replace(".remove()", ".focus()"))
    assert visit(site.url("/")).notes == ("consent: the banner of OneTrust could not be refused and stays",)


MORE = (
    "<details><summary>Terms</summary><p>hidden terms</p></details>"
    "<button onclick=\"this.remove(); rest.hidden = false\">Read more…</button><p id=rest hidden>the rest of it</p>"
    "<ul id=list><li>0</li></ul><button id=load>Load more</button><script>let at = 0; load.onclick = () => fetch("
    "'/more?' + ++at).then(it => it.text()).then(it => {list.innerHTML += it; if (at === 3) load.remove()})</script>"
    "<div id=box style='height:150px;overflow-y:auto'><div style='height:600px'>top</div></div><script>let grown = 0;"
    "box.onscroll = () => {if (grown < 3 && box.scrollTop + 200 > 600 * (grown + 1)) {grown++;"
    "box.innerHTML += `<div style='height:600px'>grown ${grown}</div>`}}</script>"
    "<form action=/sent><button>Show more</button></form><a href=/elsewhere>Read more</a>"
)  # fmt: skip


@pytest.mark.parametrize("expand", [True, False], ids=["expand", "no-expand"])
def test_what_is_closed_is_opened_and_what_grows_grows(site: Site, tmp_path: Path, expand: bool) -> None:
    site.answers |= {"/": html(MORE), "/more?*": answer(b"<li>more</li>", kind="text/html")}
    browsed = browse(tmp_path, site.url("/"), replace(LIMITS, expand=expand))
    text = dom(browsed)
    assert (text.count("<li>more</li>"), "grown 3" in text.split('<div id="box"')[1].split("<script>")[0]) == (
        (3, True) if expand else (0, False)
    )
    assert ('<details open="">' in text, 'id="rest" hidden' in text) == (expand, not expand)
    assert not {site.url("/sent"), site.url("/elsewhere")} & by_url(browsed).keys()
    assert bool([note for note in browsed.notes if "buttons that show more: 4" in note]) == expand


def test_a_button_that_leads_elsewhere_leaves_the_page_where_it_is(site: Site, visit: Visit) -> None:
    site.answers["/"] = html(
        "<p>the article</p><button onclick=\"location.href = '/elsewhere'\">Read more</button>"
        "<button aria-expanded=false onclick=\"history.pushState({}, '', '/pushed'); document.body.textContent = 'x'\">"
        "Show more</button>"
    )
    site.answers["/elsewhere"] = html("elsewhere")
    browsed = visit(site.url("/"))
    assert "<p>the article</p>" in dom(browsed)
    assert site.url("/elsewhere") not in by_url(browsed)


def test_what_a_user_names_is_clicked(site: Site, tmp_path: Path) -> None:
    site.answers["/"] = html("<i class=open onclick=\"document.title = 'clicked'\">x</i>")
    limits: BrowserSettings = replace(LIMITS, clicks=(".open", "#none"))
    browsed = browse(tmp_path, site.url("/"), limits)
    assert "<title>clicked</title>" in dom(browsed)
    assert browsed.notes == ("clicked 1 of .open", "nothing to click: #none")
