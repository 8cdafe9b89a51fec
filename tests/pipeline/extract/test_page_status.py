"""Pages that say they are gone or closed are told from pages about such pages."""

# ruff: noqa: E501 - samples of pages are easier to read in one line

from __future__ import annotations

import re

import pytest

from pipeline.extract import phrases
from pipeline.extract.body import body_of
from pipeline.extract.html_tree import parsed
from pipeline.extract.page_status import availability_of

ESSAY = (
    "The council met behind closed doors for the ninth time this year, and once more nobody was told what it talked about.",
    "Its chairman says that the harbour could not be run in public; his predecessor ran it in public for eleven years.",
    "What is decided there is paid for by everybody who buys a loaf of bread on the island, for all of it comes by ship.",
    "A newspaper that asks for the minutes is sent a form, and whoever fills in the form is sent another one in June.",
    "So the minutes have to be read where they are kept, between ten and eleven, standing, and without a pencil.",
    "I have done so for three weeks. Nothing in them is secret, and most of it does the council credit.",
    "That is what makes the closed doors so odd: they hide work that is, on the whole, patient and good.",
    "Open them, and the worst that can happen is that somebody falls asleep on the benches of the gallery.",
)
LONG = (*ESSAY, *(sentence.replace("council", "board").replace("minutes", "protocols") for sentence in ESSAY), *ESSAY)
COOKIE_BAR = (
    "<div class='cookie-banner'><p>We and our 842 partners store cookies. We value your privacy.</p>"
    "<button>Accept all cookies</button></div>"
)
LOGIN_FORM = "<form><label>E-mail <input type='email'></label><label>Password <input type='password'></label></form>"
NOT_FREE = '<script type="application/ld+json">{"@type": "NewsArticle", "isAccessibleForFree": %s}</script>'
MENU = "<nav><a href='/'>Home</a> <a href='/law'>Law</a> <a href='/login'>Log in</a> <a href='/s'>Subscribe</a></nav>"


def page(title: str, *paragraphs: str, h1: str | None = None, extra: str = "", head: str = "") -> str:
    heading = f"<h1>{h1}</h1>" if h1 is not None else ""
    inner = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return (
        f"<html><head><title>{title}</title>{head}</head><body>{MENU}<main><article>{heading}{inner}</article></main>"
        f"{extra}<footer><p>The Quay Gazette. Imprint. Privacy. Subscribe to our newsletter.</p></footer></body></html>"
    )


def named(html: str, status: int = 200) -> str | None:
    tree = parsed(html)
    assert tree is not None
    return availability_of(tree, body_of(tree, "https://gazette.example/essay").text, status=status)


