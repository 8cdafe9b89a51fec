"""Every object key of the layout is made here.

Layout version 1:
    onrecord.json
    runs/<UTC start>-<random>/{archive/NNNNN.warc.gz, pages/pages.jsonl, indexes/index.cdx.gz, indexes/index.idx,
                               logs/outcomes.jsonl, datapackage-digest.json, datapackage.json}
    index/loose/<run>                      put before a run's manifest: the run may not be in a generation yet
    index/loose/<run>.ahead-<seconds>      by how much a clock was ahead that dated a run which notes nothing of it
    index/generations/<time>-<random>/{index.cdx.gz, index.idx, runs.txt.gz, generation.json}
    claims/<run>                           who may touch an old run that is not committed; gone when that is done
    intents/{commit,remove}/<run>/<id>     who is about to commit, or to remove, an uncommitted run; gone once done
    intents/redact/<run>/<id>              who moves a redaction's files over those of a run; gone once done
    turns/<run>/<hash of its manifest>     which redaction, of several, comes first behind that manifest
    turns/<redaction>/stated               whether its statement is put, or what lies aside for it is cleared away
    restoring.json                         while the archive is being restored here
    evidence/log/<number of the first entry>               runs and the hashes of their manifests; it only grows
    evidence/checkpoints/<entries>-<key id>                a signed note of the log's root at that size
    evidence/keys/<key id>                                 the public key behind it
    evidence/tokens/<entries>-<key id>/<authority>-<hash>  when an authority saw that checkpoint (RFC 3161)
    watch/{turns,beats}/<number>           which machine captures what is due now; can be lost
    watch/told/<mark>                      which machine tells of an event; can be lost after some days
    notices/rules/<time>-<random>.json     what is not to be shown, and .removed.json beside it once that has ended
    notices/redactions/<time>-<random>.txt what was taken out of a run, signed; see `archive.redaction.plan`
    annotations/<time>-<random>.txt        collections, labels, notes of a user; .removed.txt beside it once ended
    redacting/<time>-<random>/<run>/<path> a redaction's files on their way to their runs; gone when it is finished

Nothing under evidence/ can be made again from the runs: it holds signatures, and what others vouched for at a time.
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

STORE_KEY = "onrecord.json"
TURNS_PREFIX = "watch/turns/"
BEATS_PREFIX = "watch/beats/"
TOLD_PREFIX = "watch/told/"
RUNS_PREFIX = "runs/"
CLAIMS_PREFIX = "claims/"
COMMIT_INTENTS_PREFIX = "intents/commit/"
REMOVE_INTENTS_PREFIX = "intents/remove/"
_REDACT_INTENTS = "intents/redact/"
_TURNS = "turns/"
RESTORING = "restoring.json"
NOTICES_PREFIX = "notices/"
REDACTING_PREFIX = "redacting/"
ANNOTATIONS_PREFIX = "annotations/"

PAGES = "pages/pages.jsonl"
CDX = "indexes/index.cdx.gz"
IDX = "indexes/index.idx"
OUTCOMES = "logs/outcomes.jsonl"
MANIFEST = "datapackage.json"
MANIFEST_DIGEST = "datapackage-digest.json"

NAMING = frozenset({PAGES, CDX, IDX, OUTCOMES, MANIFEST, MANIFEST_DIGEST})  # files in which keys of the run may stand

# The merged index: all of it but the notes on clocks can be made again from the runs.
LOOSE_PREFIX = "index/loose/"
GENERATIONS_PREFIX = "index/generations/"
GENERATION = "generation.json"  # a generation exists when this does
GENERATION_CDX = "index.cdx.gz"
GENERATION_IDX = "index.idx"
GENERATION_RUNS = "runs.txt.gz"

EVIDENCE_PREFIX = "evidence/"
LOG_PREFIX = "evidence/log/"
CHECKPOINTS_PREFIX = "evidence/checkpoints/"
SIGNERS_PREFIX = "evidence/keys/"
TOKENS_PREFIX = "evidence/tokens/"
_RULES = f"{NOTICES_PREFIX}rules/"
_REDACTIONS = f"{NOTICES_PREFIX}redactions/"
_RULE_END, _REMOVED_END, _REDACTION_END = ".json", ".removed.json", ".txt"
_ANNOTATION_END, _ANNOTATION_REMOVED_END = ".txt", ".removed.txt"

NO_TIME = datetime.max.replace(tzinfo=UTC)  # when a run whose name holds no time was begun

_FOREIGN = "foreign-"
_RUN = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{4,16}\Z")
_AHEAD = re.compile(r"(\d{8}T\d{6}Z-[0-9a-f]{4,16})\.ahead-(\d{1,10})\Z")
_CHECKPOINT = re.compile(r"(\d{12})-([0-9a-f]{8})\Z")


def new_run_id(started: datetime) -> str:
    """Return a run's name: its UTC start and eight hex digits, three of the millisecond, so that names sort by time."""
    return f"{started:%Y%m%dT%H%M%SZ}-{started.microsecond // 1000:03x}{secrets.token_hex(3)[1:]}"


