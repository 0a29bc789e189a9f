"""Objects that are there and differ from what the rollout makes: in words, and as the reason why nothing is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wizard.engine.looking.fit import Conflict
from wizard.engine.views import ConflictView
from wizard.errors import RefusedError


def conflict_lines(conflicts: Iterable[Conflict | ConflictView]) -> Iterator[str]:
    """Each conflict with both definitions, one below the other."""
    for conflict in conflicts:
        yield f"{conflict.words} (step {conflict.step})"
        for label, definition in (("is", conflict.found), ("expected", conflict.expected)):
            for number, line in enumerate((definition or "not there").splitlines()):
                yield f"  {label if number == 0 else '':<9} {line}"


def conflict_error(conflicts: Iterable[ConflictView]) -> RefusedError:
    """Why nothing is sent, or written down to be sent, while there is a conflict: both definitions, and what to do."""
    found = tuple(conflicts)
    more = f" and {len(found) - 8} more" if len(found) > 8 else ""
    return RefusedError(
        f"conflict: different: {'; '.join(one.words for one in found[:8])}{more}",
        why="\n".join((*conflict_lines(found), "Nothing was changed.")),
        fix="Rename or remove what is there, or change it to what is expected. The wizard never overwrites it.",
    )