CLOSED = {
    # a page that says it is not there
    "en-404": ("soft-404", page("Page not found | The Quay Gazette", "Try the search.", h1="Page not found")),
    "en-404-code": ("soft-404", page("404", "Nothing here. Go back to the front page.")),
    "en-404-error": ("soft-404", page("Error 404 - Quay Gazette", "Sorry about that.")),
    "en-404-oops": ("soft-404", page("Quay Gazette", "Have a look at our front page.", h1="Oops! That page can’t be found.")),
    "en-404-site-first": ("soft-404", page("The Quay Gazette - Page Not Found", "Search the archive.")),
    "en-404-sentence": (
        "soft-404",
        page("The Quay Gazette", "We are sorry, but the page you were looking for has been moved or no longer exists."),
    ),
    "en-404-removed": ("soft-404", page("This article has been removed", "Read our other articles.")),
    "de-404": ("soft-404", page("Seite nicht gefunden – Hafenblatt", "Bitte prüfen Sie die Adresse.")),
    "de-404-article": ("soft-404", page("Hafenblatt", "Zur Startseite.", h1="Dieser Artikel ist nicht mehr verfügbar")),
    "fr-404": ("soft-404", page("Page introuvable | Le Quai", "Retour à l’accueil.")),
    "fr-404-exists": ("soft-404", page("Le Quai", "Retour.", h1="Désolé, cette page n’existe plus")),
    "es-404": ("soft-404", page("Página no encontrada - El Muelle", "Vuelve a la portada.")),
    "es-404-sentence": ("soft-404", page("El Muelle", "Lo sentimos: la página que buscas ya no está disponible.")),
    "nl-404": ("soft-404", page("Pagina niet gevonden | De Kade", "Ga naar de voorpagina.")),
    "it-404": ("soft-404", page("Pagina non trovata", "Torna alla home.")),
    # a page that wants consent first
    "en-consent": ("consent-wall", page("Before you continue to Quay", "We use cookies and data.", "Reject all. Accept all.")),
    "en-consent-partners": (
        "consent-wall",
        page("Quay Gazette", "We and our 842 partners store and access information on your device.", "Accept. Manage options."),
    ),
    "de-consent": (
        "consent-wall",
        page("Hafenblatt", "Mit Werbung und Tracking weiterlesen, oder werbefrei im Abo für 2,99 Euro.", "Zustimmen"),
    ),
    "fr-consent": ("consent-wall", page("Le Quai", "Nous et nos 120 partenaires utilisons des cookies.", "Accepter")),
    "es-consent": ("consent-wall", page("El Muelle", "Acepta las cookies para continuar leyendo gratis.", "Aceptar")),
    "nl-consent": ("consent-wall", page("De Kade", "Wij en onze 300 partners gebruiken cookies.", "Akkoord")),
    # a page that wants to know who you are
    "en-login": ("login-wall", page("Log in | Quay Forum", "Enter your name and password.", extra=LOGIN_FORM)),
    "en-login-stub": ("login-wall", page("The locked gate", ESSAY[0], "Please log in to continue reading.")),
    "de-login": ("login-wall", page("Anmelden - Hafenblatt", "Ihr Zugang.", extra=LOGIN_FORM)),
    "fr-login-stub": ("login-wall", page("La porte close", "Connectez-vous pour lire cette tribune.")),
    "es-login": ("login-wall", page("Iniciar sesión | El Muelle", "Tu cuenta.", extra=LOGIN_FORM)),
    "nl-login-stub": ("login-wall", page("De dichte deur", "Je moet ingelogd zijn om dit bericht te bekijken.")),
    # a stub of a page that is for those who pay
    "en-paid": ("paywalled", page("The harbour tax", *ESSAY[:2], "Subscribe to continue reading.")),
    "en-paid-letter": ("paywalled", page("The harbour tax", *ESSAY[:3], "This post is for paid subscribers")),
    "en-paid-data": ("paywalled", page("The harbour tax", *ESSAY[:2], head=NOT_FREE % "false")),
    "en-paid-data-text": ("paywalled", page("The harbour tax", *ESSAY[:2], head=NOT_FREE % '"False"')),
    "en-paid-wall": (
        "paywalled",
        page("The tax", *ESSAY[:3], extra="<div class='paywall'><h2>Keep reading</h2><p>Already a subscriber? Come in.</p></div>"),
    ),
    "de-paid": ("paywalled", page("Die Hafensteuer", *ESSAY[:2], "Jetzt mit dem Probeabo weiterlesen.")),
    "fr-paid": ("paywalled", page("La taxe du port", *ESSAY[:2], "La suite de cet article est réservée aux abonnés.")),
    "es-paid": ("paywalled", page("La tasa", *ESSAY[:2], "Suscríbete para seguir leyendo este artículo.")),
    "nl-paid": ("paywalled", page("De havenbelasting", *ESSAY[:2], "Dit artikel is exclusief voor abonnees.")),
}  # fmt: skip

