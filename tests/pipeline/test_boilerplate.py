"""What a site repeats at the edges of its texts goes; what its pages say stays."""

from __future__ import annotations

from pipeline.boilerplate import SiteLines

BODY = "The harbour court sat in the open for case {0}.\nNobody but the clerk had read the papers of case {0}."


def learnt(*texts: str) -> SiteLines:
    site = SiteLines()
    for text in texts:
        site.note(text)
    return site


def pages(template: str, count: int = 5) -> list[str]:
    return [template.format(BODY.format(number), number) for number in range(count)]


def test_menus_and_sign_offs_go() -> None:
    texts = pages("- Home\n- About us\n{0}\nSubscribe to our letter\n© The Quay")
    site = learnt(*texts)
    assert [site.without(text, None) for text in texts] == [BODY.format(number) for number in range(5)]


def test_they_go_below_a_title_too() -> None:
    texts = pages("Case {1}\nWe use cookies to make this site better for you.\n{0}")
    site = learnt(*texts)
    assert site.without(texts[0], "Case 0") == f"Case 0\n{BODY.format(0)}"


def test_a_heading_that_a_series_shares_stays() -> None:
    texts = pages("Case {1}\nFacts\n{0}\nHeld\nThe appeal fails in case {1}.")
    site = learnt(*texts)
    assert [site.without(text, f"Case {number}") for number, text in enumerate(texts)] == texts


def test_two_pages_are_too_few_and_a_rare_line_is_no_menu() -> None:
    texts = pages("- Home\n{0}", 2)
    assert learnt(*texts).without(texts[0], None) == texts[0]
    rare = [*pages("- Home\n{0}", 3), *pages("{0}", 9)]
    assert learnt(*rare).without(rare[0], None) == rare[0]


def test_a_text_never_vanishes() -> None:
    texts = ["Closed\nCome back later", "Closed\nCome back later", "Closed\nCome back later"]
    site = learnt(*texts)
    assert site.without(texts[0], None) == texts[0]
    assert site.without("Closed\nCome back later", "Closed") == texts[0]
