"""What an outcome of a run says of a page: an observation, by the outcome's name and the answer's status."""

from __future__ import annotations

from archive.model import Outcome
from archive.states import Observation, State, compared_by, state_of
from archive.times import from_iso
from pipeline.extract.tasks import NO_TEXT

_LONGEST = 300  # characters of a detail


def observed(outcome: Outcome) -> Observation | None:
    """Return what an outcome says of a page, None where it says nothing."""
    name, url = outcome.outcome, outcome.url
    state = state_of(name, outcome.status)
    if state is None:
        return None
    final = outcome.final_url if outcome.final_url != url else None
    detail = outcome.error or name
    if name == "ok":
        detail = f"its address leads to {final}" if final else ""
    text = outcome.text
    whole = name in {"ok", *NO_TEXT} or (name == "extraction-failed" and text is not None)  # then metadata is missing
    if whole:
        text = compared_by(text, outcome.digest, outcome.mime)
    return Observation(
        url=url,
        at=from_iso(outcome.timestamp),
        state=state,
        text=text if state == State.OK and whole else None,
        record_id=outcome.record_id,
        detail=detail[:_LONGEST],
        title=outcome.title,
        digest=None if name == "truncated" else outcome.digest,
        words=outcome.words,
        final=final,
    )