def is_run_id(name: str) -> bool:
    """Whether the name is one that `new_run_id` could have made."""
    return _RUN.match(name) is not None


def warc_path(number: int) -> str:
    """Where a run keeps its n-th WARC file."""
    return f"archive/{number:05d}.warc.gz"


def foreign_path(number: int) -> str:
    """Where a run keeps its n-th file of records that other programs wrote."""
    return f"archive/{_FOREIGN}{number:05d}.warc.gz"


def is_foreign(key: str) -> bool:
    """Whether a WARC file, by its key or path, holds records as other programs wrote them."""
    return key.rpartition("/")[2].startswith(_FOREIGN)


def run_key(run: str, path: str) -> str:
    """Return the object key of a run's file."""
    return f"{RUNS_PREFIX}{run}/{path}"


def split_run_key(key: str) -> tuple[str, str] | None:
    """Return the run and the path in it that a key names, or None for a key outside the runs."""
    parts = key.split("/", 2)
    if len(parts) == 3 and parts[0] == "runs" and is_run_id(parts[1]):
        return parts[1], parts[2]
    return None


def claim_key(run: str) -> str:
    """Return the object key of the mark by which one process alone may commit or clear away an old run."""
    return CLAIMS_PREFIX + run


def commit_intent(run: str, name: str) -> str:
    """Return the object key that says that one writer is about to commit a run."""
    return f"{COMMIT_INTENTS_PREFIX}{run}/{name}"


def remove_intent(run: str, name: str) -> str:
    """Return the object key that says that one garbage collection is about to remove a run's files."""
    return f"{REMOVE_INTENTS_PREFIX}{run}/{name}"


def redact_intent(run: str, name: str) -> str:
    """Return the object key that says that one process moves a redaction's files over those of a run."""
    return f"{_REDACT_INTENTS}{run}/{name}"


def redaction_turn(run: str, digest: str) -> str:
    """Return the object key that names the redaction which replaces a run's manifest of that digest."""
    return f"{_TURNS}{run}/{digest.partition(':')[2]}"


def redaction_stated(redaction: str) -> str:
    """Return the object key that says whether a redaction is about to be stated, or was given up."""
    return f"{_TURNS}{redaction}/stated"


def renamed(run: str) -> str:
    """Return another name for a run: the same start, so that it sorts as before, and other digits behind it."""
    begun, _, digits = run.rpartition("-")
    return f"{begun}-{secrets.token_hex(len(digits))[: len(digits)]}"


def started(name: str) -> datetime:
    """When a run, or a generation, was begun, by its name; a name of no time counts as always new."""
    try:
        return datetime.strptime(name[:16], "%Y%m%dT%H%M%S%z")
    except ValueError:  # a stranger's: 99 is two digits, and no month
        return NO_TIME


def loose_key(run: str) -> str:
    """Return the object key of the mark that a run is not known to be in a generation."""
    return LOOSE_PREFIX + run


def clock_key(run: str, ahead: int | str) -> str:
    """Return the object key of the note that a run's clock was so many seconds ahead.

    A listing is enough to read it.
    """
    return f"{LOOSE_PREFIX}{run}.ahead-{ahead}"


def split_clock_key(key: str) -> tuple[str, int] | None:
    """Return the run and the seconds that a note on a clock names, or None for any other key."""
    found = _AHEAD.match(key.removeprefix(LOOSE_PREFIX))
    return (found[1], int(found[2])) if found and key.startswith(LOOSE_PREFIX) else None


