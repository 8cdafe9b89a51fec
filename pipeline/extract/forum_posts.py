"""The posts of a forum's thread, by the markup of widespread forum programs."""

from __future__ import annotations

import re
from copy import deepcopy
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from pipeline.extract.forum_quotes import shorten_quotes
from pipeline.extract.seen_parts import is_hidden

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# Class names of the element that holds a post's words and nothing else.
_BODIES = {
    "bbWrapper",  # XenForo 2
    "messageText",  # XenForo 1, WoltLab
    "Post-body",  # Flarum
    "cooked",  # Discourse
    "post_body", "post_message",  # MyBB, vBulletin
    "postcontent", "js-post__content-text",  # vBulletin 4 and 5
    "postmsg", "post-msg",  # FluxBB, PunBB
    "bbp-reply-content", "bbp-topic-content",  # bbPress
    "ipsComment_content", "cPost_contentWrap",  # Invision
    "postbody-content",
    "js-post-body",  # Stack Exchange
    "eve-import-post",  # Crowdstack
    "lia-message-body-content",  # Khoros
    "wpforo-post-content",  # wpForo
    "spPostContent",  # Simple:Press
    "t_f",  # Discuz!
    "postcolor",  # Invision 2
    "commtext", "toptext",  # Hacker News
    "comment_text",  # Lobsters
    "qa-q-view-content", "qa-a-item-content",  # Question2Answer
    "msg_body",  # GameFAQs
    "replytext",  # Whirlpool
    "jive-rendered-content",  # Jive
}  # fmt: skip
# Class names of such elements that other pages have too, and what one of the elements around has to be named.
_BODIES_WITHIN = {
    "content": re.compile(r"(?:^|\s)(?:postbody|post_wrapper)(?:$|\s)"),  # phpBB 3
    "inner": re.compile(r"(?:^|\s)(?:postarea|post_wrapper|windowbg2?)(?:$|\s)"),  # SMF
    "post": re.compile(
        r"(?:^|\s)(?:topic-body|crawler-post|crawler-topic-view)(?:$|\s)"
    ),  # Discourse for crawlers, print
    "userContent": re.compile(r"(?:^|\s)(?:Comment|Discussion|Item-Body|Message)(?:$|\s)"),  # Vanilla
    "Message": re.compile(r"(?:^|\s)(?:Comment|Discussion|Item-Body)(?:$|\s)"),
    "usertext-body": re.compile(r"(?:^|\s)thing(?:$|\s)"),  # Reddit, before 2018
    "postText": re.compile(r"(?:^|\s)postItm(?:Cntnt)?(?:$|\s)|(?:^|\s)postItem(?:$|\s)"),  # JForum
    "post-message": re.compile(r"(?:^|\s)post-(?:element|wrapper)(?:$|\s)"),  # Asgaros
    "message": re.compile(r"(?:^|\s)item post(?:$|\s)"),  # ProBoards
    "content-text": re.compile(r"(?:^|\s)(?:forum|topic|thread)[\w-]*(?:$|\s)"),
}
_IDS = re.compile(r"(?:post_?message_\d+|msg_\d+|post-content-\d+)\Z")
_POST_TYPES = re.compile(r"(?:DiscussionForumPosting|/Comment|/Question|/Answer)\Z")
_THREAD_TYPES = ("DiscussionForumPosting", "/QAPage")
_SLOTS = {"text-body", "comment"}  # of Reddit's elements
_SAYING = {"slot", "data-role", "component", "id", "itemprop"}  # attributes, beside the class, by which a post is known
_SIGNATURE = re.compile(r"(?:^|[\s_-])(?:signature|post-?sig|sig-?content)(?:$|[\s_-])", re.IGNORECASE)
_REMARK = "comment-copy"  # on a post of Stack Exchange
_SPANS = {"postbody"}  # phpBB 2, the print view of SMF, Something Awful: spans, terms and cells
_TAGS = ("div", "span", "dd", "td", "blockquote", "article", "section")
_LONGEST_NAMES, _HIGHEST = 300, 6  # characters of an attribute; elements above a post that are looked at
_MOST_POSTS = 5_000
_FORUM = re.compile(
    r"xenforo|phpbb|smf|flarum|discourse|vbulletin|mybb|fluxbb|punbb|woltlab|invision|nodebb|vanilla", re.IGNORECASE
)


