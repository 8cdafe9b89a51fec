"""How the last run went, as a text file for Prometheus: node_exporter's textfile collector reads it."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_log = logging.getLogger("onrecord.health")

_SUCCESS = "onrecord_run_last_success_timestamp_seconds"
_OLD_SUCCESS = re.compile(rf"^{_SUCCESS}(?:{{[^\n]*}})? ([0-9.e+]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run has to tell: `outcomes` counts targets by outcome, `late` the watches that missed their time.

    `ended` is UTC, `seconds` the run's duration, `captured` the bytes it kept, `outbox` the alerts that still wait.
    """

    ended: datetime
    seconds: float
    exit_code: int
    outcomes: Mapping[str, int] = field(default_factory=dict)
    due: int = 0
    late: int = 0
    captured: int = 0
    outbox: int = 0


def write_metrics(path: Path, report: RunReport) -> bool:
    """Write the file, whole or not at all; a failure is a warning and no more. Returns whether it was written."""
    try:
        from prometheus_client import write_to_textfile

        write_to_textfile(str(path), _registry(report, _last_success(path, report)))
    except OSError as error:
        _log.warning("no metrics: %s: %s", path, error.strerror or error)
        return False
    return True


def _last_success(path: Path, report: RunReport) -> float:
    """When a run last ended well: now, or what the file says that is being replaced."""
    if report.exit_code == 0:
        return report.ended.timestamp()
    with suppress(OSError, ValueError):
        match = _OLD_SUCCESS.search(path.read_text("utf-8"))
        if match:
            return float(match[1])
    return 0.0


def _registry(report: RunReport, success: float) -> CollectorRegistry:
    from prometheus_client import CollectorRegistry, Gauge

    registry = CollectorRegistry()

    def gauge(name: str, meaning: str, value: float) -> None:
        Gauge(name, meaning, registry=registry).set(value)

    gauge("onrecord_run_last_timestamp_seconds", "When the last run ended.", report.ended.timestamp())
    gauge(_SUCCESS, "When a run last ended with exit code 0; 0 if none did.", success)
    gauge("onrecord_run_duration_seconds", "How long the last run took.", report.seconds)
    gauge("onrecord_run_exit_code", "How the last run ended.", report.exit_code)
    gauge("onrecord_run_due", "Watches that were due.", report.due)
    gauge("onrecord_run_late", "Watches that had missed their time.", report.late)
    gauge("onrecord_run_captured_bytes", "Bytes that the last run kept.", report.captured)
    gauge("onrecord_outbox_alerts", "Alerts that wait to be sent.", report.outbox)
    outcomes = Gauge("onrecord_run_outcomes", "Targets of the last run by outcome.", ["outcome"], registry=registry)
    for name, count in report.outcomes.items():
        outcomes.labels(outcome=name).set(count)
    return registry
