"""Names and characters that XML does not allow: the page has the text it has without them."""

from __future__ import annotations

import pytest

from pipeline.discover.outlinks import Hop
from pipeline.extract.article import read, to_markdown
from pipeline.extract.html_tree import parsed
from pipeline.extract.tasks import Page, Reading, Task

URL = "http://review.example/ferry"
PARAGRAPHS = [
    "The council voted on Tuesday to close the old ferry terminal, and nobody who used it was asked about the plan.",
    "That silence matters: a body that decides without hearing anyone no longer expects to be questioned at all.",
    "The statute says the opposite: an authority must consult those affected, and explain why it was not persuaded.",
]
ODD_TAGS = [
    "o:p", "fb:like", "g:plusone", "ada@example.com", "b<script", "x:y:z", "a:", "w{x}", "t$%^&*", "q\"r's", "h1,",
    "n\x01o:p", "v;w", "n\u00e9:x", "x\U0001f600",
]  # fmt: skip
ODD_ATTRIBUTES = [
    "{x}y=1", "{{item}}", "{=1", "{}=1", "@click=f()", ":key=k", "a<b=1", '"q=1', "(click)=f()", "[x]=1", "#r",
    "*if=1", "1a=2", "class='a&#11;&#xFFFF;b'", "class='comment&#1; x'", "title='\ufffe'",
]  # fmt: skip
ODD_CHARACTERS = ["&#11;", "&#8", "&#x1F;", "&#xFFFF;", "&#65534;", "&#0000001;", "\x0b", "\x08", "\x1b", "\ufffe"]
ODD_MARKUP = [
    "<?odd:pi x ?>",
    "<?=1?>",
    "<!o:p>",
    "<![if !mso]>",
    "<![CDATA[x]]>",
    "<!-- <o:p> -->",
    "</o:p>",
    "</{x}>",
]


def page(paragraphs: list[str], head: str = "", attributes: str = "") -> Page:
    written = "".join(f"<p {attributes}>{paragraph}</p>" for paragraph in paragraphs)
    html = (
        f"<!doctype html><html lang=en {attributes}><head><title>The ferry</title><meta name=author content='Ida Berg'>"
        f"{head}</head><body {attributes}><article {attributes}><h1 {attributes}>The ferry</h1>{written}"
        f"<p>See <a href=/law {attributes}>the statute</a>, which is long.</p></article></body></html>"
    )
    return Page(URL, html.encode(), "text/html; charset=utf-8")


PLAIN = read(page(PARAGRAPHS)).article


def check(reading: Reading) -> None:
    assert reading.problem is None
    assert reading.article is not None
    assert PLAIN is not None
    assert reading.article.text == PLAIN.text
    assert (reading.article.title, reading.article.author) == ("The ferry", "Ida Berg")
    assert [outlink.url for outlink in reading.findings.of(Hop.LINK)] == ["http://review.example/law"]


@pytest.mark.parametrize("name", ODD_TAGS)
def test_an_element_of_an_odd_name_leaves_text_metadata_and_links(name: str) -> None:
    for inner in (f"<{name}></{name}>", f"<{name} class=x {{y}}=1>"):
        check(read(page([PARAGRAPHS[0], PARAGRAPHS[1] + inner, PARAGRAPHS[2]])))
    wrapped = page([PARAGRAPHS[0], f"<{name}>{PARAGRAPHS[1]}</{name}>", PARAGRAPHS[2]])
    check(read(wrapped))
    assert PARAGRAPHS[1] in to_markdown(wrapped)


def test_odd_names_in_the_head_and_around_everything() -> None:
    check(read(page(PARAGRAPHS, head="<o:documentproperties><o:author>x</o:author></o:documentproperties>")))
    body = (
        page(PARAGRAPHS)
        .body.replace(b"<article", b"<st1:place><article")
        .replace(b"</article>", b"</article></st1:place>")
    )
    check(read(Page(URL, body, "text/html; charset=utf-8")))
    table = "".join(f"<tr><td<script>{paragraph}</td></tr>" for paragraph in PARAGRAPHS)
    reading = read(Page(URL, f"<html><body><table>{table}</table></body></html>".encode(), "text/html"))
    assert reading.problem is None
    assert reading.article is not None
    assert all(paragraph in (reading.article.text or "") for paragraph in PARAGRAPHS)


@pytest.mark.parametrize("attribute", ODD_ATTRIBUTES)
def test_an_attribute_of_an_odd_name_or_value_changes_nothing(attribute: str) -> None:
    if attribute.startswith("class='comment"):
        check(read(page(PARAGRAPHS, head=f"<meta {attribute}>")))
    else:
        check(read(page(PARAGRAPHS, attributes=attribute)))


@pytest.mark.parametrize("character", ODD_CHARACTERS)
def test_a_character_that_xml_does_not_allow_is_left_out(character: str) -> None:
    within = [paragraph.replace("council", f"coun{character}cil") for paragraph in PARAGRAPHS]
    check(read(page(within, head=f"<meta name=x{character} content='{character}'>")))


@pytest.mark.parametrize("markup", ODD_MARKUP)
def test_odd_markup_between_words_leaves_them(markup: str) -> None:
    article = read(page([PARAGRAPHS[0], PARAGRAPHS[1] + markup, PARAGRAPHS[2]])).article
    assert article is not None
    assert all(paragraph in (article.text or "") for paragraph in PARAGRAPHS)


def test_form_feeds_are_spaces_and_other_references_stay() -> None:
    tree = parsed(
        "<html><body><p>one&#12;two\fthree&#x0C;four &#128; &#112; &#x1F4F; &#10;&#xB7;</p><p>x</p></body></html>"
    )
    assert tree is not None
    assert " ".join(tree.find(".//p").text.split()) == "one two three four \u20ac p \u1f4f \u00b7"


def test_every_name_and_text_of_the_tree_can_be_copied() -> None:
    odd = "".join(f"<{name} {attribute} class=c>x</{name}>" for name in ODD_TAGS for attribute in ODD_ATTRIBUTES)
    tree = parsed(f"<html><body {{x}}y=1 xml:lang=de><div>{odd}{''.join(ODD_CHARACTERS)}</div><p>x</p></body></html>")
    assert tree is not None
    for element in tree.iter("*"):
        copied = element.makeelement(element.tag)
        copied.text, copied.tail = element.text, element.tail
        for name, value in element.items():
            copied.set(name, value)


def test_attributes_with_a_colon_that_are_read_stay() -> None:
    tree = parsed("<html xml:lang=de-at @x=1><body><svg><use xlink:href='/s.svg'></use></svg><p>x</p></body></html>")
    assert tree is not None
    assert tree.get("xml:lang") == "de-at"
    found = read(Page(URL, b"<p>x</p><svg><use xlink:href='/s.svg' {x}></use></svg>", "text/html", Task.FRAME)).findings
    assert [outlink.url for outlink in found.outlinks] == ["http://review.example/s.svg"]


def test_feeds_and_sitemaps_with_odd_names() -> None:
    item = b"<item><m:x>y</m:x><title>by <ada@example.com> &#8;</title><link>http://review.example/1</link></item>"
    feed = b"<rss><channel><o:p>x</o:p>" + item + b"</channel></rss>"
    found = read(Page(URL, feed, "application/rss+xml", Task.FEED)).findings
    assert [outlink.url for outlink in found.outlinks] == ["http://review.example/1"]
