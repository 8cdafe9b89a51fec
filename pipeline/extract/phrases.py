"""What pages say when they have nothing to show: in English, German, French, Spanish, Dutch, Italian and Portuguese.

Each expression is linear: alternatives of plain words, no repetition within a repetition.
"""

from __future__ import annotations

import re


def _one_of(*phrases: str) -> str:
    return "(?:" + "|".join(f"(?:{phrase})" for phrase in phrases) + ")"


def _any(*phrases: str) -> re.Pattern[str]:
    return re.compile(_one_of(*phrases), re.IGNORECASE)


_STOP = r"[\s.!\u2026]{0,3}"
_DIVIDER = r"\s{0,4}(?:$|[|\u2013\u2014\u00b7\u2022>\u00bb-])"
_SORRY = (
    r"^(?:(?:oops|ooops|sorry|whoops|hoppla|ups|uups|oeps|d\u00e9sol\u00e9e?|lo sentimos|lo siento"
    r"|perd\u00f3n|helaas|spiacenti|ops|desculpe)[\s,!.:\u2026\u2013-]{1,4})?"
)

# A title or a heading that says the page is not there. It is the whole title, up to a divider: "Page not found | The
# Daily Brief", while "Page not found: how newspapers lose their archives" goes on in words.
_SAYS_SO = _one_of(
    r"(?:http )?(?:error )?40[4]\b[\s,:!.|\u2013\u2014-]{0,4}(?:error|page|not found|page not found"
    r"|file not found|object not found"
    r"|seite nicht gefunden|page introuvable|page non trouv\u00e9e|p\u00e1gina no encontrada"
    r"|pagina niet gevonden|pagina non trovata|fehler|erreur)?",
    r"(?:the |this |that )?(?:requested )?(?:page|article|post|content|document|story|entry|file|url)"
    r"(?: (?:you(?: are| were|['\u2019]re)? (?:looking for|requested)))?"
    r" (?:was |is |could |can )?(?:not|no longer|n['\u2019]t|not be|cannot be) (?:be )?(?:found|available|exists?)",
    r"(?:the |this )?(?:page|article|post|content|story) (?:does(?: not|n['\u2019]t) exist"
    r"|has been (?:removed|deleted)|no longer exists|not found|unavailable|missing)",
    r"(?:we )?(?:can(?:not|['\u2019]t)|could(?: not|n['\u2019]t)) (?:find|be found)(?: (?:that|this|the) page)?",
    r"(?:nothing (?:was )?found(?: here)?|not found|file not found|page missing|page unavailable)",
    r"(?:die |diese )?(?:angeforderte |gew\u00fcnschte |gesuchte )?(?:seite|artikel|beitrag|inhalt|datei"
    r"|dokument) (?:(?:wurde |konnte )?nicht (?:gefunden|vorhanden|mehr verf\u00fcgbar"
    r"|verf\u00fcgbar)(?: werden)?|existiert nicht(?: mehr)?)",
    r"(?:der |dieser )(?:artikel|beitrag|inhalt) (?:(?:wurde |konnte )?nicht gefunden(?: werden)?"
    r"|ist nicht mehr verf\u00fcgbar|existiert nicht(?: mehr)?)",
    r"(?:die |diese )seite (?:ist nicht (?:mehr )?(?:verf\u00fcgbar|vorhanden)|gibt es nicht(?: mehr)?)",
    r"nicht gefunden|fehler 404|error 404",
    r"(?:la |cette )?page (?:demand\u00e9e |recherch\u00e9e )?(?:est )?(?:introuvable|non trouv\u00e9e"
    r"|inexistante)|(?:la |cette )?page (?:demand\u00e9e )?n['\u2019](?:existe (?:pas|plus)"
    r"|a pas \u00e9t\u00e9 trouv\u00e9e|est (?:pas|plus) disponible)",
    r"(?:cet |l['\u2019])article (?:est introuvable|n['\u2019]existe (?:pas|plus)"
    r"|n['\u2019]est plus disponible)|erreur 404|contenu introuvable|article introuvable",
    r"(?:la |esta )?p\u00e1gina (?:solicitada |que buscas )?(?:no (?:encontrada|existe|disponible"
    r"|se (?:ha )?encuentra|se ha encontrado|est\u00e1 disponible)|inexistente)|no encontrado"
    r"|no se (?:ha )?encontr(?:\u00f3|ado) la p\u00e1gina|art\u00edculo no encontrado",
    r"(?:de |deze )?pagina (?:is |werd |kan |kon )?niet (?:gevonden|beschikbaar"
    r"|worden gevonden)(?: worden)?|(?:de |deze )?pagina bestaat niet(?: meer)?|niet gevonden"
    r"|(?:dit )?artikel (?:is )?niet (?:gevonden|meer beschikbaar)",
    r"pagina (?:non trovata|inesistente)|(?:la |questa )pagina non (?:esiste|\u00e8 stata trovata"
    r"|\u00e8 disponibile)|p\u00e1gina n\u00e3o encontrada|(?:esta |a )?p\u00e1gina n\u00e3o (?:existe"
    r"|foi encontrada)",
)  # fmt: skip
GONE_TITLE = re.compile(
    f"{_SORRY}{_SAYS_SO}{_STOP}(?:{_DIVIDER}|[.!]\\s)"
    # a site's name may stand first: "The Daily Brief - Page not found"
    f"|^[^|\u2013\u2014\u00bb-]{{1,60}}\\s[|\u2013\u2014\u00bb-]\\s{_SAYS_SO}{_STOP}$",
    re.IGNORECASE,
)

