"""The works that shortcodes of blogs show, as the addresses under which they are worth capturing.

A shortcode names a work by an id, or by an address that `pipeline.discover.embed_providers` knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import unescape

from pipeline.discover.embed_providers import (
    LONGEST,
    NAME,
    NUMBER,
    Address,
    Embed,
    Query,
    archive_org,
    documentcloud,
    embed_at,
    is_pdf,
    issuu_work,
    matched,
    scribd_work,
    slideshare_work,
    soundcloud_resource,
    tweet_work,
    vimeo,
    web_address,
    youtube_work,
)

_LINK = re.compile(r"https?://[^\s<>\"'\[\]\u2018-\u201f\u2032\u2033]{4,2000}", re.IGNORECASE)


def embed_of_shortcode(name: str, attributes: Mapping[str, str], content: str) -> Embed | None:
    """Return the work that a shortcode such as `[scribd id=1 key=key-a]` shows, or None.

    Attributes have lower-case names; those without a name are called "0", "1" and so on, as WordPress calls them.
    """
    values = {key: value.strip() for key, value in attributes.items() if len(value) <= LONGEST}
    kind = _ALIASES.get(name, name)
    if kind in _BY_IDS:
        found = _BY_IDS[kind](values)
        if found is not None:
            return found
    if kind in _BY_URL:
        for reference in _references(values, _BY_URL[kind], content):
            found = embed_at(reference, 0) or _file(reference, kind)
            if found is not None:
                return found
    return None


def _file(reference: str, kind: str) -> Embed | None:
    """Return the file that a shortcode for files names, where no known site holds it."""
    url = web_address(reference)
    if url is None or kind not in _FILES:
        return None
    return Embed("pdf" if is_pdf(url) else kind, url)


def _references(values: Query, names: tuple[str, ...], content: str) -> list[str]:
    """Return the addresses in the named attributes, in those without a name, and in the wrapped content."""
    found = [values[name] for name in (*names, "0", "1") if values.get(name)]
    # A link may have been made of an address by the blog's software.
    texts = [link[0] if (link := _LINK.search(value)) and "<" in value else value for value in found]
    if (link := _LINK.search(unescape(content[:LONGEST]))) is not None:
        texts.append(link[0])
    return [text.strip("\u201c\u201d\u2018\u2019\"'") for text in texts]


def _scribd_code(values: Query) -> Embed | None:
    return scribd_work(
        values.get("id") or values.get("doc"), values.get("key") or values.get("access_key"), values.get("mode")
    )


def _documentcloud_code(values: Query) -> Embed | None:
    slug = matched(NAME, values.get("id") or values.get("0"))
    return documentcloud(Address(["documents", slug], {})) if slug else None


def _youtube_code(values: Query) -> Embed | None:
    found = youtube_work(values.get("id") or values.get("v"), values.get("list"))
    bare = values.get("0", "")
    # Eleven small letters are a word of someone's remark.
    return found or (None if re.fullmatch(r"[a-z]+", bare) else youtube_work(bare))


def _vimeo_code(values: Query) -> Embed | None:
    number = (values.get("id") or values.get("clip_id") or values.get("0") or "").partition("?")[0]
    return vimeo(Address([number], values))


def _tweet_code(values: Query) -> Embed | None:
    return tweet_work("i", values.get("id") or values.get("tweet_id") or values.get("0"))


def _archive_org_code(values: Query) -> Embed | None:
    item = values.get("id") or values.get("identifier")
    bare = values.get("0", "")
    return archive_org(Address(["details", item or (bare if re.search(r"[\d_-]", bare) else "")], {}))


def _soundcloud_code(values: Query) -> Embed | None:
    number = matched(NUMBER, values.get("id"))
    return soundcloud_resource(Address(["tracks", number], {})) if number else None


def _issuu_code(values: Query) -> Embed | None:
    return issuu_work(
        values.get("username") or values.get("user") or values.get("u"),
        values.get("docname") or values.get("name") or values.get("d"),
    )


def _slideshare_code(values: Query) -> Embed | None:
    return slideshare_work((values.get("id") or values.get("key") or "").partition("&")[0])


# Other names of the same, and of shortcodes that show a file.
_ALIASES = {
    **dict.fromkeys(("su_youtube", "su_youtube_advanced", "fusion_youtube", "embedyt", "youtube_sc", "yt"), "youtube"),
    **dict.fromkeys(("su_vimeo", "fusion_vimeo"), "vimeo"),
    **dict.fromkeys(("twitter", "embedtweet", "blackbirdpie", "embed_tweet"), "tweet"),
    **dict.fromkeys(("archive-org", "archive_org", "internetarchive"), "archiveorg"),
    "fusion_soundcloud": "soundcloud",
    **dict.fromkeys(("pdf-embedder", "pdfjs-viewer", "pdfviewer", "pdf", "pdf_embed", "pdf-viewer", "pdfembed"), "pdf"),
    **dict.fromkeys(("gview", "google-doc-viewer", "embeddoc", "su_document", "googleviewer", "iframe"), "document"),
    **dict.fromkeys(("real3dflipbook", "dflip", "flipbook", "3d-flip-book", "wonderplugin_pdf"), "pdf"),
    **dict.fromkeys(("su_audio", "av_player", "et_pb_audio", "fusion_audio", "x_audio_player"), "audio"),
    **dict.fromkeys(("su_video", "av_video", "et_pb_video", "vc_video", "fusion_video", "x_video_player"), "video"),
}
_BY_IDS: dict[str, Callable[[Query], Embed | None]] = {
    "scribd": _scribd_code, "documentcloud": _documentcloud_code, "youtube": _youtube_code, "vimeo": _vimeo_code,
    "tweet": _tweet_code, "archiveorg": _archive_org_code, "soundcloud": _soundcloud_code, "issuu": _issuu_code,
    "slideshare": _slideshare_code,
}  # fmt: skip
_BY_URL: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_BY_IDS, ("url", "src", "link", "id")),
    "embed": ("src", "url"),
    "pdf": ("url", "file", "src", "pdf", "source", "href"),
    "document": ("url", "file", "src", "href"),
    "audio": ("src", "mp3", "url", "m4a", "ogg", "wav", "wma", "flac", "audio"),
    "video": ("src", "mp4", "url", "link", "m4v", "webm", "ogv", "wmv", "flv", "video"),
}
_FILES = {"embed", "pdf", "document", "audio", "video"}