def generation_key(generation: str, name: str) -> str:
    """Return the object key of a generation's file; its own name is made as a run's is."""
    return f"{GENERATIONS_PREFIX}{generation}/{name}"


def split_generation_key(key: str) -> tuple[str, str] | None:
    """Return the generation and the file that a key names, or None for any other key."""
    parts = key.removeprefix(GENERATIONS_PREFIX).split("/")
    if key.startswith(GENERATIONS_PREFIX) and len(parts) == 2 and is_run_id(parts[0]):
        return parts[0], parts[1]
    return None


def log_key(first: int) -> str:
    """Return the object key of the log's entries from a number on."""
    return f"{LOG_PREFIX}{first:012}"


def checkpoint_key(size: int, signer: str) -> str:
    """Return the object key of a checkpoint, by the log's size and the id of the key that signed, in hex."""
    return f"{CHECKPOINTS_PREFIX}{size:012}-{signer}"


def split_checkpoint_key(key: str) -> tuple[int, str] | None:
    """Return the size and the signer's id that a checkpoint's key names, or None for any other key."""
    found = _CHECKPOINT.match(key.removeprefix(CHECKPOINTS_PREFIX))
    return (int(found[1]), found[2]) if found and key.startswith(CHECKPOINTS_PREFIX) else None


def tokens_prefix(checkpoint: str) -> str:
    """Where the tokens over a checkpoint lie, by its own key."""
    return f"{TOKENS_PREFIX}{checkpoint.removeprefix(CHECKPOINTS_PREFIX)}/"


def rule_key(rule: str) -> str:
    """Return the object key of a rule; its name is made as a run's is."""
    return f"{_RULES}{rule}{_RULE_END}"


def removal_key(rule: str) -> str:
    """Return the object key of what ends a rule."""
    return f"{_RULES}{rule}{_REMOVED_END}"


def redaction_key(redaction: str) -> str:
    """Return the object key of a redaction's statement; its name is made as a run's is."""
    return f"{_REDACTIONS}{redaction}{_REDACTION_END}"


def redacting_key(redaction: str, run: str, path: str) -> str:
    """Return the object key of a file of a run on its way there."""
    return f"{REDACTING_PREFIX}{redaction}/{run}/{path}"


def split_redacting_key(key: str) -> tuple[str, str, str] | None:
    """Return the redaction, the run and the path in it that a key names, or None for any other key."""
    parts = key.split("/", 3)
    if len(parts) == 4 and key.startswith(REDACTING_PREFIX) and is_run_id(parts[1]) and is_run_id(parts[2]):
        return parts[1], parts[2], parts[3]
    return None


def split_notice_key(key: str) -> tuple[str, str] | None:
    """Return what a notice is, "rule", "removal" or "redaction", and its name; None for any other key."""
    for kind, prefix, end in (
        ("removal", _RULES, _REMOVED_END), ("rule", _RULES, _RULE_END), ("redaction", _REDACTIONS, _REDACTION_END),
    ):  # fmt: skip
        name = key.removeprefix(prefix).removesuffix(end)
        if key == f"{prefix}{name}{end}" and is_run_id(name):
            return kind, name
    return None


def annotation_key(annotation: str) -> str:
    """Return the object key of an addition of a user; its name is made as a run's is."""
    return f"{ANNOTATIONS_PREFIX}{annotation}{_ANNOTATION_END}"


def annotation_removal_key(annotation: str) -> str:
    """Return the object key of what ends an addition."""
    return f"{ANNOTATIONS_PREFIX}{annotation}{_ANNOTATION_REMOVED_END}"


def split_annotation_key(key: str) -> tuple[str, bool] | None:
    """Return the name of an addition, and whether the key is that of its removal; None for any other key."""
    for is_removal, end in ((True, _ANNOTATION_REMOVED_END), (False, _ANNOTATION_END)):
        name = key.removeprefix(ANNOTATIONS_PREFIX).removesuffix(end)
        if key == f"{ANNOTATIONS_PREFIX}{name}{end}" and is_run_id(name):
            return name, is_removal
    return None
