"""Works of other sites that a page shows: which document, video or post a player's address or a shortcode names.

Players and viewers have many addresses for one work; each work gets the one that is worth capturing. What an address or
an attribute says is checked before it is put into another address, so that no value leads to a site of its choosing;
only viewers, whose purpose it is, name a document that lies elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import unescape
from urllib.parse import parse_qs, quote, unquote, urljoin, urlsplit

from archive.model import Embed
from pipeline.capture.http.failures import Failure
from pipeline.capture.http.urls import checked_url

__all__ = ["Embed", "embed_of", "embed_of_shortcode"]

_LONGEST = 4_000  # characters of an address or an attribute that are looked at
_DEEPEST = 3  # viewers within viewers
_CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f\\<>\"]")
_NUMBER = re.compile(r"[0-9]{1,25}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}")  # an account, a slug, an item of a library
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{3,60}")
_SECRET = re.compile(r"[0-9a-f]{6,20}")  # what leads to a video that is not listed
_YOUTUBE = re.compile(r"[A-Za-z0-9_-]{11}")
_PLAYLIST = re.compile(r"(?:PL|UU|FL|OL|LL|RD)[A-Za-z0-9_-]{8,60}")
_PARAMETER = re.compile(r"[A-Za-z0-9_.%-]+")
_VIEW_MODES = {"scroll", "slideshow", "book", "list", "tile"}
_VIEWER_PATH = re.compile(r"view|pdf|reader|embed|flip|preview", re.IGNORECASE)
_LINK = re.compile(r"https?://[^\s<>\"'\[\]\u2018-\u201f\u2032\u2033]{4,2000}", re.IGNORECASE)

Query = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Address:
    """What stands behind the host: unescaped segments of the path, parameters, and how many viewers led here."""

    path: list[str]
    query: Query
    fragment: str = ""
    depth: int = 0

    def part(self, number: int) -> str | None:
        """A segment of the path, or None beyond its end."""
        return self.path[number] if number < len(self.path) else None


_Finder = Callable[[_Address], Embed | None]


def embed_of(url: str) -> Embed | None:
    """The work that the address of a page, player, viewer or oEmbed answer shows, or None when it shows none known.

    `//host/path` is taken for https. An address with controls, spaces or credentials shows nothing.
    """
    return _embed_of(unescape(url.strip()) if "&amp;" in url else url.strip(), 0)


def embed_of_shortcode(name: str, attributes: Mapping[str, str], content: str) -> Embed | None:
    """The work that a shortcode such as `[scribd id=1 key=key-a]` shows, or None when it shows none.

    Attributes have lower-case names; those without a name are called "0", "1" and so on, as WordPress calls them.
    """
    values = {key: value.strip() for key, value in attributes.items() if len(value) <= _LONGEST}
    kind = _ALIASES.get(name, name)
    if kind in _BY_IDS:
        found = _BY_IDS[kind](values)
        if found is not None:
            return found
    if kind in _BY_URL:
        for reference in _references(values, _BY_URL[kind], content):
            found = _embed_of(reference, 0) or _file(reference, kind)
            if found is not None:
                return found
    return None


def _embed_of(url: str, depth: int) -> Embed | None:
    checked = _web_address(url)
    if checked is None or depth > _DEEPEST:
        return None
    parts = urlsplit(checked)
    path = [unquote(part) for part in parts.path.split("/") if part]
    at = _Address(path, _query(parts.query), url.partition("#")[2], depth)
    if "oembed" in parts.path.lower() and "url" in at.query:
        return _embed_of(at.query["url"], depth + 1)
    finder = _HOSTS.get((parts.hostname or "").rstrip(".").removeprefix("www."))
    return finder(at) if finder is not None else _document(checked, at)


def _web_address(text: str) -> str | None:
    """An http(s) URL as browsers write it, or None; no credentials, no controls, not too long."""
    if text.startswith("//"):
        text = f"https:{text}"
    if not text[:8].lower().startswith(("http://", "https://")) or len(text) > _LONGEST or _CONTROL.search(text):
        return None
    try:
        return str(checked_url(text))
    except Failure:
        return None


def _query(text: str) -> dict[str, str]:
    try:
        return {key: values[0] for key, values in parse_qs(text, max_num_fields=100).items()}
    except ValueError:
        return {}


def _matched(pattern: re.Pattern[str], value: str | None) -> str | None:
    return value if value and pattern.fullmatch(value) else None


def _scribd(at: _Address) -> Embed | None:
    if at.part(0) not in {"embeds", "document", "doc", "fullscreen", "presentation", "full"}:
        return None
    return _scribd_work(at.part(1), at.query.get("access_key"), at.query.get("view_mode"))


def _scribd_work(number: str | None, key: str | None, mode: str | None) -> Embed | None:
    """A document of Scribd; the player's page shows all of it, with a key even one that is not listed."""
    number = _matched(_NUMBER, number)
    if number is None:
        return None
    parameters = [f"access_key={key}"] if key and _KEY.fullmatch(key) else []
    parameters += [f"view_mode={mode}"] if mode in _VIEW_MODES else []
    query = "?" + "&".join(parameters) if parameters else ""
    return Embed("scribd", f"https://www.scribd.com/embeds/{number}/content{query}", number)


