"""What the engine tells about types files: plain frozen data, the same for screen, JSON and console."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class TypesView(BaseModel):
    """Base: immutable."""

    model_config = ConfigDict(frozen=True)


class TypesPlan(TypesView):
    """What would be changed in a types file, and why."""

    path: str
    schema_name: str
    digest: str
    """sha256 of the file as it was read."""
    result: str
    """sha256 of what it would become."""
    difference: tuple[str, ...]
    """Lines of a unified diff; none if it is up to date."""
    added: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    """Entries of the rollout's own tables that the file has differently."""
    removed: tuple[str, ...] = ()
    """Entries that the file has and the database has not."""
    notes: tuple[str, ...] = ()

    @property
    def up_to_date(self) -> bool:
        """Nothing has to be changed."""
        return self.digest == self.result


class TypesWritten(TypesPlan):
    """A types file that was brought up to date."""

    copy_path: str = ""
    """Copy of the file as it was before; empty if there is none."""
    recorded: bool = False
    """In the registry, so that rolling back puts the file back."""


class RestoredFile(TypesView):
    """A types file that a rollback puts back, or would."""

    path: str
    host: str
    words: str
    """What becomes of it, as a clause."""
