"""What readers saw of a shortcode: titles, labels, images and links that stand in attributes, as plain markup."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape, unescape
from urllib.parse import unquote

from pipeline.discover.embed_providers import Embed, embed_of
from pipeline.discover.embed_shortcodes import embed_of_shortcode
from pipeline.extract.shortcodes.known_names import is_inline, is_known

_MARKUP = re.compile(r"<[^<>]*>")
_SPACE = re.compile(r"\s+")
_LETTER = re.compile(r"[^\W_]")
_SETTINGS = frozenset(["on", "off", "yes", "no", "true", "false", "default", "none", "null", "manually", "0"])
_LONGEST_TEXT = 2_000  # characters of an attribute that is shown
_LONGEST_HEADING = 400  # characters of what a heading may wrap
_HEADING_STOPS = re.compile(r"<(?:p|div|h[1-6]|ul|ol|table|blockquote|section)\b", re.IGNORECASE)
_URL = re.compile(r"(?:https?:/|(?=/[^/\\]))/?[^\s\"'<>\[\]\\]*[^\s\"'<>\[\]\\/:][^\s\"'<>\[\]\\]*", re.IGNORECASE)
_IMAGE = re.compile(r"\.(?:jpe?g|png|gif|webp|avif|svg)(?:\?|\Z)", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:https?:)?//[^\s\[\]]+|", re.IGNORECASE)  # or nothing at all
_LEVEL = re.compile(r"(?:tag:|.{0,100}\|tag:)?h?([1-6])(?![0-9a-z])")
_BASE64 = re.compile(r"[A-Za-z0-9+/=%\s]{8,}")
_SOURCE = re.compile(r"\b(?:src|href)\s*=\s*[\"']?([^\s\"'>]{8,2000})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rule:
    """Which attributes of a shortcode were shown, by name; of each group the first that says something."""

    heading: tuple[str, ...] = ()
    level: int = 3
    lines: tuple[tuple[str, ...], ...] = ()  # a paragraph each, behind the heading
    after: tuple[str, ...] = ()  # a paragraph behind what the shortcode wraps
    label: tuple[str, ...] = ()  # of a button
    link: tuple[str, ...] = ()  # where it leads
    image: tuple[str, ...] = ()
    wraps: str = ""  # "heading", "link" or "image": what the wrapped text was; "code": it is encoded


@dataclass(frozen=True, slots=True)
class Shown:
    """What is put in the place of an opening tag and of its closing one; `drops`: what they wrap goes with them."""

    before: str = ""
    after: str = ""
    drops: bool = False
    block: bool = True
    wraps: bool = False  # whether the two are a heading around what is wrapped
    embeds: tuple[Embed, ...] = ()


_LINKS = ("link", "url", "href", "button_url", "button_link")
_BUTTON = Rule(label=("label", "title", "text", "button_text"), link=_LINKS)
_TITLED = Rule(heading=("title", "heading", "headline"))
_BARE = Rule()
_RULES: dict[str, Rule] = {
    "av_heading": Rule(heading=("heading",)),
    "av_button": Rule(label=("label",), link=("link",)),
    "av_button_big": Rule(label=("label",), link=("link",)),
    "av_promobox": Rule(label=("label",), link=("link",)),
    "av_testimonial_single": Rule(after=("name",)),
    "av_team_member": Rule(heading=("name",), lines=(("job",),)),
    "av_image": Rule(image=("src", "url")),
    "av_catalogue_item": Rule(heading=("title",), lines=(("price",),)),
    "av_timeline_item": Rule(heading=("title", "date")),
    "av_headline_rotator": Rule(lines=(("before_rotating",), ("after_rotating",))),
    "av_gallery": _BARE,
    "av_hr": _BARE,
    "et_pb_image": Rule(image=("src",)),
    "et_pb_fullwidth_image": Rule(image=("src",)),
    "et_pb_testimonial": Rule(after=("author",)),
    "et_pb_team_member": Rule(heading=("name",), lines=(("position",),)),
    "et_pb_button": Rule(label=("button_text",), link=("button_url", "button_link")),
    "et_pb_fullwidth_header": Rule(
        heading=("title",), lines=(("subhead",),), label=("button_one_text",), link=("button_one_url",)
    ),
    "et_pb_slide": Rule(heading=("heading",), label=("button_text",), link=("button_link",)),
    "et_pb_cta": Rule(heading=("title",), label=("button_text",), link=("button_url",)),
    "et_pb_pricing_table": Rule(
        heading=("title",), lines=(("subtitle",),), label=("button_text",), link=("button_url",)
    ),
    "et_pb_number_counter": Rule(heading=("title",)),
    "vc_custom_heading": Rule(heading=("text",), level=2, wraps="heading"),
    "vcex_heading": Rule(heading=("text",), level=2),
    "vc_cta": Rule(heading=("h2",), level=2, lines=(("h4",),), label=("btn_title",), link=("btn_link",)),
    "vc_cta_button": Rule(heading=("call_text",), label=("title",), link=("href",)),
    "vc_cta_button2": Rule(heading=("h2",), level=2, lines=(("h4",),), label=("title",), link=("link",)),
    "vc_btn": _BUTTON,
    "vc_button": _BUTTON,
    "vc_button2": _BUTTON,
    "vc_single_image": Rule(heading=("title",), image=("custom_src", "src", "img_link", "image")),
    "vc_raw_html": Rule(wraps="code"),
    "vc_raw_js": Rule(wraps="code"),
    "fusion_code": Rule(wraps="code"),
    "fusion_title": Rule(level=2, wraps="heading"),
    "fusion_button": Rule(link=("link",), wraps="link"),
    "fusion_imageframe": Rule(image=("src", "image"), wraps="image"),
    "fusion_slide": Rule(wraps="image"),
    "fusion_testimonial": Rule(after=("name",)),
    "fusion_person": Rule(heading=("name",), lines=(("title",),), image=("picture",)),
    "fusion_flip_box": Rule(heading=("title_front",), lines=(("text_front",), ("title_back",))),
    "fusion_tagline_box": Rule(heading=("title",), lines=(("description",),), label=("button",), link=("link",)),
    "fusion_builder_container": _BARE,
    "su_heading": Rule(level=2, wraps="heading"),
    "su_button": Rule(link=("url",), wraps="link"),
    "su_quote": Rule(after=("cite",)),
    "x_custom_headline": Rule(level=2, wraps="heading"),
    "x_feature_headline": Rule(level=2, wraps="heading"),
    "x_button": Rule(link=("href",), wraps="link"),
    "x_image": Rule(image=("src",)),
    "x_promo": Rule(image=("image",)),
    "x_pullquote": Rule(after=("cite",)),
    "x_blockquote": Rule(after=("cite",)),
    "x_callout": Rule(heading=("title",), lines=(("message",),), label=("button_text",), link=("href",)),
    "x_prompt": Rule(heading=("title",), lines=(("message",),), label=("button_text",), link=("href",)),
    "x_feature_box": Rule(heading=("title",), lines=(("text",),)),
    "x_alert": Rule(heading=("heading",)),
    "td_block_text_with_title": Rule(heading=("custom_title",)),
    "caption": Rule(after=("caption",)),
    "wp_caption": Rule(after=("caption",)),
}
_DIVI = Rule(heading=("title", "heading"), label=("button_text",), link=("button_url", "button_link"))


def shown(name: str, values: Mapping[str, str], content: str | None) -> Shown:
    """Return what readers saw of a shortcode; `content` is the raw text that it wraps, None when it wraps none."""
    embed = embed_of_shortcode(name, values, content or "")
    if embed is not None:
        drops = content is not None and _ADDRESS.fullmatch(_text(content)) is not None
        return Shown(_link_paragraph(embed.url, embed.url), drops=drops, embeds=(embed,))
    rule = _rule(name)
    if not (rule.wraps and content) and _names(rule).isdisjoint(values):
        return _plain(name)
    if rule.wraps == "code" and content is not None:
        return _decoded(content)
    before = [_heading(rule, values), *(_paragraph(_first(values, names)) for names in rule.lines)]
    before.append(_image(rule, values, content))
    drops = rule.wraps == "image" and bool(before[-1]) and "<" not in (content or "")
    opening, closing = _wrapping(rule, values, content) if not before[0] else ("", "")
    after = _paragraph(_first(values, rule.after)) + _button(rule, values)
    return Shown("".join(before) + opening, closing + after, drops, not is_inline(name), opening.startswith("<h"))


@lru_cache(maxsize=1024)
def _plain(name: str) -> Shown:
    """Return what is seen of a shortcode that says nothing: whether a paragraph ends with it."""
    return Shown(block=not is_inline(name))


@lru_cache(maxsize=1024)
def _rule(name: str) -> Rule:
    rule = _RULES.get(name)
    if rule is not None:
        return rule
    if name.startswith("et_pb_"):
        return _DIVI
    return _TITLED if is_known(name) and "_" in name else _BARE


@lru_cache(maxsize=256)
def _names(rule: Rule) -> frozenset[str]:
    """All attributes that are shown."""
    lines = (name for names in rule.lines for name in names)
    return frozenset((*rule.heading, *rule.after, *rule.label, *rule.link, *rule.image, *lines))


def _text(value: str) -> str:
    """Return the words of a value, without markup; page builders have signs of their own for quotes and brackets."""
    value = value[:_LONGEST_TEXT].replace("``", '"').replace("%22", '"').replace("%91", "[").replace("%93", "]")
    return _SPACE.sub(" ", unescape(_MARKUP.sub(" ", value))).strip()


def _first(values: Mapping[str, str], names: tuple[str, ...]) -> str:
    """Return the text of the first of these attributes that says something."""
    for name in names:
        text = _text(values.get(name) or "")
        if _LETTER.search(text) and text.lower() not in _SETTINGS:
            return text
    return ""


def _paragraph(text: str) -> str:
    return f"<p>{escape(text, quote=False)}</p>" if text else ""


def _link_paragraph(url: str, text: str) -> str:
    return f'<p><a href="{escape(url)}">{escape(text, quote=False)}</a></p>'


def _heading(rule: Rule, values: Mapping[str, str]) -> str:
    text = _first(values, rule.heading)
    if not text:
        return ""
    level = _level(rule, values)
    return f"<h{level}>{escape(text, quote=False)}</h{level}>"


def _level(rule: Rule, values: Mapping[str, str]) -> int:
    for name in ("tag", "level", "header_level", "title_level", "heading_tag", "font_container", "size"):
        found = _LEVEL.match(values.get(name, ""))
        if found:
            return int(found[1])
    return rule.level


def _button(rule: Rule, values: Mapping[str, str]) -> str:
    label = _first(values, rule.label)
    link = _target(values, rule.link)
    if not label:
        return ""
    return _link_paragraph(link, label) if link else _paragraph(label)


def _target(values: Mapping[str, str], names: tuple[str, ...]) -> str:
    """Where a button leads: an http(s) URL or a path of the site, however the page builder writes it."""
    for name in names:
        value = values.get(name, "").strip()
        if value.startswith("url:"):
            value = unquote(value[4:].partition("|")[0])
        found = _URL.fullmatch(value.removeprefix("manually,").strip())
        if found:
            return found[0]
    return ""


def _image(rule: Rule, values: Mapping[str, str], content: str | None) -> str:
    source = _target(values, rule.image)
    if not source and rule.wraps == "image" and content is not None and len(content) < _LONGEST_TEXT:
        inner = _URL.fullmatch(unescape(content).strip())
        source = inner[0] if inner and _IMAGE.search(inner[0]) else ""
    if not source:
        return ""
    alt = _first(values, ("alt", "image_alt", "title_text"))
    return f'<img src="{escape(source)}" alt="{escape(alt)}">'


def _wrapping(rule: Rule, values: Mapping[str, str], content: str | None) -> tuple[str, str]:
    """Return the tags that make of the wrapped text what it was: a heading, a link."""
    if content is None or len(content) > _LONGEST_HEADING:
        return "", ""
    if rule.wraps == "heading" and _text(content) and not _HEADING_STOPS.search(content):
        level = _level(rule, values)
        return f"<h{level}>", f"</h{level}>"
    if rule.wraps == "link" and "<a" not in content and (link := _target(values, rule.link)):
        return f'<a href="{escape(link)}">', "</a>"
    return "", ""


def _decoded(content: str) -> Shown:
    """Code that a page builder stores encoded: the works it embeds are named, the rest was no text to begin with."""
    text = content.strip()
    if not _BASE64.fullmatch(text):
        return Shown()
    try:
        code = unquote(base64.b64decode(unquote(text), validate=False).decode("utf-8", "replace"))
    except (ValueError, binascii.Error):
        return Shown(drops=True)
    found = dict.fromkeys(
        embed for source in _SOURCE.findall(code) if (embed := embed_of(unescape(source))) is not None
    )
    return Shown("".join(_link_paragraph(embed.url, embed.url) for embed in found), drops=True, embeds=tuple(found))
