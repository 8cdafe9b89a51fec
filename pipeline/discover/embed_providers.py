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
from urllib.parse import parse_qs, quote, unquote, urlsplit

from archive.formats import joined_url
from archive.model import Embed
from pipeline.capture.http.failures import Failure
from pipeline.capture.http.urls import checked_url

__all__ = ["Embed", "embed_of"]

LONGEST = 4_000  # characters of an address or an attribute that are looked at
_DEEPEST = 3  # viewers within viewers
_CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f\\<>\"]")
NUMBER = re.compile(r"[0-9]{1,25}")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}")  # an account, a slug, an item of a library
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{3,60}")
_SECRET = re.compile(r"[0-9a-f]{6,20}")  # what leads to a video that is not listed
_YOUTUBE = re.compile(r"[A-Za-z0-9_-]{11}")
_PLAYLIST = re.compile(r"(?:PL|UU|FL|OL|LL|RD)[A-Za-z0-9_-]{8,60}")
_PARAMETER = re.compile(r"[A-Za-z0-9_.%-]+")
_VIEW_MODES = {"scroll", "slideshow", "book", "list", "tile"}
_VIEWER_PATH = re.compile(r"view|pdf|reader|embed|flip|preview", re.IGNORECASE)

Query = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Address:
    """What stands behind the host: unescaped segments of the path, parameters, and how many viewers led here."""

    path: list[str]
    query: Query
    fragment: str = ""
    depth: int = 0

    def part(self, number: int) -> str | None:
        """Return a segment of the path, or None beyond its end."""
        return self.path[number] if number < len(self.path) else None


_Finder = Callable[[Address], Embed | None]


def embed_of(url: str) -> Embed | None:
    """Return the work that the address of a page, player, viewer or oEmbed answer shows, or None if unknown.

    `//host/path` is taken for https. An address with controls, spaces or credentials shows nothing.
    """
    return embed_at(unescape(url.strip()) if "&amp;" in url else url.strip(), 0)


def embed_at(url: str, depth: int) -> Embed | None:
    checked = web_address(url)
    if checked is None or depth > _DEEPEST:
        return None
    parts = urlsplit(checked)
    path = [unquote(part) for part in parts.path.split("/") if part]
    at = Address(path, _query(parts.query), url.partition("#")[2], depth)
    if "oembed" in parts.path.lower() and "url" in at.query:
        return embed_at(at.query["url"], depth + 1)
    finder = _HOSTS.get((parts.hostname or "").rstrip(".").removeprefix("www."))
    return finder(at) if finder is not None else _document(checked, at)


def web_address(text: str) -> str | None:
    """Return an http(s) URL as browsers write it, or None; no credentials, no controls, not too long."""
    if text.startswith("//"):
        text = f"https:{text}"
    if not text[:8].lower().startswith(("http://", "https://")) or len(text) > LONGEST or _CONTROL.search(text):
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


def matched(pattern: re.Pattern[str], value: str | None) -> str | None:
    return value if value and pattern.fullmatch(value) else None


def _scribd(at: Address) -> Embed | None:
    if at.part(0) not in {"embeds", "document", "doc", "fullscreen", "presentation", "full"}:
        return None
    return scribd_work(at.part(1), at.query.get("access_key"), at.query.get("view_mode"))


def scribd_work(number: str | None, key: str | None, mode: str | None) -> Embed | None:
    """Return a document of Scribd; the player's page shows all of it, with a key even one that is not listed."""
    number = matched(NUMBER, number)
    if number is None:
        return None
    parameters = [f"access_key={key}"] if key and _KEY.fullmatch(key) else []
    parameters += [f"view_mode={mode}"] if mode in _VIEW_MODES else []
    query = "?" + "&".join(parameters) if parameters else ""
    return Embed("scribd", f"https://www.scribd.com/embeds/{number}/content{query}", number)


def documentcloud(at: Address) -> Embed | None:
    if at.part(0) != "documents" or len(at.path) < 2:
        return None
    slug = matched(NAME, re.sub(r"\.(?:html|js|json|pdf|txt)\Z", "", at.path[1]))
    number = matched(NUMBER, (slug or "").partition("-")[0])
    if number is None:
        return None
    name = matched(NAME, at.part(2))
    if slug != number or name is None or not name.endswith(".pdf"):
        return Embed("documentcloud", f"https://www.documentcloud.org/documents/{slug}", number)
    return Embed("documentcloud", f"https://s3.documentcloud.org/documents/{number}/{name}", number)


