"""Frames and closed shadow trees: in a page's final markup, and in its picture."""

from __future__ import annotations

import re
from html import unescape

import pytest

from tests.pipeline.capture.browser.test_browser import Visit, dom, html, made, script, site, visit
from tests.site import Site, answer

__all__ = ["site", "visit"]


@pytest.mark.full
def test_frames_and_closed_shadow_trees_are_in_the_markup(site: Site, visit: Visit) -> None:
    with Site(host="127.0.0.2") as other:
        other.answers["/f"] = html("<p>from elsewhere</p><iframe srcdoc='<p>deep within'></iframe>")
        site.answers["/f"] = script("document.body.append('drawn in a frame')")
        site.answers["/tiny"] = html("<p>unseen</p>")
        site.answers["/"] = html(
            f"<iframe id=one src=/f></iframe><iframe id=two src={other.url('/f')}></iframe>"
            "<iframe id=three srcdoc='<p>in the page &amp; itself</p>'></iframe>"
            "<iframe id=four sandbox srcdoc='<p>without scripts</p>'></iframe>"
            "<iframe id=five src=/tiny width=1 height=1></iframe>"
            "<iframe id=six src=/tiny style='display:none'></iframe>"
            "<my-one></my-one><div><template shadowrootmode=closed><em>declared</em></template></div>"
            "<script>const root = document.querySelector('my-one').attachShadow({mode: 'closed'});"
            "root.innerHTML = '<b>closed</b><span></span>';"
            "root.lastChild.attachShadow({mode: 'open'}).innerHTML = '<u>within</u>'</script>"
        )
        browsed = visit(site.url("/"))
        url = other.url("/f")
    text = dom(browsed)
    shown = [unescape(each) for each in re.findall(r'data-frame-markup="([^"]*)"', text)]
    found = ["drawn in a frame", "from elsewhere", "in the page &amp; itself", "without scripts"]
    assert [word in markup for word, markup in zip(found, shown, strict=True)] == [True] * 4
    assert "deep within" in unescape(re.search(r'data-frame-markup="([^"]*)"', shown[1])[1])  # type: ignore[index]
    assert f'data-frame-url="{url}"' in text
    assert "unseen" not in text
    for root in ("<b>closed</b>", "<u>within</u>", "<em>declared</em>"):
        assert root in text.split("</iframe>")[-1]
    assert not [note for note in browsed.notes if "markup" in note]


@pytest.mark.full
def test_frames_far_down_are_in_the_picture(site: Site, visit: Visit) -> None:
    with Site(host="127.0.0.2") as other:
        other.answers["/red"] = html("", "<style>html {background: #c00}</style>")
        site.answers["/"] = html(
            f"<div style='height: 6000px'></div><iframe src={other.url('/red')} width=900 height=300></iframe>",
            "<style>body {margin: 0}</style>",
        )
        picture = made(visit(site.url("/")), "fullPageFinal")
    site.answers["/picture.png"] = answer(picture, kind="image/png")
    site.answers["/look"] = script(  # a browser is what reads a PNG here
        "const image = new Image(); image.src = '/picture.png'; image.decode().then(() => {"
        "const canvas = document.createElement('canvas'); canvas.width = image.width; canvas.height = image.height;"
        "const on = canvas.getContext('2d'); on.drawImage(image, 0, 0);"
        "document.title = [100, 6150].map(y => on.getImageData(450, y, 1, 1).data.slice(0, 3).join(',')).join(' ')})"
    )
    assert "<title>255,255,255 204,0,0</title>" in dom(visit(site.url("/look")))