def posts_of(tree: HtmlElement) -> list[HtmlElement]:
    """Return the elements that hold the words of a thread's posts, in their order; none for any other page."""
    found: list[HtmlElement] = []
    inside: set[HtmlElement] = set()
    for element in tree.iter(*_TAGS):
        if element not in inside and _is_post(element):
            if any(is_hidden(above) or _is_signature(above) for above in (element, *element.iterancestors())):
                continue
            found.append(element)
            inside.update(element.iter())
            if len(found) >= _MOST_POSTS:
                break
    return found if len(found) > 1 or (found and _names_program(tree)) else []


def remarks_of(tree: HtmlElement) -> list[HtmlElement]:
    """Return the elements that hold remarks on posts, which are no posts themselves."""
    return [element for element in tree.iter("span", "div") if element.get("class") == _REMARK][:_MOST_POSTS]


def page_of_posts(tree: HtmlElement) -> HtmlElement:
    """Return a page that has nothing but a thread's posts."""
    from lxml import html

    page: HtmlElement = html.document_fromstring('<html><body><div class="post-content"></div></body></html>')
    posts = [deepcopy(post) for post in posts_of(tree)]
    shorten_quotes(posts)
    for copied in posts:
        copied.tag, copied.tail = "div", None
        copied.attrib.clear()
        page.find("body")[0].append(copied)
    return page


def _is_signature(element: HtmlElement) -> bool:
    names = element.get("class")
    return names is not None and len(names) < _LONGEST_NAMES and _SIGNATURE.search(names) is not None


def _is_post(element: HtmlElement) -> bool:
    get = element.get
    names = get("class")
    if names == _REMARK:
        return False
    if names is not None and len(names) < _LONGEST_NAMES:
        if _named_body(names, element.tag):
            return True
        for name in _within(names):
            if _around(element, _BODIES_WITHIN[name]):
                return True
    if _SAYING.isdisjoint(element.keys()):  # of most elements: what is asked below is asked of few
        return False
    if get("slot") in _SLOTS and any(
        above.tag.startswith("shreddit-") for above in islice(element.iterancestors(), _HIGHEST)
    ):
        return True
    if get("data-role") == "commentContent" or get("component") == "post/content":
        return True
    identity = get("id")
    if identity is not None and len(identity) < _LONGEST_NAMES and _IDS.match(identity):
        return True
    return get("itemprop") == "text" and _is_typed(element)


@lru_cache(maxsize=20_000)  # pages repeat their names
def _named_body(names: str, tag: str) -> bool:
    classes = set(names.split())
    return not _BODIES.isdisjoint(classes) or (tag in {"span", "dd", "td"} and not _SPANS.isdisjoint(classes))


@lru_cache(maxsize=20_000)
def _within(names: str) -> tuple[str, ...]:
    return tuple(name for name in names.split() if name in _BODIES_WITHIN)


def _around(element: HtmlElement, names: re.Pattern[str]) -> bool:
    for _, above in zip(range(_HIGHEST), element.iterancestors(), strict=False):
        value = above.get("class")
        if value is not None and len(value) < _LONGEST_NAMES and names.search(value):
            return True
    return False


def _is_typed(element: HtmlElement) -> bool:
    """Return whether the nearest thing of schema.org around an element is a post of a thread."""
    for _, above in zip(range(2 * _HIGHEST), element.iterancestors(), strict=False):
        if (kind := above.get("itemtype")) is not None:
            return _POST_TYPES.search(kind.strip()) is not None and _in_thread(above)
    return False


def _in_thread(element: HtmlElement) -> bool:
    return any(
        (above.get("itemtype") or "").strip().endswith(_THREAD_TYPES) for above in (element, *element.iterancestors())
    )


def _names_program(tree: HtmlElement) -> bool:
    """Return whether a page says that a forum program made it."""
    for meta in tree.iter("meta"):
        if (meta.get("name") or "").lower() == "generator" and _FORUM.search(meta.get("content") or ""):
            return True
    body = tree.find("body")
    names = " ".join(
        (element.get(name) or "") for element in (tree, body) if element is not None for name in ("id", "class")
    )
    return _FORUM.search(names) is not None or (tree.get("id") or "") == "XF"
