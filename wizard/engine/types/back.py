"""What a rollback does with the types files that this rollout wrote to. A file never stops a rollback."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from wizard.db.connect import Connection
from wizard.engine.events import Noticed, TypesFileRestored
from wizard.engine.looking.situation import Situation
from wizard.engine.session.registry import registry_exists
from wizard.engine.sitting import Sitting
from wizard.engine.types.record import FileRecord, close_file, load_files
from wizard.engine.views_types import RestoredFile
from wizard.errors import WizardError
from wizard.typescript.file import TypesFile, digest, in_words, read_types_file, write_types_file
from wizard.typescript.syntax import NotATypesFileError
from wizard.typescript.takeback import take_back as take_out

Way = Literal["whole", "entries", "nothing", "elsewhere"]
_WORDS: dict[Way, str] = {
    "whole": "is put back as it was",
    "entries": "was edited since it was written: the rollout's entries are taken out, the rest stays",
    "nothing": "is as it was before",
    "elsewhere": "lies on another machine and is left as it is: run `rag-wizard types FILE` there afterwards",
}
_DONE: dict[Way, str] = {
    "whole": "was put back as it was",
    "entries": "had been edited since it was written: the rollout's entries were taken out, the rest stays",
    "nothing": "is as it was before",
    "elsewhere": "lies on another machine and was left as it is: run `rag-wizard types FILE` there",
}


def files_to_restore(connection: Connection, situation: Situation, to: str | None) -> tuple[RestoredFile, ...]:
    """The files that a rollback to `to` would put back, each with what becomes of it."""
    if situation.active is None or not registry_exists(connection):
        return ()
    found = []
    for record in load_files(connection, situation.active.rollout_id):
        if _goes(situation, record, to):
            try:
                words = _WORDS[_way(record, read_types_file(Path(record.path)))]
            except WizardError as error:
                words = _WORDS["elsewhere"] if not record.is_here else f"cannot be put back: {error.what}"
            found.append(RestoredFile(path=record.path, host=record.host, words=words))
    return tuple(found)


def take_back(here: Sitting, to: str | None, *, only: str = "") -> None:
    """Puts back the files of the types step if it does not stay; with `only` if that is the step being rolled back."""
    record = here.situation.active
    if record is None:
        return
    for file in load_files(here.connection, record.rollout_id):
        if (only and file.step != only) or not _goes(here.situation, file, to):
            continue
        try:
            words = _DONE[_restore(file, here.settings.schema)]
        except WizardError as error:
            words = f"could not be put back and was left as it is: {error.what}"
            if not file.is_here:
                words = _DONE["elsewhere"]
            copy = f" As it was before: {file.copy}" if file.copy and file.is_here else ""
            here.emit(Noticed(step=file.step, text=f"{file.path} {words}{copy}"))
        restored = RestoredFile(path=file.path, host=file.host, words=words)
        here.emit(TypesFileRestored(step=file.step, file=restored))
        close_file(here.connection, record.rollout_id, file)


def _goes(situation: Situation, file: FileRecord, to: str | None) -> bool:
    order = situation.rollout.order
    return to is None or (file.step in order and to in order and order.index(file.step) > order.index(to))


def _way(record: FileRecord, file: TypesFile) -> Way:
    if file.data == record.before:
        return "nothing"
    if file.digest == record.written and not record.mended:
        return "whole"
    return "entries" if record.is_here else "elsewhere"


def _restore(record: FileRecord, schema: str) -> Way:
    """Raises WizardError if the file is not there, no longer a types file, or may not be written."""
    file = read_types_file(Path(record.path))
    way = _way(record, file)
    if way == "whole":
        write_types_file(file, record.before)
    elif way == "entries":
        try:
            text, _ = take_out(file.data, record.before, schema, record.wanted)
        except NotATypesFileError as error:
            raise in_words(file.path, error) from None
        if digest(text) != file.digest:
            write_types_file(file, text)
    return way