OPEN = {
    "essay": page("The harbour tax", *ESSAY, h1="The harbour tax"),
    "cookie-bar": page("The harbour tax", *ESSAY, extra=COOKIE_BAR),
    "short-note-with-cookie-bar": page("A short note", *ESSAY[:3], extra=COOKIE_BAR),
    "about-404": page("Page not found: how newspapers lose their archives", *ESSAY, "Error 404 is what is left of them."),
    "about-404-short": page("404 and counting: the pages that the council lost", *ESSAY[:2]),
    "about-404-question": page("Why ‘page not found’ should worry a court", *ESSAY[:3], h1="Why ‘page not found’ should worry a court"),
    "about-404-de": page("Seite nicht gefunden: Wie das Netz vergisst", *ESSAY),
    "about-404-fr": page("« Page introuvable » : ce que le web oublie", *ESSAY),
    "about-walls": page("The case against cookie walls", *ESSAY, "Sites say: accept all cookies to continue. They may not."),
    "about-walls-short": page("Consent or pay: what the board said", *ESSAY[:4], "We and our 842 partners, the banner began."),
    "about-walls-de": page("Mit Werbung weiterlesen? Ein Urteil", *ESSAY, "Die Einwilligung ist nicht frei, wenn sie erforderlich ist."),
    "about-paywalls": page("Paywalls and the public", *ESSAY, "“Subscribe to continue reading” is no argument."),
    "about-login": page("Log in to read the law? A complaint", *LONG, "Please log in to continue reading, the site says."),
    "paid-but-whole": page("The harbour tax", *LONG, head=NOT_FREE % "false"),
    "paid-but-whole-in-data": page(
        "The harbour tax",
        *ESSAY[:4],
        head='<script type="application/ld+json">{"@type": "NewsArticle", "isAccessibleForFree": false, "articleBody": "'
        + " ".join(ESSAY[:4])
        + '"}</script>',
    ),
    "free": page("The harbour tax", *ESSAY[:2], head=NOT_FREE % "true"),
    "asks-for-money-below": page("The harbour tax", *LONG, "Subscribe to read more of our essays."),
    "newsletter-box": page("The harbour tax", *ESSAY, extra="<div class='newsletter'><p>Subscribe to our letter.</p></div>"),
    "letter-box-below": page("A note", *ESSAY[:3], extra="<div class='box'><p>Our letter. Already a subscriber? Good.</p></div>"),
    "login-in-the-menu": page("The harbour tax", *ESSAY[:2], extra=f"<div class='menu'>{LOGIN_FORM}</div>"),
    "court-case-404": page("404 Holdings v. Quay Council", *ESSAY[:3]),
    "room-404": page("404: a room in the old court house", *ESSAY[:3]),
    "not-found-guilty": page("Not found guilty, and yet dismissed", *ESSAY[:2]),
    "es-essay": page("La página que no existe", *ESSAY, h1="La página que no existe"),
    "nl-essay": page("Niet gevonden wat hij zocht: een pleidooi", *ESSAY[:3]),
    "empty": "<html><body></body></html>",
}  # fmt: skip


@pytest.mark.parametrize("name", CLOSED)
def test_pages_that_are_closed(name: str) -> None:
    expected, html = CLOSED[name]
    assert named(html) == expected


@pytest.mark.parametrize("name", OPEN)
def test_pages_that_are_open(name: str) -> None:
    assert named(OPEN[name]) is None


def test_an_answer_that_is_no_success_says_itself_what_it_is() -> None:
    assert named(CLOSED["en-404"][1], status=404) is None
    assert named(CLOSED["en-404"][1], status=206) == "soft-404"


def test_a_long_text_under_a_title_of_a_lost_page_is_a_text() -> None:
    assert named(page("Page not found", *LONG)) is None


@pytest.mark.parametrize("name", ["CONSENT", "GONE_SENTENCE", "GONE_TITLE", "LOGIN", "LOGIN_TITLE", "SUBSCRIBE"])
def test_nothing_in_the_phrases_repeats_without_a_bound(name: str) -> None:
    """So a search takes time in proportion to the text, whatever the text is."""
    pattern = getattr(phrases, name).pattern
    assert not re.search(r"(?<!\\)[*+](?![^\[]*\])|\{\d+,\}", pattern)
