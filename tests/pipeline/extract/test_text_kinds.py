"""Kinds of pages whose text readers would miss, a table for each kind: what is on the page, and its whole text."""

# ruff: noqa: E501 - samples of pages are easier to read in one line

from __future__ import annotations

import pytest

from archive.model import Article
from pipeline.extract.article import extract
from pipeline.extract.tasks import Page

FIRST = (
    "The bridge over the canal was to be painted green, said the surveyor, and the street heard of it from the paper."
)
SECOND = (
    "Nobody had asked the people who cross it twice a day, and some of them would have liked to be asked beforehand."
)
THIRD = (
    "The paint has been bought, the account shows, at a price that three members of the committee had called too high."
)
LAST = (
    "What is left is the question who signed the order, for the clerk says that it was not on any of his lists at all."
)
MENU = "<header><a href='/'>The Canal Post</a><nav><ul><li><a href='/a'>Town</a></li><li><a href='/b'>Courts</a></li><li><a href='/c'>Letters</a></li></ul></nav></header>"
FOOTER = "<footer class='site-footer'><p>© 2026 The Canal Post. <a href='/imprint'>Imprint</a> <a href='/terms'>Terms</a></p></footer>"


def page(inner: str) -> Article:
    html = f"<!DOCTYPE html><html lang='en'><head><title>The bridge - The Canal Post</title></head><body>{MENU}{inner}{FOOTER}</body></html>"
    return extract(Page("https://post.example/2026/bridge", html.encode(), "text/html; charset=utf-8"))


def lines(inner: str) -> list[str]:
    return (page(inner).text or "").splitlines()


def within(inner: str) -> list[str]:
    """The lines between the prose before and after; both have to be there."""
    found = lines(
        f"<main><article><h1>The bridge</h1><p>{FIRST}</p><p>{SECOND}</p>{inner}<p>{LAST}</p></article></main>"
    )
    return found[found.index(SECOND) + 1 : found.index(LAST)]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ("<ol><li><img src='a.png'></li><li><p>Green</p></li></ol>", ["2. Green"]),
        (f"<ol><li><div class='card'><div><p>{THIRD}</p></div></div></li></ol>", [f"1. {THIRD}"]),
        ("<ol><li></li><li> </li><li>Green it is</li></ol>", ["3. Green it is"]),
        (f"<ol start='7'><li><section><p>{THIRD}</p></section></li><li>Blue</li></ol>", [f"7. {THIRD}", "8. Blue"]),
        ("<ol type='a'><li><iframe src='/v'></iframe></li><li><script>x()</script></li><li>Red</li></ol>", ["c. Red"]),
        ("<ol><li><svg></svg><p>Green</p></li><li><div><img src='b.png'></div></li></ol>", ["1. Green"]),
    ],
)  # fmt: skip
def test_a_number_stands_before_its_words_and_never_alone(items: str, expected: list[str]) -> None:
    assert within(items) == expected


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("<main><article><h1>Closed</h1><p>The bridge is closed today.</p></article></main>", ["Closed", "The bridge is closed today."]),
        ("<main><article class='h-entry'><div class='e-content'><p>Green. Of course.</p><p>I said so.</p></div></article></main>", ["Green. Of course.", "I said so."]),
        ("<div id='page'><div class='post'><h1>Note</h1><div class='entry-content'><p>Back on Monday.</p></div><div class='sharedaddy share'><a href='/s'>Share</a></div></div></div>", ["Note", "Back on Monday."]),
        ("<main><article><header><h1>Vote</h1><div class='post-meta'>3 May <a href='/u'>ada</a></div></header><p>Seven to four.</p><footer class='entry-footer'><a href='/t'>canal</a></footer></article></main>", ["Vote", "Seven to four."]),
        ("<main id='content'><h1>Thanks</h1><p>To all who came.</p><ul><li>Ada</li><li>Ben</li></ul></main>", ["Thanks", "To all who came.", "- Ada", "- Ben"]),
        ("<article><h1>Link</h1><p><a href='https://x.example/'>The order, as signed</a></p></article>", ["Link", "The order, as signed"]),
    ],
)  # fmt: skip
def test_a_very_short_post_has_no_menu_in_its_text(inner: str, expected: list[str]) -> None:
    assert lines(inner) == expected


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        (f"<article><h1><a href='/x'>Green</a></h1><p><a href='/y'>The Post</a>:</p><blockquote><p>{FIRST}</p></blockquote><p>Indeed.</p></article>", ["Green", "The Post:", FIRST, "Indeed."]),
        (f"<main><h1>Green</h1><blockquote>{FIRST}</blockquote><blockquote>{SECOND}</blockquote></main>", ["Green", FIRST, SECOND]),
        (f"<article class='post'><div class='post-content'><div class='line'>{FIRST}</div><div class='line'>{SECOND}</div></div></article>", [FIRST, SECOND]),
        ("<article><h1>Verses</h1><div>The bridge is green,<br>the water is brown,<br>the council has been<br>all over the town.</div></article>", ["Verses", "The bridge is green,", "the water is brown,", "the council has been", "all over the town."]),
        (f"<article><h2>Green</h2><p><a href='/1'>{FIRST}</a></p><p><a href='/2'>{SECOND}</a></p></article>", ["Green", FIRST, SECOND]),
    ],
)  # fmt: skip
def test_paragraphs_are_lines_of_their_own(inner: str, expected: list[str]) -> None:
    assert lines(inner) == expected