def _documentcloud(at: _Address) -> Embed | None:
    if at.part(0) != "documents" or len(at.path) < 2:
        return None
    slug = _matched(_NAME, re.sub(r"\.(?:html|js|json|pdf|txt)\Z", "", at.path[1]))
    number = _matched(_NUMBER, (slug or "").partition("-")[0])
    if number is None:
        return None
    name = _matched(_NAME, at.part(2))
    if slug != number or name is None or not name.endswith(".pdf"):
        return Embed("documentcloud", f"https://www.documentcloud.org/documents/{slug}", number)
    return Embed("documentcloud", f"https://s3.documentcloud.org/documents/{number}/{name}", number)


def _youtube(at: _Address) -> Embed | None:
    first, second = at.part(0), at.part(1)
    if first in {"embed", "shorts", "live", "v", "e"}:
        return _youtube_work(second, at.query.get("list"))
    if first in {"watch", "watch_popup", "playlist"}:
        return _youtube_work(at.query.get("v") or second, at.query.get("list"))
    return None


def _youtu_be(at: _Address) -> Embed | None:
    return _youtube_work((at.part(0) or "").partition("&")[0])


def _youtube_work(video: str | None, playlist: str | None = None) -> Embed | None:
    """A video of YouTube, or else a list of videos."""
    if video and video != "videoseries" and _YOUTUBE.fullmatch(video):
        return Embed("youtube", f"https://www.youtube.com/watch?v={video}", video)
    if playlist and _PLAYLIST.fullmatch(playlist):
        return Embed("youtube", f"https://www.youtube.com/playlist?list={playlist}", playlist)
    return None


def _vimeo(at: _Address) -> Embed | None:
    for number, part in enumerate(at.path):
        if re.fullmatch(r"[0-9]{5,12}", part) and at.path[max(number - 1, 0)] not in {"album", "showcase"}:
            secret = _matched(_SECRET, at.query.get("h") or at.part(number + 1))
            return Embed("vimeo", f"https://vimeo.com/{part}" + (f"/{secret}" if secret else ""), part)
    return None


def _twitter(at: _Address) -> Embed | None:
    if at.path[:1] == ["embed"]:
        return _tweet_work("i", at.query.get("id"))
    for number, part in enumerate(at.path):
        if part in {"status", "statuses"}:
            return _tweet_work(at.path[0] if number == 1 else "i", at.part(number + 1))
    return None


def _tweet_work(account: str, number: str | None) -> Embed | None:
    """A post; without its account the address leads on to the one with it."""
    if not number or not re.fullmatch(r"[0-9]{2,20}", number):
        return None
    account = account if re.fullmatch(r"[A-Za-z0-9_]{1,20}", account) else "i"
    middle = "i/status" if account == "i" else f"{account}/status"
    return Embed("twitter", f"https://x.com/{middle}/{number}", number)


def _archive_org(at: _Address) -> Embed | None:
    item = _matched(_NAME, at.part(1))
    if item is None or at.path[0] not in {"details", "embed", "stream", "download"}:
        return None
    if at.path[0] == "download" and len(at.path) > 2:
        return Embed("archiveorg", f"https://archive.org/download/{item}/{quote('/'.join(at.path[2:]))}", item)
    return Embed("archiveorg", f"https://archive.org/details/{item}", item)


