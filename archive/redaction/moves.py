"""A redaction's files moved over those of its runs, also if others do so (`archive.coordination.redaction_turns`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from archive import object_keys
from archive.access.redaction_statement import Replaced, Statement
from archive.access.signed_redactions import is_behind
from archive.coordination.redaction_turns import first_of, moving
from archive.copies.manifests import replace_manifest
from archive.digests import digest_of, digest_of_file
from archive.errors import IntegrityError
from archive.formats import manifest
from archive.model import Manifest
from archive.verified_put import is_held, put_file_verified
from storage.base import ObjectStore
from storage.errors import ObjectMissing, StoreUnavailable
from storage.private import private_folder

_SURELY = timedelta(seconds=2)  # between two puts, by the store's clock


class Moves:
    """The redactions that were decided in one store, as far as somebody who is known here signed them."""

    def __init__(self, store: ObjectStore, scratch: Path, statements: Iterable[Statement]) -> None:
        self._store, self._scratch = store, scratch
        self._statements = {each.id: each for each in statements}

    def carry_out(self, statement: Statement, files: Sequence[tuple[str, str]]) -> bool:
        """Move a redaction's files over those of its runs; False where another one came first in one of these.

        Raises IntegrityError where what lies aside is not what was signed, StoreError.
        """
        done = [
            self._carry_out(statement, each, [path for run, path in files if run == each.run])
            for each in statement.replaced
        ]
        return all(done)

    def is_overtaken(self, statement: Statement, each: Replaced) -> bool:
        """Whether another redaction came before this one in a run, and this one is not made again yet."""
        there = self._there(each.run)
        return there.hash not in {each.old, each.new} and not self._is_done(statement, there)

    def _carry_out(self, statement: Statement, each: Replaced, paths: list[str]) -> bool:
        there = self._there(each.run)
        if there.hash == each.new:
            self._settle(statement, each, paths)
            return True
        if there.hash != each.old and self._is_done(statement, there):
            return True
        if there.hash != each.old and self._is_behind(each.old, there.hash):
            return False
        if there.hash == each.old:
            if first_of(self._store, each.run, each.old, statement.id) != statement.id:
                return False
            if self._move(statement, each, paths):
                return True
            return self._is_done(statement, self._there(each.run))  # somebody else was faster
        raise self._another(statement, each)

    def _there(self, run: str) -> Manifest:
        return manifest.parse(self._store.get(object_keys.run_key(run, object_keys.MANIFEST)))

    def _is_done(self, statement: Statement, there: Manifest) -> bool:
        """Whether a run's manifest names the redaction, or others that took out all that it does."""
        if statement.id in there.redactions:
            return True
        others = [self._statements[name] for name in there.redactions if name in self._statements]
        return bool(statement.gone) and set(statement.gone) <= {gone for each in others for gone in each.gone}

    def _is_behind(self, old: str, new: str) -> bool:
        return is_behind(old, new, self._statements.values())

    def _move(self, statement: Statement, each: Replaced, paths: list[str]) -> bool:
        """Move the files; False where the run is another one meanwhile."""
        try:
            with moving(self._store, self._scratch, each.run):
                data, found = self._aside(statement, each)
                for path in _in_order(paths):
                    if self._there(each.run).hash != each.old:
                        return False
                    self._put(statement, each.run, path, found.resource(path).hash)
                if self._there(each.run).hash != each.old:
                    return False
                replace_manifest(self._store, data, each.run)
        except OSError as error:
            raise StoreUnavailable(f"cannot write in {self._scratch}: {error.strerror or error}") from error
        except ObjectMissing:
            if self._there(each.run).hash == each.old:
                raise
            return False
        return True

    def _settle(self, statement: Statement, each: Replaced, paths: list[str]) -> None:
        """Put again what a process that slept has put over a redaction that was done."""
        if not paths:
            return
        try:
            _, found = self._aside(statement, each)
            lost = [path for path in _in_order(paths) if not self._is_there(each.run, found, path)]
            if lost:
                with moving(self._store, self._scratch, each.run):
                    for path in lost:
                        if self._there(each.run).hash == each.new:
                            self._put(statement, each.run, path, found.resource(path).hash)
        except ObjectMissing:  # it was cleared away by others, who looked at it
            return
        except OSError as error:
            raise StoreUnavailable(f"cannot write in {self._scratch}: {error.strerror or error}") from error

    def _is_there(self, run: str, found: Manifest, path: str) -> bool:
        resource = found.resource(path)
        put = self._store.head(object_keys.run_key(run, path))
        last = self._store.head(object_keys.run_key(run, object_keys.MANIFEST))
        if put and last and put.modified and last.modified and last.modified - put.modified > _SURELY:
            return put.size == resource.bytes  # nobody has put it since
        return is_held(self._store, object_keys.run_key(run, path), (resource.hash, resource.bytes))

    def _aside(self, statement: Statement, each: Replaced) -> tuple[bytes, Manifest]:
        data = self._store.get(object_keys.redacting_key(statement.id, each.run, object_keys.MANIFEST))
        if digest_of(data) != each.new:
            raise self._another(statement, each)
        return data, manifest.parse(data)

    def _another(self, statement: Statement, each: Replaced) -> IntegrityError:
        return IntegrityError(
            f"run {each.run} cannot be redacted as {object_keys.redaction_key(statement.id)} says: what lies "
            "aside for it, or the run, is another one; repair the run from a copy, and redact it again"
        )

    def _put(self, statement: Statement, run: str, path: str, expected: str) -> None:
        source = object_keys.redacting_key(statement.id, run, path)
        private_folder(self._scratch)
        with TemporaryDirectory(dir=self._scratch, prefix="redacting-") as work:
            copy = Path(work) / "file"
            with copy.open("wb") as file:
                for piece in self._store.stream(source):
                    file.write(piece)
            found = digest_of_file(copy)
            if found[0] != expected:
                raise IntegrityError(f"{source} is not the file that was signed; bring it from a copy of the store")
            put_file_verified(self._store, object_keys.run_key(run, path), copy, found)


def _in_order(paths: Iterable[str]) -> list[str]:
    """Sort records to the front, the index to the end: at every moment what it says of a record is true of it."""
    return sorted(set(paths) - {object_keys.MANIFEST}, key=lambda path: (path == object_keys.CDX, path))