@pytest.mark.parametrize(
    "box",
    [
        f"<div hidden><p>{THIRD}</p></div>",
        f"<section hidden=''><h2>Draft</h2><p>{THIRD}</p><p>{THIRD}</p></section>",
        "<div id='onetrust-banner-sdk'><p>We and our 311 partners use cookies to give you the best of our pages, and to measure them.</p></div>",
        "<div role='dialog' aria-modal='true'><h2>Your privacy</h2><p>By a click on accept you consent to the storing of cookies on your device by all of us.</p><button>Accept</button></div>",
        "<dialog open><p>Diese Seite verwendet Cookies. Mit einem Klick auf Annehmen geben Sie dazu Ihre Einwilligung, die Sie widerrufen können.</p></dialog>",
        "<section class='cookie-notice js-bar'><p>We use cookies on this page so that you are served better than you would be without them.</p></section>",
        f"<dialog><p>{THIRD}</p></dialog>",
    ],
)  # fmt: skip
def test_what_is_hidden_and_what_asks_for_consent_is_no_text(box: str) -> None:
    assert within(box) == []


def test_a_hidden_part_that_a_button_of_the_page_reveals_is_text() -> None:
    assert within(f"<button aria-controls='rest'>Read more</button><div id='rest' hidden><p>{THIRD}</p></div>") == [
        THIRD
    ]


def test_an_article_about_cookies_is_no_dialog() -> None:
    about = "<div class='privacy-essay'><p>A cookie is a small file that a page leaves behind on the machine of its reader, and the law asks for consent.</p></div>"
    assert within(about) == [
        "A cookie is a small file that a page leaves behind on the machine of its reader, and the law asks for consent."
    ]


LINKS = "<li><a href='https://a.example/'>The order, signed</a></li><li><a href='https://b.example/'>What the surveyor wrote</a></li>"


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        (f"<p>Two papers that I read on the train.</p><ul>{LINKS}</ul>", ["Two papers that I read on the train.", "- The order, signed", "- What the surveyor wrote"]),
        (f"<p>You need to see these!</p><ol>{LINKS}</ol>", ["You need to see these!", "1. The order, signed", "2. What the surveyor wrote"]),
        (f"<p><strong>From the archive</strong></p><ul>{LINKS}</ul>", ["From the archive", "- The order, signed", "- What the surveyor wrote"]),
        (f"<h3>The papers</h3><ul>{LINKS}</ul>", ["The papers", "- The order, signed", "- What the surveyor wrote"]),
        (f"<p>Das sind die beiden Papiere:</p><ul>{LINKS}</ul>", ["Das sind die beiden Papiere:", "- The order, signed", "- What the surveyor wrote"]),
        (f"<p>Who asks? These two do.</p><ul class='wp-block-list'>{LINKS}</ul>", ["Who asks? These two do.", "- The order, signed", "- What the surveyor wrote"]),
    ],
)  # fmt: skip
def test_a_list_of_links_that_the_text_leads_to_is_kept(inner: str, expected: list[str]) -> None:
    assert within(inner) == expected


