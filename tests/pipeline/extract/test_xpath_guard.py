"""Guarded expressions find what they find when they are asked of every page."""

from __future__ import annotations

import subprocess
import sys
from copy import deepcopy

import pytest
from lxml import etree, html

from pipeline.extract.xpath_guard import NameGuard, value_tests

RE = {"re": "http://exslt.org/regular-expressions"}

# In a process of its own: once pages were extracted, this process's expressions are no longer trafilatura's.
ALL_OF_TRAFILATURA = """
import random
from lxml import etree
from trafilatura import xpaths
from pipeline.extract.xpath_guard import NameGuard, value_tests
from tests.pipeline.extract.test_xpath_cache import a_tree, words_of

dice = random.Random(5)
lists = [found for found in vars(xpaths).values() if isinstance(found, list) and isinstance(found[0], etree.XPath)]
expressions = [expression for found in lists for expression in found]
words = words_of(expression.path for expression in expressions)
guard, asked = NameGuard(), [0]

def counting(expression):
    def ask(tree):
        asked[0] += 1
        return expression(tree)
    return ask

pairs = [(one, guard.guarded(one.path, counting(one))) for one in expressions]
guarded = sum(value_tests(one.path) is not None for one in expressions)
found = calls = 0
for _ in range(300):
    tree = a_tree(dice, dice.sample(words, 12), size=dice.randrange(20))
    guard.mark(tree)
    for one, other in pairs:
        for start in (tree, tree.find("body")):
            assert one(start) == other(start), one.path
            found += len(other(start))
            calls += 2
print(guarded, found, calls, asked[0])
"""


def test_all_expressions_of_trafilatura_find_the_same() -> None:
    done = subprocess.run([sys.executable, "-c", ALL_OF_TRAFILATURA], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    guarded, found, calls, asked = map(int, done.stdout.split())
    assert guarded >= 20, "this version of trafilatura writes its expressions otherwise"
    assert found > 1000
    assert asked < calls * 0.8, "nothing was spared"


def a_guarded(path: str) -> tuple[NameGuard, object, list[int]]:
    guard, asked = NameGuard(), []
    expression = etree.XPath(path, namespaces=RE)

    def ask(tree: object) -> object:
        asked.append(1)
        return expression(tree)

    return guard, guard.guarded(path, ask), asked


def test_a_page_without_such_a_name_is_not_asked_and_its_copy_is_not() -> None:
    guard, expression, asked = a_guarded(".//*[self::div or self::p][contains(translate(@class, 'T', 't'), 'teaser')]")
    assert callable(expression)
    page = html.document_fromstring("<html><body><div class='post'><p id='teaser'>x</p></div></body></html>")
    guard.mark(page)
    assert (expression(page), expression(deepcopy(page)), expression(page.find(".//p")), asked) == ([], [], [], [])
    page = html.document_fromstring("<html><body><div class='a Teaser'><p>x</p></div></body></html>")
    guard.mark(page)
    assert [each.tag for each in expression(deepcopy(page))] == ["div"]


def test_a_part_that_stands_alone_is_asked() -> None:
    guard, expression, _ = a_guarded(".//*[contains(@class, 'tags')]")
    assert callable(expression)
    page = html.document_fromstring("<html><body><div class='post'><p>x</p></div></body></html>")
    guard.mark(page)
    alone = html.document_fromstring("<div><p class='tags'>x</p></div>")
    assert [each.tag for each in expression(alone)] == ["p"]


def test_what_a_page_says_of_itself_counts_for_nothing() -> None:
    guard, expression, _ = a_guarded(".//*[contains(@class, 'tags')]")
    assert callable(expression)
    page = html.document_fromstring("<html onrecord-names='0'><body><p class='tags'>x</p></body></html>")
    guard.mark(page)
    assert len(expression(page)) == 1


def test_many_values_are_forgotten_and_found_again() -> None:
    guard, expression, _ = a_guarded(".//*[contains(@class, 'tags')]")
    assert callable(expression)
    for turn in range(3):
        body = "".join(f"<p class='{turn}-{number}'>x</p>" for number in range(30_000))
        page = html.document_fromstring(f"<html><body>{body}<p class='tags'>x</p></body></html>")
        guard.mark(page)
        assert len(expression(page)) == 1, turn


@pytest.mark.parametrize(
    "path",
    [
        ".//*[not(@class)]",
        ".//*[@class]",
        ".//*[@class='a' and @id='b']",
        ".//*[@class='a' or position() = 2]",
        ".//*[@class='a']|.//p",
        ".//*[@class='a'][1]|.//p",
        "//time|//figure",
        "(.//main)[1]",
        ".//*[re:test(@class, 'a|')]",
        ".//*[re:test(translate(@class, 'A', 'a'), 'b')]",
        ".//*[contains(translate(@class, 'AB', 'a'), 'b')]",
        ".//*[re:test(@class, 'A', 'i')]",
        ".//*[self::a or self::b]",
    ],
)
def test_a_path_that_may_find_something_without_a_value_is_not_guarded(path: str) -> None:
    assert value_tests(path) is None
