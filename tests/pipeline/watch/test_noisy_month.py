"""A month of fifty noisy pages, five of which are edited: with rules, by default, and with every line compared.

The kinds of noise were fixed before the rules were written, and no rule is written for a single page. The short form is
a day; `TORTURE_NOISY_DAYS=30` is the month.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count as counted

import pytest

from archive.times import now
from storage.local import LocalStore
from tests.pipeline.watch.conftest import Machine
from tests.site import Handler, Site, Talk, answer
from tests.torture.scale import count

DAYS = count("NOISY_DAYS", 1, 30)
TICK = timedelta(hours=6)
RECHECK = timedelta(minutes=10)
RULES = """
[watch.ignore]
css = ["aside", "[class*=related]", "[class*=advert]", "[class*=sponsor]"]
kinds = ["counters", "ago", "dates", "figures", "headline", "order"]
"""
RUNS = {"with rules": RULES, "by default": "", "every line compared": "[watch.ignore]\nkinds = []\n"}

SUBJECTS = ["the quay", "the bench", "a tax on crates", "night trains", "the lock-keeper"]
STORIES = [
    "The harbour is deeper than it was", "A bell is cast for the town hall", "Night trains are late again",
    "The market moves to Thursday", "Lamps on the mole burn all night", "The ferry has a new captain",
]  # fmt: skip
OFFERS = [
    "Buy a boat before the winter and pay for it after the thaw.", "Rooms by the sea, with breakfast and a view.",
    "Ropes of every length, at the price of a short one.", "Our lamps burn longer than yours, and we can prove it.",
]  # fmt: skip
POINTS = [
    "The crane stands where it stood before.", "The dredger comes in spring.", "No berth is let for more than a year.",
    "The pilots have a house of their own.", "Crates are counted twice.", "The weigher keeps the keys.",
]  # fmt: skip

Noise = Callable[[random.Random, int], dict[str, str]]


def nonce(dice: random.Random, number: int) -> dict[str, str]:
    return {"head": f"<script nonce='{dice.getrandbits(64):x}'>var a = {dice.random()};</script>"}


def csrf(dice: random.Random, number: int) -> dict[str, str]:
    token = f"{dice.getrandbits(128):x}"
    return {
        "head": f"<meta name=csrf-token content={token}>",
        "end": f"<form method=post><input type=hidden name=csrf value={token}><button>Subscribe</button></form>",
    }


def views(dice: random.Random, number: int) -> dict[str, str]:
    many = 1_000 + dice.randrange(100_000)
    shown = [
        f"{many:,} views",
        f"Views: {many}",
        f"{many / 1000:.1f}k reads",
        f"Viewed {many:,} times",
        f"{many} Aufrufe",
    ]
    return {"top": f"<p{' class=meta' * (number % 2)}>{shown[number % 5]}</p>"}


def ago(dice: random.Random, number: int) -> dict[str, str]:
    hours = int((now() - Machine.start).total_seconds()) // 3600 + 3
    away = f"{hours} hours" if hours < 24 else f"{hours // 24} day{'s' * (hours >= 48)}"
    german = f"{hours} Stunden" if hours < 24 else f"{hours // 24} Tag{'en' if hours >= 48 else ''}"
    shown = [
        f"{away} ago",
        f"Updated {away} ago",
        f"By Ida Quay \u00b7 {away} ago",
        f"Published: {away} ago",
        f"vor {german}",
    ]
    return {"top": f"<p{' class=byline' * (number % 2)}>{shown[number % 5]}</p>"}


def related(dice: random.Random, number: int) -> dict[str, str]:
    links = "".join(f"<li><a href='/s/{dice.random()}'>{story}</a></li>" for story in dice.sample(STORIES, 3))
    tag = ["section", "div", "aside", "nav", "div"][number % 5]
    return {"end": f"<{tag} class='related-{number}'><h3>Related stories</h3><ul>{links}</ul></{tag}>"}


def advert(dice: random.Random, number: int) -> dict[str, str]:
    name = ["advert", "advertisement", "sponsored", "advert-slot", "box-advert"][number % 5]
    return {"middle": f"<div class='{name}'><p>{dice.choice(OFFERS)}</p></div>"}


def boxes(dice: random.Random, number: int) -> dict[str, str]:
    warm, index = dice.randrange(-5, 30), 15_000 + dice.random() * 4_000
    move = f"{dice.choice('+-')}{dice.random() * 3:.2f} %"
    shown = f"<p>Harbour: {warm} \u00b0C</p><p>Ropes 100 {index:,.2f} {move}</p>"
    return {"middle": f"<div class=box>{shown}</div>"}


def shuffled(dice: random.Random, number: int) -> dict[str, str]:
    return {"middle": "<ul>" + "".join(f"<li>{point}</li>" for point in dice.sample(POINTS, 6)) + "</ul>"}


def headline(dice: random.Random, number: int) -> dict[str, str]:
    subject = SUBJECTS[number % 5]
    return {
        "title": dice.choice([f"What the council says of {subject}", f"You will not believe the news of {subject}"])
    }


def visitors(dice: random.Random, number: int) -> dict[str, str]:
    many = 12_000 + dice.randrange(90_000)
    shown = [
        f"You are visitor number {many:,}", f"Visitors today: {many}", f"{many % 900} people are reading this now",
        f"{many % 90} readers online", f"Besucher: {many}",
    ]  # fmt: skip
    return {"end": f"<p class=counter>{shown[number % 5]}</p>"}


KINDS: list[Noise] = [nonce, csrf, views, ago, related, advert, boxes, shuffled, headline, visitors]
# The pages that are edited, by number: the share of the month after which, and what the edit does.
EDITS: dict[int, tuple[float, str, str]] = {
    2: (0.2, "sixty crowns", "eighty crowns"),  # a view counter
    13: (0.35, " Nobody left before the vote.", ""),  # a distance in time
    25: (0.5, "Two members of the council spoke against it.", "Two members of the council spoke for it."),  # adverts
    37: (0.6, "the winter", "the spring"),  # a shuffled list
    48: (0.75, "said in other words", "said in plain words"),  # a headline in turns
}


def page_of(number: int, dice: random.Random, *, edited: bool) -> bytes:
    """Return one of the fifty pages, with its noise, as it is shown once."""
    subject = SUBJECTS[number % 5]
    made = KINDS[number % 10](dice, number // 10)
    title = made.get("title", f"On {subject}, number {number}")
    first = (
        f"The council met on {subject} for the {number + 2}th time, with its doors open. A crate costs sixty crowns "
        "from the first of the month on. Nobody left before the vote. Two members of the council spoke against it."
    )
    second = (
        "The matter was said in other words to be far from closed: the court sits on it again before the winter, and "
        "the harbour master will be heard, who has kept the books for thirty years and never lost a page of them."
    )
    if edited:
        _, before, after = EDITS[number]
        assert (before in first) != (before in second)
        first, second = first.replace(before, after), second.replace(before, after)
    return answer(
        f"<html lang=en><head><title>{title}</title>{made.get('head', '')}</head><body><article><h1>{title}</h1>"
        f"{made.get('top', '')}<p>{first}</p>{made.get('middle', '')}<p>{second}</p>{made.get('end', '')}</article>"
        "</body></html>".encode()
    )


def served(number: int, edit_at: timedelta | None) -> Handler:
    """Return what serves a page: its noise is another one with every request."""
    requests = counted()

    async def handle(talk: Talk) -> None:
        edited = edit_at is not None and now() - Machine.start >= edit_at
        await talk.send(page_of(number, random.Random(f"{number} {next(requests)}"), edited=edited))

    return handle


@pytest.mark.full
def test_every_edit_of_a_noisy_page_is_told_once_and_no_noise_is(machine: Machine, site: Site) -> None:
    whole = DAYS * timedelta(days=1)
    for number in range(50):
        share = EDITS[number][0] if number in EDITS else None
        site.answers[f"/{number}"] = served(number, None if share is None else whole * share)
    wanted = {f"/{number}" for number in EDITS}
    found: dict[str, Counter[str]] = {}
    for name, rules in RUNS.items():
        folder = machine.folder / name.replace(" ", "-")
        each = replace(machine, folder=folder, store=LocalStore(folder / "store"), events=[])
        each.watches = "".join(f'[[watch]]\npage = "{site.url(f"/{it}")}"\nevery = "6h"\n{rules}\n' for it in range(50))
        _live(each, whole)
        found[name] = Counter(url.removeprefix(site.url("")) for _, url in each.told())
        told = sum(found[name][path] > 0 for path in wanted)
        false = {path: times - (path in wanted) for path, times in found[name].items() if times > (path in wanted)}
        by_kind = Counter[str]()
        for path, times in false.items():
            by_kind[KINDS[int(path[1:]) % 10].__name__] += times
        print(f"{name}: {told} of 5 edits, {by_kind.total()} false alerts {dict(by_kind)}")
        assert told == 5, name
    assert {path: found["with rules"][path] for path in wanted} == dict.fromkeys(wanted, 1)
    assert found["with rules"].total() - 5 <= 1
    noise_by_default = {"nonce", "csrf", "views", "ago", "visitors"}
    quiet = {f"/{number}" for number in range(50) if KINDS[number % 10].__name__ in noise_by_default}
    assert {path: found["by default"][path] for path in quiet & wanted} == dict.fromkeys(quiet & wanted, 1)
    assert not any(found["by default"][path] for path in quiet - wanted)


def _live(machine: Machine, whole: timedelta) -> None:
    at = timedelta(0)
    while at < whole + 2 * TICK:
        for later in (timedelta(0), RECHECK):
            machine.at(at + later)
            machine.run()
        at += TICK