# A sentence that says so, on a page that says hardly anything else.
GONE_SENTENCE = _any(
    r"(?:page|article|post|content|story|document|url) (?:that )?you(?: are|['\u2019]re| were"
    r"|['\u2019]ve| have)? (?:looking for|requested|trying to (?:reach|view|access)"
    r"|followed)[^.]{0,80}(?:not|n['\u2019]t|no longer|removed|moved|deleted|missing)",
    r"(?:this|the|that|requested) (?:page|article|post|url|document) (?:was not found|could not be found"
    r"|cannot be found|can['\u2019]t be found|does not exist|doesn['\u2019]t exist|no longer exists"
    r"|is no longer available|has been removed|has been deleted)",
    r"(?:seite|artikel|beitrag|inhalt)[^.]{0,60}(?:nicht gefunden|existiert nicht"
    r"|nicht mehr verf\u00fcgbar|nicht vorhanden)",
    r"(?:page|article)[^.]{0,60}(?:introuvable|n['\u2019]existe (?:pas|plus)"
    r"|n['\u2019]est plus disponible|n['\u2019]a pas \u00e9t\u00e9 trouv\u00e9)",
    r"(?:p\u00e1gina|art\u00edculo)[^.]{0,60}(?:no existe|no se (?:ha )?enc(?:uentra|ontrado)"
    r"|ya no est\u00e1 disponible|no encontrad[oa])",
    r"(?:pagina|artikel)[^.]{0,60}(?:niet gevonden|bestaat niet|niet (?:meer )?beschikbaar)",
    r"pagina[^.]{0,60}non (?:esiste|\u00e8 stata trovata)|p\u00e1gina[^.]{0,60}n\u00e3o (?:existe|foi encontrada)",
)  # fmt: skip