@pytest.mark.parametrize(
    "inner",
    [
        f"<p>Read more.</p><ul>{LINKS}</ul>",
        f"<h3>Related stories</h3><ul>{LINKS}</ul>",
        f"<p>On the same matter.</p><ul class='related-links'>{LINKS}</ul>",
        f"<ul role='navigation'>{LINKS}</ul>",
        f"<h2>Lesen Sie auch</h2><ul>{LINKS}</ul>",
    ],
)
def test_a_list_of_links_to_other_stories_is_no_text(inner: str) -> None:
    assert not any("surveyor wrote" in line for line in within(inner))


def thread(*posts: str, around: str = "<div class='posts'>{}</div>") -> str:
    return around.format("".join(posts))


POSTS = [
    "Who signed it?",
    "Nobody, it seems.\nRead item 4.",
    "The officers had the power to sign it without a vote, under the scheme of 1998, so the vote was for show.",
]
PROGRAMS = {
    "xenforo 1": "<li class='message'><h3 class='username'>ada</h3><div class='messageContent'><article><blockquote class='messageText'>{}</blockquote></article></div><div class='messageMeta'>#1 <a href='/l'>Like</a></div></li>",
    "smf": "<div class='windowbg'><div class='post_wrapper'><div class='poster'><h4>ada</h4></div><div class='postarea'><div class='post'><div class='inner' id='msg_{number}'>{}</div></div></div><div class='moderatorbar'><div class='signature'>Green or nothing</div></div></div></div>",
    "phpbb": "<div class='post bg2' id='p{number}'><div class='inner'><dl class='postprofile'><dt>ada</dt></dl><div class='postbody'><h3>Re: Bridge</h3><p class='author'>by ada</p><div class='content'>{}</div><div class='signature'>Green or nothing</div></div></div></div>",
    "flarum": "<div class='PostStream-item'><article class='CommentPost Post'><header class='Post-header'><h3>ada</h3></header><div class='Post-body'>{}</div><footer class='Post-footer'>Reply</footer></article></div>",
    "discourse": "<div class='topic-post'><article><div class='topic-avatar'>A</div><div class='topic-body'><div class='names'>ada</div><div class='regular contents'><div class='cooked'>{}</div><nav class='post-controls'>Reply</nav></div></div></article></div>",
    "discourse, for print": "<div class='topic-body crawler-post'><div class='crawler-post-meta'><span class='creator'>ada</span></div><div class='post' itemprop='text'>{}</div></div>",
    "mybb": "<div class='post classic'><div class='post_author'>ada</div><div class='post_content'><div class='post_body scaleimages' id='pid_{number}'>{}</div></div></div>",
    "vbulletin": "<table id='post{number}'><tr><td>ada</td></tr><tr><td><div id='post_message_{number}'>{}</div></td></tr></table>",
    "phpbb 2": "<table><tr><td><span class='name'>ada</span></td><td><span class='postbody'>{}</span><span class='gensmall'>Edited once</span></td></tr></table>",
    "smf, for print": "<dl><dt class='postheader'>Post by: <strong>ada</strong></dt><dd class='postbody'>{}</dd></dl>",
    "flarum without scripts": "<noscript><article><div class='PostUser'><h3>ada</h3></div><div class='Post-body'>{}</div></article></noscript>",
    "khoros": "<div class='lia-message-view'><div class='lia-message-author'>ada</div><div class='lia-message-body' id='bodyDisplay'><div class='lia-message-body-content'>{}</div></div><div class='lia-message-footer'>Kudos</div></div>",
    "wpforo": "<div class='post-wrap'><div class='wpforo-post-head'>ada</div><div class='wpforo-post-content'>{}</div><div class='wpforo-post-foot'>Reply</div></div>",
    "discuz": "<table><tr><td class='pls'>ada</td><td class='plc'><div class='pct'><table><tr><td class='t_f' id='postmessage_{number}'>{}</td></tr></table></div></td></tr></table>",
    "asgaros": "<div class='post-element'><div class='post-author'>ada</div><div class='post-wrapper'><div class='post-message'>{}</div><div class='post-footer'>Reply</div></div></div>",
    "question2answer": "<div class='qa-a-list-item'><div class='qa-a-item-votes'>3</div><div class='qa-a-item-content'>{}</div><span class='qa-a-item-meta'>answered by ada</span></div>",
    "schema.org": "<div itemscope itemtype='https://schema.org/DiscussionForumPosting'><span itemprop='author'>ada</span><div itemprop='text'>{}</div></div>",
}  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("markup", ["plain", "paragraphs"])
def test_a_thread_has_all_its_posts_and_nothing_else(program: str, markup: str) -> None:
    def words(post: str) -> str:
        parts = post.split("\n")
        return "<br>".join(parts) if markup == "plain" else "".join(f"<p>{part}</p>" for part in parts)

    posts = [PROGRAMS[program].format(words(post), number=number) for number, post in enumerate(POSTS)]
    note = f"<div class='copyright'><p>{SECOND}</p></div>"
    assert lines(f"<h1>The bridge</h1>{thread(*posts)}{note}") == "\n".join(POSTS).split("\n")


