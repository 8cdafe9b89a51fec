"""Kinds of lines that change by themselves: a line of such a kind is compared by what it is, not by its numbers.

A line is of a kind only if it holds nothing else; parts of a line between "|", "·" and "•" are looked at one by one. So
a sentence with a number or a date in it is always compared word for word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# Changes of these are never an edit by themselves; they are left out unless a watch says otherwise.
DEFAULT_KINDS = ("counters", "ago")
KINDS = {
    "counters": "a count of views, readers, visitors, likes, shares or comments",
    "ago": 'a time as a distance ("3 minutes ago")',
    "dates": "a date or a time of day",
    "figures": "a short label with a value: a temperature, a price, an index and its change in per cent",
    "headline": "the title of the page",
    "order": "the order of the lines",
}
_LONGEST = 120  # characters of a part that is looked at; longer ones are prose
_PARTS = re.compile(r"(\s*[|\u00b7\u2022\u2219\u2016]\s*)")
_LIST_ITEM = re.compile(r"[-*]\s")

_NUMBER = r"\d{1,3}(?:[.,'\u2019\u00a0\u202f ]\d{3})+|\d+(?:[.,]\d+)?"
_COUNT = rf"(?:{_NUMBER})\s?(?:k|m|b|mn|mio\.?|tsd\.?|mil|thousand|million)?\+?"
_COUNTED = (
    r"(?:page |unique |total |article )?(?:views?|reads?|readers?|visits?|visitors?|hits?|likes?|shares?"
    r"|comments?|clicks?"
    r"|pageviews?|page impressions?|replies|reply|reactions?|downloads?|followers?|subscribers?)"
    r"|(?:seiten)?aufrufe?|besucher(?:innen)?|leser(?:innen)?|zugriffe?|klicks?|kommentare?|mal gelesen|follower"
    r"|vues?|visites?|visiteurs?|lectures?|lecteurs?|commentaires?|partages?|j'aime|abonn\u00e9s?"
    r"|visitas?|vistas?|visualizaciones|visualizaci\u00f3n|lecturas?|lectores?|comentarios?|me gusta|compartidos?"
    r"|seguidores"
    r"|visualizzazioni|visualizzazione|visite|letture|lettori|commenti|commento|condivisioni|mi piace"
    r"|visualiza\u00e7\u00f5es|visualiza\u00e7\u00e3o|acessos?|leituras?|leitores?|coment\u00e1rios?|curtidas"
    r"|weergaven?|bezoekers?|lezers?|reacties?|keer (?:bekeken|gelezen)"
    r"|wy\u015bwietle\u0144|wy\u015bwietlenia|ods\u0142on|komentarzy"
)
_LABEL = (
    r"(?:(?:page |unique |total )?(?:views?|reads?|readers?|visits?|visitors?|hits?|likes?|shares?|comments?)"
    r"|(?:you are )?visitor (?:number|no\.?|#)|visitors? (?:today|online|now)|(?:users?|readers?|people) online"
    r"|online now"
    r"|(?:seiten)?aufrufe|besucher|zugriffe|kommentare|gelesen|vues|visites|visiteurs|visitas|visualizaciones"
    r"|visualizzazioni|visite|visualiza\u00e7\u00f5es|acessos|weergaven|bezoekers)"
)
_WHEN = (
    r"(?: (?:today|so far|online|now|right now|since \d{4}|this (?:week|month|year)|heute|aujourd'hui|hoy|oggi"
    r"|hoje|vandaag))?"
)
_COUNTERS = re.compile(
    rf"(?:{_COUNT}\s(?:{_COUNTED}){_WHEN}"
    rf"|{_LABEL}\s?[:\u2013-]?\s?{_COUNT}"
    rf"|(?:viewed|read|seen|visited|shared|downloaded)(?: by)? {_COUNT}(?: (?:times|people|readers|visitors))?"
    rf"|{_COUNT} (?:people|readers|users|visitors|others) (?:are )?(?:online|reading|viewing|watching|here)"
    rf"(?: (?:this|this page|this article|this now|now|right now))?"
    rf"|this page has been (?:viewed|read|visited) {_COUNT} times)[.!]?",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[^\W\d_]{2,}")

_UNIT = {
    "en": r"(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?|mos?|months?|y|yrs?|years?)",
    "de": r"(?:sekunden?|sek\.?|minuten?|min\.?|stunden?|std\.?|tag(?:en?)?|wochen?|monat(?:en?)?|jahr(?:en?)?)",
    "fr": r"(?:secondes?|minutes?|min|heures?|h|jours?|j|semaines?|mois|ans?|ann\u00e9es?)",
    "es": r"(?:segundos?|minutos?|min|horas?|h|d\u00edas?|semanas?|mes(?:es)?|a\u00f1os?)",
    "it": r"(?:second[oi]|minut[oi]|min|or[ae]|giorn[oi]|settiman[ae]|mes[ei]|ann[oi])",
    "pt": r"(?:segundos?|minutos?|min|horas?|h|dias?|semanas?|m\u00eas|meses|anos?)",
    "nl": r"(?:seconden?|minu(?:ut|ten)|min|uur|uren|dag(?:en)?|we(?:ek|ken)|maand(?:en)?|jaar|jaren)",
}
_SOME = r"(?:\d{1,4}|an?|one|ein(?:er|em|e)?|une?|une?|un[ao]?|een|a few|several|einigen|quelques)"
_DISTANCE = (
    rf"(?:(?:about|over|almost|less than"
    rf"|more than) )?{_SOME}\s?{_UNIT['en']}(?:,? (?:and )?\d{{1,2}}\s?{_UNIT['en']})? ago"
    rf"|just now|moments? ago|a moment ago|yesterday|today"
    rf"|vor (?:etwa |\u00fcber )?{_SOME} {_UNIT['de']}|gerade eben|gestern|heute"
    rf"|il y a (?:environ )?{_SOME} {_UNIT['fr']}|\u00e0 l'instant|hier|aujourd'hui"
    rf"|hace (?:unos |unas )?{_SOME} {_UNIT['es']}|ahora mismo|ayer|hoy"
    rf"|{_SOME} {_UNIT['it']} fa|ieri|oggi|h\u00e1 {_SOME} {_UNIT['pt']}|{_SOME} {_UNIT['pt']} atr\u00e1s|ontem"
    rf"|hoje"
    rf"|{_SOME} {_UNIT['nl']} geleden|gisteren|vandaag"
)
_WHAT = (
    r"(?:(?:first |last |originally )?(?:posted|published|updated|modified|edited|added|written|created|submitted"
    r"|seen)"
    r"|last update|(?:zuletzt )?(?:aktualisiert|ver\u00f6ffentlicht|ge\u00e4ndert)|stand|publi\u00e9e?"
    r"|mis \u00e0 jour|modifi\u00e9e?"
    r"|publicado|actualizado|pubblicato|aggiornato|atualizado|geplaatst|bijgewerkt|gepubliceerd)"
)
_AGO = re.compile(rf"(?P<what>{_WHAT}(?: on| at| am)?\s?:?\s)?(?:{_DISTANCE})[.]?", re.IGNORECASE)

_MONTH = (
    r"(?:jan(?:uary|uar|vier|\.)?|ene(?:ro)?|gen(?:naio)?|feb(?:ruary|ruar|rero|braio|\.)?|f\u00e9v(?:rier|\.)?"
    r"|mar(?:ch|s|zo|\u00e7o|\.)?"
    r"|m\u00e4rz|apr(?:il|ile|\.)?|avr(?:il|\.)?|abr(?:il)?|may|mai|mayo|mag(?:gio)?|maio|mei|jun[ei]?|juin|junio"
    r"|giu(?:gno)?"
    r"|jul[iy]?|juil(?:let|\.)?|julio|lug(?:lio)?|aug(?:ust|\.)?|ao\u00fbt|ago(?:sto)?|sep(?:t|tember|tembre"
    r"|tiembre|\.)?|set(?:tembre)?"
    r"|o[ck]t(?:ober|obre|\.)?|oct(?:ubre)?|ott(?:obre)?|nov(?:ember|embre|iembre|\.)?|de[cz](?:ember|embro|\.)?"
    r"|d\u00e9c(?:embre|\.)?"
    r"|dic(?:iembre|embre)?)"
)
_WEEKDAY = (
    r"(?:mon(?:day)?|tue(?:s|sday)?|wed(?:nesday)?|thu(?:r|rs|rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?"
    r"|montag|dienstag"
    r"|mittwoch|donnerstag|freitag|samstag|sonntag|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche)"
)
_DAY = (
    rf"(?:\d{{4}}-\d{{1,2}}-\d{{1,2}}|\d{{1,2}}[./]\s?\d{{1,2}}[./]\s?\d{{2,4}}"
    rf"|\d{{1,2}}(?:st|nd|rd|th|er|\.)?(?: de| of)? {_MONTH}(?: de)?,? \d{{4}}|{_MONTH} \d{{1,2}}(?:st|nd|rd"
    rf"|th)?,? \d{{4}})"
)
_CLOCK = r"\d{1,2}[:.h]\d{2}(?::\d{2})?(?:\s?[ap]\.?m\.?)?(?:\s?(?:uhr|utc|gmt|z|c?e[sd]?t|[pmc][sd]t))?"
_DATES = re.compile(
    rf"(?P<what>{_WHAT}(?: on| at| am| le| el| il)?\s?:?\s)?(?:{_WEEKDAY},? )?"
    rf"(?:{_DAY}(?:(?:,| at| um| [\u00e0-]|t)?\s?{_CLOCK})?|{_CLOCK})[.]?",
    re.IGNORECASE,
)
_AMOUNT = (
    r"[+\u2212\u2013-]?\s?(?:[$\u20ac\u00a3\u00a5]\s?)?\d[\d.,'\u2019\u00a0\u202f]*\s?"
    r"(?:\u00b0\s?[cf]?|%|per cent|\u20ac|\$|\u00a3|eur|usd|gbp|chf|pts?|points?|km/h|mph|mm|hpa)?"
)
_MEASURED = re.compile(r"\d[.,]\d|\d\s?[\u00b0%\u20ac$\u00a3\u00a5]|[$\u20ac\u00a3\u00a5]\s?\d")
_VALUES = re.compile(
    rf"(?:[^\W\d][^\d:;,.!?]{{0,30}}\s?:?\s)?(?:\(?{_AMOUNT}\)?[\s,/]*){{1,4}}(?:[^\W\d][^\d.!?]{{0,30}})?",
    re.IGNORECASE,
)


def by_kinds(text: str, kinds: Iterable[str], title: str | None = None) -> str:
    """Return a text with the lines of some kinds as what they are: their numbers, dates and distances are left out.

    `kinds` are names in KINDS; `title` is that of the page.
    """
    wanted = frozenset(kinds)
    lines = (line.strip() for line in text.splitlines())
    found = [_line(line, wanted, _plain(title or "")) for line in lines if line]
    return "\n".join(sorted(found) if "order" in wanted else found)


def without_kinds(text: str, kinds: Iterable[str], title: str | None = None) -> str:
    """Return the lines of a text that `by_kinds` compares word for word."""
    wanted, plain = frozenset(kinds), _plain(title or "")
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and _line(line, wanted, plain) == line)


def _line(line: str, kinds: frozenset[str], title: str) -> str:
    if "headline" in kinds and title and _is_title(_plain(line), title):
        return "#headline"
    if _LIST_ITEM.match(line) and not kinds & {"dates", "figures"}:
        return line  # what an author listed may be a count of people as well
    return "".join(_part(part, kinds) for part in _PARTS.split(line))


def _part(part: str, kinds: frozenset[str]) -> str:
    if not part or len(part) > _LONGEST:
        return part
    mark, text = ("- ", part[2:]) if _LIST_ITEM.match(part) else ("", part)
    if "counters" in kinds and _COUNTERS.fullmatch(text):
        return f"{mark}# {' '.join(word[:4] for word in _WORDS.findall(text.casefold()))}"  # one view, two views
    for name, pattern in (("ago", _AGO), ("dates", _DATES)):
        if name in kinds and (found := pattern.fullmatch(text)):
            return f"{mark}{(found['what'] or '').casefold()}#date"
    if "figures" in kinds and _MEASURED.search(text) and _VALUES.fullmatch(text):
        return mark + " ".join((*_WORDS.findall(re.split(r"\d", text, maxsplit=1)[0]), "#value"))
    return part


def _is_title(line: str, title: str) -> bool:
    """Return whether a line is the page's title, which may name the site as well."""
    return line == title or (len(line) >= 12 and (title.startswith(line) or title.endswith(line)))


def _plain(text: str) -> str:
    return " ".join(text.lstrip("# ").casefold().split())
