"""What a watch calls news: parts of a page, kinds of lines, keywords, and the least size of a change."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from archive.page_history import history_of
from pipeline.watch.alert_rules import KEYS
from pipeline.watch.alert_times import KEYS as TIMES
from pipeline.watch.line_kinds import DEFAULT_KINDS, KINDS, by_kinds
from pipeline.watch.relevant_text import words_changed
from pipeline.watch.watch_list import WatchError, parsed, watch_of
from tests.pipeline.watch.conftest import Machine
from tests.site import Site, answer

HOUR = timedelta(hours=1)
PROSE = (
    "The council met on the quay and said what it had to say of the tax on crates, at some length and with the doors "
    "open. Nobody left before the vote, and the vote was as everybody had thought that it would be."
)


def page(*lines: str, prose: str = PROSE, beside: str = "", title: str = "On the tax") -> bytes:
    """An article with lines of its own between two paragraphs, and a box beside it."""
    between = "".join(f"<p>{line}</p>" for line in lines)
    return answer(
        f"<html lang=en><head><title>{title}</title></head><body><article><h1>{title}</h1><p>{prose}</p>{between}"
        "<p>A second paragraph says in other words that the matter is not closed, and that the court will sit on it "
        f"again before the winter.</p></article>{beside}</body></html>".encode()
    )


def told_of(machine: Machine, site: Site, rules: str, *answers: bytes) -> list[str]:
    """Show a page by one answer after another, each for half a day; returns what is said of each alert."""
    machine.watches = f'[[watch]]\npage = "{site.url("/page")}"\nevery = "6h"\n{rules}\n'
    at = timedelta(0)
    for each in answers:
        site.answers["/page"] = each
        for _ in range(2):
            machine.at(at)
            machine.run()
            at += 6 * HOUR
    return [f"{event.kind}: {event.summary} {event.diff}" for _, event in machine.events]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("1,234 views", "1 view"),
        ("Views: 532", "Views: 1.2k"),
        ("3 minutes ago", "2 days ago"),
        ("Updated just now", "Updated 3 hours ago"),
        ("By Ida Quay \u00b7 3 min ago \u00b7 12 comments", "By Ida Quay \u00b7 1 hour ago \u00b7 1,215 comments"),
        ("You are visitor number 12,345", "You are visitor number 12,400"),
        ("532 people are reading this now", "8 people are reading this now"),
        ("15.000 Aufrufe", "15.300 Aufrufe"),
        ("vor 3 Stunden", "vor einem Tag"),
        ("il y a 3 jours", "hier"),
    ],
)
def test_counters_and_distances_are_noise_by_default(before: str, after: str) -> None:
    assert by_kinds(before, DEFAULT_KINDS) == by_kinds(after, DEFAULT_KINDS)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("The mayor resigned 3 days ago", "The mayor resigned 5 days ago"),
        ("12 deaths", "14 deaths"),
        ("- 12 visitors", "- 14 visitors"),
        ("Some 1,234 visitors saw the fire.", "Some 4,234 visitors saw the fire."),
        ("12 November 2026", "13 November 2026"),
        ("By Ida Quay \u00b7 3 min ago", "By Ada Quay \u00b7 3 min ago"),
        ("Bread: \u20ac3.20", "Bread: \u20ac3.40"),
        ("1,234 views", "1,234 likes"),
        ("1,234 views", ""),
        ("14:00", "15:00"),
    ],
)
def test_what_may_be_an_edit_is_no_noise_by_default(before: str, after: str) -> None:
    assert by_kinds(before, DEFAULT_KINDS) != by_kinds(after, DEFAULT_KINDS)


def test_each_kind_leaves_out_what_it_says() -> None:
    alike = {
        "dates": ("Published: 12 November 2026, 14:03", "Published: 1 December 2026"),
        "figures": ("DAX 18,234.12 +0.4 %", "DAX 17,900.00 \u22121.2 %"),
        "headline": ("Mayor leaves office", "Mayor quits at last"),
        "order": ("a\nb", "b\na"),
        "counters": ("3 likes", "4 likes"),
        "ago": ("today", "yesterday"),
    }
    assert alike.keys() == KINDS.keys()
    for kind, (before, after) in alike.items():
        assert by_kinds(before, [kind], title=before) == by_kinds(after, [kind], title=after), kind
        assert by_kinds(before, KINDS.keys() - {kind}, title="") != by_kinds(after, KINDS.keys() - {kind}, title="")


def test_a_counter_alone_is_no_alert_and_still_an_edit(machine: Machine, site: Site) -> None:
    said = told_of(
        machine, site, "", page("1,234 views"), page("1,300 views"), page("1,400 views", prose=f"{PROSE} Not.")
    )
    assert len(said) == 1
    assert "{+Not.+}" in said[0].replace("{+ Not.+}", "{+Not.+}")
    assert "views" not in said[0].partition("{+")[2], "noise is not shown as a change"
    states = [each.state.name for each in history_of(machine.archive, site.url("/page")).judged]
    assert states.count("edited") == 2, "the text was changed, whatever is an alert"


def test_without_kinds_every_line_is_compared(machine: Machine, site: Site) -> None:
    said = told_of(machine, site, "[watch.ignore]\nkinds = []\n", page("1,234 views"), page("1,300 views"))
    assert len(said) == 1


def test_ignored_elements_and_expressions_are_no_news(machine: Machine, site: Site) -> None:
    rules = '[watch.ignore]\ncss = [".offer"]\nregex = ["^Advertisement.*$"]\n'
    first = page("Advertisement: buy a boat", "<span class=offer>Rooms by the sea, from tomorrow on.</span>")
    second = page("Advertisement: sell a boat", "<span class=offer>Rooms in the hills, as long as they last.</span>")
    third = page("Advertisement: no boat", prose=PROSE.replace("crates", "barrels"))
    said = told_of(machine, site, rules, first, second, third)
    assert len(said) == 1
    assert "[-crates-]{+barrels+}" in said[0]


def test_only_what_is_chosen_is_news_though_no_text_holds_it(machine: Machine, site: Site) -> None:
    def priced(price: str, prose: str = PROSE) -> bytes:
        return page(prose=prose, beside=f"<aside><div class=price>{price}</div></aside>")

    rules = '[watch.only]\ncss = [".price"]\n'
    edited = priced("12.00", PROSE.replace("crates", "barrels"))
    said = told_of(machine, site, rules, priced("12.00"), edited, priced("14.50", PROSE.replace("crates", "barrels")))
    assert len(said) == 1
    assert "[-12-]{+14+}.[-00-]{+50+}" in said[0]
    assert said[0].startswith("changed: What the watch selects was changed")


def test_an_only_that_finds_nothing_compares_the_whole_text(
    machine: Machine, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    said = told_of(
        machine, site, '[watch.only]\ncss = ["#nowhere"]\n', page(), page(prose=PROSE.replace("crates", "tea"))
    )
    assert len(said) == 1
    assert "`only.css` finds nothing in" in caplog.text


def test_keywords_that_appear_and_vanish_are_told(machine: Machine, site: Site) -> None:
    rules = 'keywords = ["recall", "tax on*"]\n'
    recalled = PROSE.replace("on the quay", "on the quay after the recall")
    said = told_of(
        machine, site, rules, page(), page("It recalls nothing."), page(prose=recalled),
        page(prose=recalled.replace("tax on crates", "levy")),
    )  # fmt: skip
    assert [each.partition(" Appeared: ")[2].partition(".")[0] for each in said] == ["recall", ""]
    assert "Vanished: tax on*." in said[1]


def test_small_changes_are_told_once_they_add_up(machine: Machine, site: Site) -> None:
    words = PROSE.split()
    steps = [page(prose=" ".join(["so"] * number + words[number:])) for number in (0, 2, 3, 5)]
    said = told_of(machine, site, "least_words = 4\n", *steps)
    assert len(said) == 1
    assert words_changed("one two three", "one 2 3 4") == 3


@pytest.mark.full
def test_an_expression_without_end_hides_nothing(
    machine: Machine, site: Site, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.watch.relevant_history._TIME", 1.0)
    rules = "[watch.ignore]\nregex = ['(a+)+$']\n"
    endless = "a" * 60 + "b"
    said = told_of(machine, site, rules, page(endless), page(endless, prose=PROSE.replace("crates", "tea")))
    assert len(said) == 1
    assert "cannot be applied" in caplog.text


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ('only = "article"', "`only` is no table; write [watch.only] with css, regex"),
        ('ignore = {xpath = ["//p"]}', "`ignore.xpath` is no rule; write [watch.ignore] with css, kinds, regex"),
        ('only = {kinds = ["dates"]}', "`only.kinds` is no rule"),
        ('ignore = {css = "aside"}', "`ignore.css` is a list of texts"),
        ('ignore = {css = ["a:(b"]}', "'a:(b' is no CSS selector"),
        ('ignore = {css = ["svg|a"]}', "'svg|a' is no CSS selector: Undefined namespace prefix"),
        ('ignore = {regex = ["("]}', "'(' is no regular expression"),
        ('ignore = {kinds = ["weather"]}', "'weather' is no kind of line; known are counters, ago, dates"),
        ('keywords = "recall"', "`keywords` is a list of texts"),
        ('keywords = ["*"]', "'*' is no word"),
        ("least_words = 0", "`least_words` is a number of words from 1 to 10,000"),
        ("least_words = true", "`least_words` is a number of words"),
        ('keywords = ["a"]\nleast_words = 2', "two answers to one question"),
    ],
)
def test_a_rule_that_cannot_be_is_told_in_one_line(rules: str, said: str) -> None:
    with pytest.raises(WatchError) as told:
        parsed(f'[[watch]]\npage = "https://a.example/"\n{rules}\n', "here")
    assert said in str(told.value)
    assert "\n" not in str(told.value)


def test_a_watch_without_rules_has_the_default_kinds() -> None:
    assert watch_of({"page": "https://a.example/"}).text_rules.kinds == DEFAULT_KINDS


def test_every_key_and_kind_is_in_the_readme() -> None:
    text = (Path(__file__).parents[3] / "pipeline/README.md").read_text("utf-8")
    table = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", text, re.MULTILINE))
    assert KINDS.keys() <= table.keys()
    assert {kind for kind in KINDS if table[kind].endswith("(on by default)")} == set(DEFAULT_KINDS)
    missing = [key for key in KEYS | TIMES if not re.search(rf"^(?:# |\[watch\.)?{key}\b", text, re.MULTILINE)]
    assert not missing
