"""Each of the rules that no linter knows would be missed if it did not hold; `make check` applies them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.checks.__main__ import RULES
from tests.checks.import_cycles import circles, faults, imports
from tests.checks.sizes import long_functions, long_modules
from tests.checks.sources import LISTS, allowed, judged
from tests.checks.words import banned_words, no_imperatives


def test_the_lists_are_sorted_and_name_files_that_exist() -> None:
    for name in RULES:
        lines = [line for line in (LISTS / name).read_text().splitlines() if not line.startswith("#")]
        assert lines == sorted(set(lines)), name
        assert all((LISTS.parents[2] / line).is_file() for line in lines), name


def tree(root: Path, **files: str) -> Path:
    """A program of a few modules; two underscores in a name are a slash."""
    for name, text in files.items():
        path = root / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("import archive.other", "from archive.one import x"),
        ("from archive import other", "from archive import one"),
        ("def f() -> None:\n    from archive.other import x", "import archive.one"),
        ("if TYPE_CHECKING:\n    from archive.other import X", "def f() -> None:\n    import archive.one as y"),
        ("from . import other", "from .one import x"),
        ("from .other import x", "from ..archive import one"),
        ("class A:\n    def f(self) -> None:\n        import archive.other", "from archive.one import A"),
    ],
)
def test_a_circle_is_found_however_it_is_written(tmp_path: Path, one: str, other: str) -> None:
    root = tree(tmp_path, archive__one=one, archive__other=other, archive__far="import archive.one", storage__a="")
    (line,) = faults(root)
    assert line.endswith(
        ("archive.one -> archive.other -> archive.one", "archive.other -> archive.one -> archive.other")
    )


def test_a_long_way_round_is_a_circle_and_a_diamond_is_none(tmp_path: Path) -> None:
    diamond = {"a": {"b", "c"}, "b": {"d"}, "c": {"d"}, "d": set[str]()}
    assert circles(diamond) == []
    assert len(circles({**diamond, "d": {"a"}})) == 2
    root = tree(tmp_path, archive__a="import archive.b", archive__b="import pipeline.c", pipeline__c="import os")
    assert imports(root) == {"archive.a": {"archive.b"}, "archive.b": {"pipeline.c"}, "pipeline.c": set()}
    assert faults(root) == []


def test_sizes_are_counted(tmp_path: Path) -> None:
    body = "    x = 1\n"
    root = tree(
        tmp_path,
        archive__right="x = 1\n" * 320,
        archive__long="x = 1\n" * 321,
        archive__whole="@a\n@b\ndef f():\n" + body * 49,
        archive__much="class A:\n    async def f(self):\n" + "        x = 1\n" * 50,
    )
    assert list(long_modules(root)) == ["archive/long.py"]
    assert long_functions(root) == {"archive/much.py": ["f has 51 lines; at most 50"]}


@pytest.mark.parametrize(
    "text",
    [
        '"""What became of it."""',
        'def f():\n    """Return what is told."""',
        'class A:\n    def f(self):\n        """Heed it."""',
        'def f():\n    raise ValueError("free space or mend it")',
        'def f(x):\n    raise ValueError(f"{x} is none")',
        'x = option("--a", help="Read it as it\\n was asked.")',
    ],
)
def test_banned_words_are_found_where_people_read_them(tmp_path: Path, text: str) -> None:
    assert list(banned_words(tree(tmp_path, archive__one=text))) == ["archive/one.py"]


@pytest.mark.parametrize(
    "text",
    [
        '"""Amends, retold, and those of them."""',
        'def _f():\n    """Tell what is told."""',
        "# told\ntold = 1",
        'x = ("told",)',
    ],
)
def test_other_words_and_other_places_are_free(tmp_path: Path, text: str) -> None:
    assert banned_words(tree(tmp_path, archive__one=text)) == {}


def test_what_commands_say_and_readmes_are_looked_at_too(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("Fine.\nWhoever reads it.\n")
    root = tree(tmp_path, pipeline__cli__one='COMMANDS = {"a": "Nothing is told."}', pipeline__run='x = "told"')
    assert list(banned_words(root)) == ["pipeline/cli/one.py", "README.md"]


def test_docstrings_that_give_no_order_are_found(tmp_path: Path) -> None:
    for package in ("pipeline", "storage"):
        (tmp_path / package).mkdir()
    root = tree(tmp_path, archive__one='def f():\n    """Returns it."""', archive__two='def f():\n    """Return it."""')
    assert list(no_imperatives(root)) == ["archive/one.py"]


def test_a_list_hides_nothing_new_and_names_nothing_that_is_done(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("# Why.\narchive/done.py\narchive/old.py\n")
    assert allowed(path) == {"archive/done.py", "archive/old.py"}
    new, done = judged({"archive/old.py": ["x"], "archive/new.py": ["y"]}, path)
    assert new == "archive/new.py: y"
    assert done == "archive/done.py: nothing breaks this rule any more: strike it off list.txt"