def _youtube(at: Address) -> Embed | None:
    first, second = at.part(0), at.part(1)
    if first in {"embed", "shorts", "live", "v", "e"}:
        return youtube_work(second, at.query.get("list"))
    if first in {"watch", "watch_popup", "playlist"}:
        return youtube_work(at.query.get("v") or second, at.query.get("list"))
    return None


def _youtu_be(at: Address) -> Embed | None:
    return youtube_work((at.part(0) or "").partition("&")[0])


def youtube_work(video: str | None, playlist: str | None = None) -> Embed | None:
    """Return a video of YouTube, or else a list of videos."""
    if video and video != "videoseries" and _YOUTUBE.fullmatch(video):
        return Embed("youtube", f"https://www.youtube.com/watch?v={video}", video)
    if playlist and _PLAYLIST.fullmatch(playlist):
        return Embed("youtube", f"https://www.youtube.com/playlist?list={playlist}", playlist)
    return None


def vimeo(at: Address) -> Embed | None:
    for number, part in enumerate(at.path):
        if re.fullmatch(r"[0-9]{5,12}", part) and at.path[max(number - 1, 0)] not in {"album", "showcase"}:
            secret = matched(_SECRET, at.query.get("h") or at.part(number + 1))
            return Embed("vimeo", f"https://vimeo.com/{part}" + (f"/{secret}" if secret else ""), part)
    return None


def _twitter(at: Address) -> Embed | None:
    if at.path[:1] == ["embed"]:
        return tweet_work("i", at.query.get("id"))
    for number, part in enumerate(at.path):
        if part in {"status", "statuses"}:
            return tweet_work(at.path[0] if number == 1 else "i", at.part(number + 1))
    return None


def tweet_work(account: str, number: str | None) -> Embed | None:
    """Return a post; without its account the address leads on to the one with it."""
    if not number or not re.fullmatch(r"[0-9]{2,20}", number):
        return None
    account = account if re.fullmatch(r"[A-Za-z0-9_]{1,20}", account) else "i"
    middle = "i/status" if account == "i" else f"{account}/status"
    return Embed("twitter", f"https://x.com/{middle}/{number}", number)


def archive_org(at: Address) -> Embed | None:
    item = matched(NAME, at.part(1))
    if item is None or at.path[0] not in {"details", "embed", "stream", "download"}:
        return None
    if at.path[0] == "download" and len(at.path) > 2:
        return Embed("archiveorg", f"https://archive.org/download/{item}/{quote('/'.join(at.path[2:]))}", item)
    return Embed("archiveorg", f"https://archive.org/details/{item}", item)


def _soundcloud(at: Address) -> Embed | None:
    names = [part for part in at.path if NAME.fullmatch(part)]
    if len(names) != len(at.path) or not 2 <= len(names) <= 4 or names[0] in {"pages", "discover", "search", "you"}:
        return None
    return Embed("soundcloud", "https://soundcloud.com/" + "/".join(names), "/".join(names))


def _soundcloud_player(at: Address) -> Embed | None:
    inner = web_address(at.query.get("url", ""))
    host = urlsplit(inner).hostname if inner else None
    allowed = {"api.soundcloud.com", "soundcloud.com", "www.soundcloud.com"}
    return embed_at(inner, _DEEPEST) if inner and host in allowed else None


def soundcloud_resource(at: Address) -> Embed | None:
    """Return a track that answers only who has a key; the player shows it."""
    number = matched(NUMBER, at.part(1))
    if number is None or at.path[0] not in {"tracks", "playlists", "users"}:
        return None
    secret = matched(_PARAMETER, at.query.get("secret_token"))
    resource = f"https://api.soundcloud.com/{at.path[0]}/{number}" + (f"?secret_token={secret}" if secret else "")
    return Embed("soundcloud", f"https://w.soundcloud.com/player/?url={quote(resource, safe='')}", number)


def _issuu(at: Address) -> Embed | None:
    return issuu_work(at.path[0], at.path[2]) if len(at.path) >= 3 and at.path[1] == "docs" else None