REMARKS = [
    "I was on the bridge on that morning, and I can say that the paint was there before the surveyor had been asked at all.",
    "The clerk is right about his lists, for I have seen them, and the order was on none that I was allowed to look at.",
    "So the money went to the painter before the vote, which is what we said in the spring when nobody would listen to us.",
]
AREAS = {
    "list": "<div id='comments'><h3>3 Comments</h3><ol class='commentlist'>{}</ol></div>|<li class='comment'><p>{}</p></li>",
    "boxes without a name around": "<h2>Comments</h2>{}|<details class='CommentBox' open><summary>ada</summary><p>{}</p></details>",
    "a section of articles": "<section class='post-comments'><h2>Responses</h2>{}</section>|<article class='comment'><footer><b>ada</b> says:</footer><p>{}</p><a href='#r'>Reply</a></article>",
    "only a heading": "<h2>3 replies</h2><ol class='thread'>{}</ol>|<li><article><p>{}</p></article></li>",
    "in german": "<div class='leser-kommentare'><h2>Kommentare (3)</h2>{}</div>|<div class='kommentar'><b>ada</b><p>{}</p></div>",
    "divisions": "<div class='Comments-list'>{}</div>|<div class='Comment'><div class='Comment-text'>{}</div></div>",
}  # fmt: skip


@pytest.mark.parametrize("name", AREAS)
@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("post", ["short", "long"])
def test_comments_of_readers_are_apart(name: str, inside: bool, post: str) -> None:
    around, each = AREAS[name].split("|")
    comments = around.format("".join(each.format(remark) for remark in REMARKS))
    words = ["It is green now.", "I am sorry."] if post == "short" else [FIRST, SECOND, THIRD, LAST]
    text = "<h1>The bridge</h1>" + "".join(f"<p>{word}</p>" for word in words)
    article = page(f"<main><article>{text}{comments if inside else ''}</article>{'' if inside else comments}</main>")
    assert (article.text or "").splitlines() == ["The bridge", *words]
    assert all(remark in (article.comments or "") for remark in REMARKS)


def test_a_page_of_nothing_but_comments_has_them_as_its_text() -> None:
    found = page(
        f"<main><h1>Letters</h1><div class='comments'>{''.join(f'<p>{remark}</p>' for remark in REMARKS)}</div></main>"
    )
    assert all(remark in (found.text or "") or remark in (found.comments or "") for remark in REMARKS)


def test_an_article_whose_box_is_named_for_an_opinion_is_no_comment() -> None:
    inner = f"<div class='section-comment'><h1>The bridge</h1><p>{FIRST}</p><p>{SECOND}</p><p>{THIRD}</p></div>"
    assert lines(f"<main>{inner}</main>")[-3:] == [FIRST, SECOND, THIRD]


def test_a_chapter_on_comments_is_text() -> None:
    chapter = f"<section id='comments'><h2>Comments</h2><p>{FIRST}</p><pre># green</pre></section><section id='more'><h2>More</h2><p>{SECOND}</p></section>"
    found = lines(f"<main><h1>The manual</h1><p>{THIRD}</p>{chapter}</main>")
    assert {THIRD, FIRST, "# green", SECOND} <= set(found)
