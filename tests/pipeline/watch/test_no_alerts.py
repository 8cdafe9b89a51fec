"""Commands that list edits say "edited" wherever a text was changed, and by which rule that was no alert."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive import times
from tests.command import Command
from tests.pipeline.watch.conftest import Machine
from tests.pipeline.watch.test_alert_rules import PROSE, page, told_of
from tests.site import Site


@pytest.fixture
def onrecord(tmp_path: Path, machine: Machine) -> Command:
    machine.start = datetime.now(UTC) - timedelta(days=3)
    return Command.at(tmp_path / "store", tmp_path / "home")


def _list(onrecord: Command, machine: Machine) -> None:
    times.rehearse(timedelta(0))
    path = Path(onrecord.env["HOME"]) / ".config/onrecord/watches.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(machine.watches)


def test_an_edit_that_a_rule_made_no_alert_is_listed_with_the_rule(
    onrecord: Command, machine: Machine, site: Site, tmp_path: Path
) -> None:
    told_of(machine, site, "", page("12 views"), page("13 views"), page("13 views", prose=PROSE.replace("tax", "toll")))
    assert len(machine.events) == 1
    url = site.url("/page")
    without = onrecord("status", "--changed").out
    assert without.count(f" {url}\n") == 2, "no watch list, and nothing said of alerts"
    _list(onrecord, machine)
    said = " (no alert: only counters, or times as a distance, changed)"
    done = onrecord("status", "--changed")
    assert (done.out.count(f" {url}\n"), done.out.count(f" {url}{said}\n")) == (1, 1)
    assert [each.get("no_alert") for each in onrecord("--json", "status", "--changed").lines] == [None, said[12:-1]]
    assert onrecord("status", "--report", str(tmp_path / "pages.html")).code == 0
    assert (tmp_path / "pages.html").read_text().count(f"no alert: {said[12:-1]}") == 1
    listed = [line.partition(url)[2] for line in onrecord("snapshots", url).out.splitlines() if " edited " in line]
    assert [said in line for line in listed] == [True, False]
    edited = [each for each in onrecord("--json", "snapshots", url).lines if each["state"] == "edited"]
    assert [each.get("no_alert") for each in edited] == [said[12:-1], None]


def test_a_change_of_selected_parts_is_listed_beside_the_edits(onrecord: Command, machine: Machine, site: Site) -> None:
    def priced(price: str) -> bytes:
        return page(beside=f"<aside><div class=price>{price}</div></aside>")

    told_of(machine, site, '[watch.only]\ncss = [".price"]\n', priced("12"), priced("14"))
    assert len(machine.events) == 1
    _list(onrecord, machine)
    (entry,) = onrecord("--json", "status", "--changed").lines
    assert (entry["selected"], entry["diff"]) == (True, "[-12-]{+14+}\n")
    assert onrecord("status", "--changed").out.startswith("selected parts changed ")


def test_a_watch_list_that_cannot_be_read_hides_no_edit(onrecord: Command, machine: Machine, site: Site) -> None:
    told_of(machine, site, "", page(), page(prose=PROSE.replace("tax", "toll")))
    _list(onrecord, machine)
    (Path(onrecord.env["HOME"]) / ".config/onrecord/watches.toml").write_text("[watch")
    done = onrecord("status", "--changed")
    assert (done.code, done.err.count("\n")) == (0, 1)
    assert "which edits are no alerts is not said" in done.err
    assert done.out.startswith("edited ")