def _issuu_player(at: Address) -> Embed | None:
    if at.query.get("d") and at.query.get("u"):
        return issuu_work(at.query["u"], at.query["d"])
    numbers = re.fullmatch(r"([0-9]{1,12})/([0-9]{1,12})", at.fragment)
    return Embed("issuu", f"https://e.issuu.com/embed.html#{numbers[0]}", numbers[0]) if numbers else None


def issuu_work(account: str | None, document: str | None) -> Embed | None:
    """Return a publication of an account of Issuu."""
    account, document = matched(NAME, account), matched(NAME, document)
    if not account or not document:
        return None
    return Embed("issuu", f"https://issuu.com/{account}/docs/{document}", f"{account}/{document}")


def _slideshare(at: Address) -> Embed | None:
    if at.path[:2] == ["slideshow", "embed_code"]:
        return slideshare_work(at.part(3) if at.part(2) == "key" else at.part(2))
    names = [part for part in at.path if NAME.fullmatch(part)]
    if len(names) != len(at.path) or names[:1] in (["search"], ["category"], ["api"]):
        return None
    if len(names) == 3 and names[0] == "slideshow" and NUMBER.fullmatch(names[2]):
        return Embed("slideshare", f"https://www.slideshare.net/slideshow/{names[1]}/{names[2]}", names[2])
    if len(names) == 2 and names[0] != "slideshow":
        return Embed("slideshare", f"https://www.slideshare.net/{names[0]}/{names[1]}", "/".join(names))
    return None


def slideshare_work(key: str | None) -> Embed | None:
    """Return a presentation by its number or by the key of its player."""
    if not key or not re.fullmatch(r"[A-Za-z0-9]{3,30}", key):
        return None
    middle = "" if key.isdigit() else "key/"
    return Embed("slideshare", f"https://www.slideshare.net/slideshow/embed_code/{middle}{key}", key)


def _viewer(at: Address) -> Embed | None:
    """Return a viewer that shows any document it is given: the document is what counts."""
    if not {"viewer", "gview", "viewerng", "op"}.intersection(at.path):
        return None
    wrapped = web_address(at.query.get("url") or at.query.get("src") or "")
    if wrapped is None:
        return None
    return embed_at(wrapped, at.depth + 1) or Embed("document", wrapped)


def _document(url: str, at: Address) -> Embed | None:
    """Return a PDF, or a viewer on any site that is given one by `?file=` or `?url=`."""
    file = at.query.get("file") or (at.query.get("url") if _VIEWER_PATH.search("/".join(at.path)) else None)
    if file:
        wrapped = web_address(_joined(url, file.strip().replace(" ", "%20")))
        found = embed_at(wrapped, at.depth + 1) if wrapped else None
        if found is not None:
            return found
    return Embed("pdf", url) if is_pdf(url) else None


def _joined(base: str, reference: str) -> str:
    try:
        return joined_url(base, reference)
    except ValueError:
        return ""


def is_pdf(url: str) -> bool:
    return urlsplit(url).path.lower().endswith(".pdf")


_HOSTS: dict[str, _Finder] = {
    "scribd.com": _scribd, "documentcloud.org": documentcloud, "embed.documentcloud.org": documentcloud,
    "beta.documentcloud.org": documentcloud, "s3.documentcloud.org": documentcloud,
    "assets.documentcloud.org": documentcloud, "youtube.com": _youtube, "m.youtube.com": _youtube,
    "music.youtube.com": _youtube, "youtube-nocookie.com": _youtube, "youtu.be": _youtu_be, "vimeo.com": vimeo,
    "player.vimeo.com": vimeo, "twitter.com": _twitter, "mobile.twitter.com": _twitter, "m.twitter.com": _twitter,
    "x.com": _twitter, "platform.twitter.com": _twitter, "platform.x.com": _twitter, "archive.org": archive_org,
    "soundcloud.com": _soundcloud, "m.soundcloud.com": _soundcloud, "w.soundcloud.com": _soundcloud_player,
    "api.soundcloud.com": soundcloud_resource,
    "issuu.com": _issuu, "e.issuu.com": _issuu_player, "slideshare.net": _slideshare, "docs.google.com": _viewer,
    "drive.google.com": _viewer, "view.officeapps.live.com": _viewer,
}  # fmt: skip