def _soundcloud(at: _Address) -> Embed | None:
    names = [part for part in at.path if _NAME.fullmatch(part)]
    if len(names) != len(at.path) or not 2 <= len(names) <= 4 or names[0] in {"pages", "discover", "search", "you"}:
        return None
    return Embed("soundcloud", "https://soundcloud.com/" + "/".join(names), "/".join(names))


def _soundcloud_player(at: _Address) -> Embed | None:
    inner = _web_address(at.query.get("url", ""))
    host = urlsplit(inner).hostname if inner else None
    allowed = {"api.soundcloud.com", "soundcloud.com", "www.soundcloud.com"}
    return _embed_of(inner, _DEEPEST) if inner and host in allowed else None


def _soundcloud_resource(at: _Address) -> Embed | None:
    """A track that answers only who has a key; the player shows it."""
    number = _matched(_NUMBER, at.part(1))
    if number is None or at.path[0] not in {"tracks", "playlists", "users"}:
        return None
    secret = _matched(_PARAMETER, at.query.get("secret_token"))
    resource = f"https://api.soundcloud.com/{at.path[0]}/{number}" + (f"?secret_token={secret}" if secret else "")
    return Embed("soundcloud", f"https://w.soundcloud.com/player/?url={quote(resource, safe='')}", number)


def _issuu(at: _Address) -> Embed | None:
    return _issuu_work(at.path[0], at.path[2]) if len(at.path) >= 3 and at.path[1] == "docs" else None


def _issuu_player(at: _Address) -> Embed | None:
    if at.query.get("d") and at.query.get("u"):
        return _issuu_work(at.query["u"], at.query["d"])
    numbers = re.fullmatch(r"([0-9]{1,12})/([0-9]{1,12})", at.fragment)
    return Embed("issuu", f"https://e.issuu.com/embed.html#{numbers[0]}", numbers[0]) if numbers else None


def _issuu_work(account: str | None, document: str | None) -> Embed | None:
    """A publication of an account of Issuu."""
    account, document = _matched(_NAME, account), _matched(_NAME, document)
    if not account or not document:
        return None
    return Embed("issuu", f"https://issuu.com/{account}/docs/{document}", f"{account}/{document}")


def _slideshare(at: _Address) -> Embed | None:
    if at.path[:2] == ["slideshow", "embed_code"]:
        return _slideshare_work(at.part(3) if at.part(2) == "key" else at.part(2))
    names = [part for part in at.path if _NAME.fullmatch(part)]
    if len(names) != len(at.path) or names[:1] in (["search"], ["category"], ["api"]):
        return None
    if len(names) == 3 and names[0] == "slideshow" and _NUMBER.fullmatch(names[2]):
        return Embed("slideshare", f"https://www.slideshare.net/slideshow/{names[1]}/{names[2]}", names[2])
    if len(names) == 2 and names[0] != "slideshow":
        return Embed("slideshare", f"https://www.slideshare.net/{names[0]}/{names[1]}", "/".join(names))
    return None


def _slideshare_work(key: str | None) -> Embed | None:
    """A presentation by its number or by the key of its player."""
    if not key or not re.fullmatch(r"[A-Za-z0-9]{3,30}", key):
        return None
    middle = "" if key.isdigit() else "key/"
    return Embed("slideshare", f"https://www.slideshare.net/slideshow/embed_code/{middle}{key}", key)


def _viewer(at: _Address) -> Embed | None:
    """A viewer that shows any document it is given: the document is what counts."""
    if not {"viewer", "gview", "viewerng", "op"}.intersection(at.path):
        return None
    wrapped = _web_address(at.query.get("url") or at.query.get("src") or "")
    if wrapped is None:
        return None
    return _embed_of(wrapped, at.depth + 1) or Embed("document", wrapped)


def _document(url: str, at: _Address) -> Embed | None:
    """A PDF, or a viewer on any site that is given one by `?file=` or `?url=`."""
    file = at.query.get("file") or (at.query.get("url") if _VIEWER_PATH.search("/".join(at.path)) else None)
    if file:
        wrapped = _web_address(_joined(url, file.strip().replace(" ", "%20")))
        found = _embed_of(wrapped, at.depth + 1) if wrapped else None
        if found is not None:
            return found
    return Embed("pdf", url) if _is_pdf(url) else None