# The demand for consent before anything is shown, at the top of a page that has nothing else.
CONSENT = _any(
    r"(?:we|us) (?:and|&) our (?:\d{1,4} )?partners (?:store|use|process|ask)",
    r"(?:we value|your) privacy[^.]{0,80}(?:partners|cookies|consent)",
    r"(?:accept|agree to) (?:all )?(?:the )?(?:use of )?cookies (?:to|and) (?:continue|read|proceed|access|view)",
    r"(?:to continue|to proceed|to read on|to access)[^.]{0,60}(?:consent|accept[^.]{0,20}cookies"
    r"|agree[^.]{0,30}cookies)",
    r"(?:consent|agree) or (?:pay|subscribe)|read with (?:ads|advertising)[^.]{0,40}track",
    r"mit werbung (?:und tracking |und cookies )?(?:weiter|lesen|kostenlos)|weiterlesen mit werbung"
    r"|werbefrei[^.]{0,60}(?:oder|abo)[^.]{0,80}(?:tracking|werbung|cookies)",
    r"(?:ihre |deine )?(?:zustimmung|einwilligung)[^.]{0,60}(?:erforderlich|cookies|weiter|tracking"
    r"|partner)|wir und unsere (?:bis zu )?(?:\d{1,4} )?(?:partner|drittanbieter)",
    r"nous et nos (?:\d{1,4} )?partenaires|(?:accepter|accepter les cookies) (?:et|pour) (?:continuer"
    r"|fermer|acc\u00e9der)|continuer sans accepter|votre vie priv\u00e9e[^.]{0,60}(?:cookies"
    r"|partenaires|consentement)",
    r"nosotros y nuestros (?:\d{1,4} )?socios|(?:aceptar|acepta) (?:las |todas las )?cookies (?:y"
    r"|para) (?:continuar|seguir|leer)|aceptar o suscribirse|valoramos (?:tu|su) privacidad",
    r"wij en onze (?:\d{1,4} )?partners|(?:accepteer|accepteren)[^.]{0,30}cookies (?:en|om) (?:verder"
    r"|door)|toestemming[^.]{0,60}cookies|voordat je verdergaat",
)  # fmt: skip

CONSENT_TITLE = re.compile(
    r"before you continue\b|your privacy choices$|bevor (?:sie|du) fortf|avant de continuer\b|antes de continuar\b"
    r"|voordat (?:je|u) ",
    re.IGNORECASE,
)

# The demand to pay, where a stub ends.
SUBSCRIBE = _any(
    r"(?:subscribe|become a (?:paid )?(?:subscriber|member)|sign up|upgrade"
    r"|start your (?:free )?trial)[^.\n]{0,40} (?:to|and) (?:continue|keep|read|unlock|access|finish"
    r"|view)[^.\n]{0,60}",
    r"(?:to (?:continue|keep) reading|to read (?:the (?:full|rest|whole|entire)|more|on|this)|to unlock"
    r"|for full access)[^.\n]{0,60}(?:subscribe|subscription|subscriber|become a member|sign up|upgrade)",
    r"(?:this|the rest of this|the full) (?:article|post|story|content|episode|piece) is (?:only "
    r"|exclusively )?(?:for|available to|reserved for) (?:(?:our )?(?:paid |paying "
    r"|premium )?(?:subscribers|members))",
    r"this (?:article|post|story|content) is for (?:paid|paying|premium|subscribers|members)"
    r"|already (?:a subscriber|a member|subscribed)\?|you(?:['\u2019]ve| have) (?:reached|read"
    r"|used)[^.\n]{0,40}(?:free|monthly|article)[^.\n]{0,30}(?:limit|articles)",
    r"subscribers?[- ]only (?:article|content|story)|keep reading with a[^.\n]{0,30}(?:trial|subscription)",
    r"(?:jetzt |mit )[^.\n]{0,40}(?:abo|plus|abonnement|probeabo|testen)[^.\n]{0,50}(?:weiterlesen|lesen"
    r"|freischalten)|weiterlesen (?:mit|nach|im)[^.\n]{0,50}(?:abo|plus|registr|anmeld|probe)|(?:dieser"
    r"|diesen|der) (?:artikel|beitrag|text)[^.\n]{0,50}(?:nur f\u00fcr|exklusiv f\u00fcr|abonnent"
    r"|mit (?:einem )?abo)|bereits abonnent",
    r"(?:abonnez-vous|s['\u2019]abonner|je m['\u2019]abonne)[^.\n]{0,50}(?:lire|suite|acc\u00e9der"
    r"|continuer|article|profiter)|(?:article|contenu|suite)[^.\n]{0,50}r\u00e9serv\u00e9e?s? (?:\u00e0"
    r"|aux) (?:nos )?abonn\u00e9|(?:pour|afin de) lire la suite[^.\n]{0,40}abonn"
    r"|d\u00e9j\u00e0 abonn\u00e9|il vous reste \d{1,3} ?%",
    r"(?:suscr\u00edbete|suscribirse|hazte suscriptor)[^.\n]{0,50}(?:leer|seguir|acceder|continuar"
    r"|leyendo)|(?:contenido|art\u00edculo|noticia)[^.\n]{0,50}(?:exclusiv[oa] para|solo para"
    r"|reservad[oa] (?:a|para)) (?:los |nuestros )?suscriptores|ya (?:eres|soy) suscriptor"
    r"|para seguir leyendo[^.\n]{0,40}suscr",
    r"(?:verder lezen|lees verder|om (?:dit artikel |verder )?te lezen|word abonnee"
    r"|neem een abonnement)[^.\n]{0,60}(?:abonnee|abonnement|inloggen|lezen|toegang)|(?:alleen"
    r"|exclusief) voor abonnees|al abonnee\?|dit artikel is (?:alleen |exclusief )?voor abonnees",
    r"(?:abbonati|abb\u00f3nati)[^.\n]{0,40}(?:leggere|continuare)|contenuto riservato agli abbonati"
    r"|(?:assine|assinar)[^.\n]{0,40}(?:ler|continuar)|exclusivo para assinantes",
)  # fmt: skip

