"""Names of shortcodes: which are known to be no word of prose, and which may stand within a line."""

from __future__ import annotations

import re
from functools import lru_cache

# Page builders: nothing else is written like this between brackets, with or without attributes.
FAMILY = (
    r"(?:(?:av|avia|et_pb|et_bloom|et_social|vc|vcex|fusion|su|cs|td|tdm|tdc|tdb|tds|mk|nectar|qode|mkdf?|eltdf?|edgtf?|ux|kc|"
    r"tatsu|themify|ult|stm|thb)_[a-z][a-z0-9_]+|av_[a-z]|"
    r"x_(?:accordion|alert|audio|block|blockquote|button|callout|card|code|column|container|content|counter|creative|"
    r"custom|dropcap|extra|feature|gap|google|highlight|icon|image|lightbox|line|map|promo|prompt|protect|pullquote|raw|"
    r"recent|responsive|row|search|section|share|skill|slide|tab|text|toc|video|visibility|widget)[a-z0-9_]*)"
)
# Plugins and older themes whose shortcodes are often met, and often without quoted attributes.
_KNOWN = re.compile(
    r"contact-form-7|gravityforms?|wpforms|ninja_forms?|mc4wp_form|formidable|caldera_form|ngg_images|nggallery|"
    r"ngg_uploader|slideshow_deploy|rev_slider|layerslider|metaslider|smartslider3|masterslider|elementor-template|"
    r"siteorigin_widget|fl_builder_insert_layout|(?:one_half|(?:one|two)_third|(?:one|three)_fourth|[a-z]{3,5}_fifth|"
    r"(?:one|five)_sixth)(?:_last)?|clearboth|woocommerce_(?:cart|checkout|my_account)|addtoany|social_warfare|"
    r"bctt_tweet|click_to_tweet|easy-tweet|jetpack_subscription_form|shareaholic|print-me"
)
# What WordPress itself knows, and players: words of prose too, so that more than the name must speak for them.
CORE = frozenset({"caption", "wp_caption", "gallery", "playlist", "embed", "audio", "video"})
PLAYERS = frozenset(
    {"scribd", "documentcloud", "youtube", "vimeo", "tweet", "twitter", "archiveorg", "soundcloud", "issuu"}
    | {"slideshare", "gview", "pdf", "iframe", "embeddoc"}
)
# Their closing tags go even where no opening tag is left.
_STRAYS = frozenset({"caption", "wp_caption", "embed", "gallery", "playlist"})
_FAMILY = re.compile(FAMILY)
_INLINE = re.compile(
    r"(?:su|fusion|x|av|vc|et_pb)_(?:highlight|tooltip|label|dropcap\d?|popover|icon|font_icon|fontawesome|extra|"
    r"modal_text_link|onepage_text_link|lightbox|button)|fusion_button|dropcap|highlight|tooltip"
)


@lru_cache(maxsize=1024)
def is_known(name: str) -> bool:
    """Whether the name alone says that a bracket holds a shortcode."""
    return _FAMILY.fullmatch(name) is not None or _KNOWN.fullmatch(name) is not None


def may_stray(name: str) -> bool:
    """Whether a closing tag without an opening one is taken away."""
    return is_known(name) or name in _STRAYS


def is_identifier(name: str) -> bool:
    """Whether the name is written as programs write names: with `_` or `-` inside."""
    return "_" in name or "-" in name


@lru_cache(maxsize=1024)
def is_inline(name: str) -> bool:
    """Whether the shortcode may stand within a line: what follows it is no paragraph of its own."""
    return not (is_known(name) or name in CORE) or _INLINE.fullmatch(name) is not None