def _joined(base: str, reference: str) -> str:
    try:
        return urljoin(base, reference)
    except ValueError:
        return ""


def _is_pdf(url: str) -> bool:
    return urlsplit(url).path.lower().endswith(".pdf")


def _file(reference: str, kind: str) -> Embed | None:
    """What a shortcode for files shows when no known site holds it: the file itself."""
    url = _web_address(reference)
    if url is None or kind not in _FILES:
        return None
    return Embed("pdf" if _is_pdf(url) else kind, url)


def _references(values: Query, names: tuple[str, ...], content: str) -> list[str]:
    """The addresses in the named attributes, in those without a name, and in what the shortcode wraps."""
    found = [values[name] for name in (*names, "0", "1") if values.get(name)]
    # A link may have been made of an address by the blog's software.
    texts = [link[0] if (link := _LINK.search(value)) and "<" in value else value for value in found]
    if (link := _LINK.search(unescape(content[:_LONGEST]))) is not None:
        texts.append(link[0])
    return [text.strip("\u201c\u201d\u2018\u2019\"'") for text in texts]


def _scribd_code(values: Query) -> Embed | None:
    return _scribd_work(
        values.get("id") or values.get("doc"), values.get("key") or values.get("access_key"), values.get("mode")
    )


def _documentcloud_code(values: Query) -> Embed | None:
    slug = _matched(_NAME, values.get("id") or values.get("0"))
    return _documentcloud(_Address(["documents", slug], {})) if slug else None


def _youtube_code(values: Query) -> Embed | None:
    found = _youtube_work(values.get("id") or values.get("v"), values.get("list"))
    bare = values.get("0", "")
    # Eleven small letters are a word of someone's remark.
    return found or (None if re.fullmatch(r"[a-z]+", bare) else _youtube_work(bare))


def _vimeo_code(values: Query) -> Embed | None:
    number = (values.get("id") or values.get("clip_id") or values.get("0") or "").partition("?")[0]
    return _vimeo(_Address([number], values))


def _tweet_code(values: Query) -> Embed | None:
    return _tweet_work("i", values.get("id") or values.get("tweet_id") or values.get("0"))


def _archive_org_code(values: Query) -> Embed | None:
    item = values.get("id") or values.get("identifier")
    bare = values.get("0", "")
    return _archive_org(_Address(["details", item or (bare if re.search(r"[\d_-]", bare) else "")], {}))


def _soundcloud_code(values: Query) -> Embed | None:
    number = _matched(_NUMBER, values.get("id"))
    return _soundcloud_resource(_Address(["tracks", number], {})) if number else None


def _issuu_code(values: Query) -> Embed | None:
    return _issuu_work(
        values.get("username") or values.get("user") or values.get("u"),
        values.get("docname") or values.get("name") or values.get("d"),
    )


def _slideshare_code(values: Query) -> Embed | None:
    return _slideshare_work((values.get("id") or values.get("key") or "").partition("&")[0])


_HOSTS: dict[str, _Finder] = {
    "scribd.com": _scribd, "documentcloud.org": _documentcloud, "embed.documentcloud.org": _documentcloud,
    "beta.documentcloud.org": _documentcloud, "s3.documentcloud.org": _documentcloud,
    "assets.documentcloud.org": _documentcloud, "youtube.com": _youtube, "m.youtube.com": _youtube,
    "music.youtube.com": _youtube, "youtube-nocookie.com": _youtube, "youtu.be": _youtu_be, "vimeo.com": _vimeo,
    "player.vimeo.com": _vimeo, "twitter.com": _twitter, "mobile.twitter.com": _twitter, "m.twitter.com": _twitter,
    "x.com": _twitter, "platform.twitter.com": _twitter, "platform.x.com": _twitter, "archive.org": _archive_org,
    "soundcloud.com": _soundcloud, "m.soundcloud.com": _soundcloud, "w.soundcloud.com": _soundcloud_player,
    "api.soundcloud.com": _soundcloud_resource,
    "issuu.com": _issuu, "e.issuu.com": _issuu_player, "slideshare.net": _slideshare, "docs.google.com": _viewer,
    "drive.google.com": _viewer, "view.officeapps.live.com": _viewer,
}  # fmt: skip
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