LOGIN_TITLE = re.compile(
    r"(?:log ?in|sign ?in|login|anmelden|anmeldung|einloggen|(?:se )?connexion|connectez-vous"
    r"|identifiez-vous|identification|iniciar sesi\u00f3n"
    r"|inicia sesi\u00f3n|acceder|inloggen|aanmelden|accedi|entrar|member login|please log in"
    r"|please sign in|log in or sign up"
    r"|log in to (?:continue|your account)|sign in to (?:continue|your account))(?: (?:to|bei|in|\u00e0"
    r"|en|op|or|oder|ou|of) [^.]{1,40})?" + _DIVIDER,
    re.IGNORECASE,
)

# The demand to log in, where a stub ends.
LOGIN = _any(
    r"(?:you must|you need to|please|you have to) (?:be logged in|log ?in|sign ?in"
    r"|register)[^.\n]{0,20} (?:to|before) (?:view|read|see|continue|access)",
    r"(?:log|sign) in (?:or (?:register|sign up|create an account) )?to (?:continue|read|view|see|access|keep)",
    r"(?:bitte )?(?:melden sie sich|melde dich|loggen sie sich|logge dich)[^.\n]{0,30}(?:an"
    r"|ein),? um[^.\n]{0,40}(?:lesen|sehen|fortzufahren|weiterzulesen)|(?:nur|erst) (?:f\u00fcr"
    r"|nach) (?:angemeldete|registrierte|der anmeldung)[^.\n]{0,30}(?:nutzer|mitglieder|sichtbar|lesbar)",
    r"(?:connectez-vous|identifiez-vous|vous devez (?:\u00eatre connect\u00e9"
    r"|vous connecter))[^.\n]{0,30}(?:pour|afin de) (?:lire|voir|acc\u00e9der|continuer|consulter)",
    r"(?:inicia sesi\u00f3n|debes? (?:iniciar sesi\u00f3n|registrarte"
    r"|estar registrado))[^.\n]{0,30}para (?:leer|ver|acceder|continuar|seguir)",
    r"(?:log in|inloggen|meld je aan|je moet ingelogd zijn"
    r"|u moet ingelogd zijn)[^.\n]{0,30}om[^.\n]{0,30}(?:te lezen|te bekijken|verder|door te gaan"
    r"|te zien)",
)  # fmt: skip
