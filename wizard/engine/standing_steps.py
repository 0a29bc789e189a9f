"""Which steps stand in the database, and the two ways to say it: in full, and in short for a narrow screen."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class StepParts(BaseModel):
    """A step of which some parts are committed, but not all."""

    model_config = ConfigDict(frozen=True)

    step: str
    done: int
    of: int


class StandingSteps(BaseModel):
    """What is committed of a rollout."""

    model_config = ConfigDict(frozen=True)

    whole: str = ""
    """`0 to 1.6 and 3`: the steps that are committed as a whole; empty if there is none."""
    several: bool = False
    """`whole` names more than one step."""
    partly: tuple[StepParts, ...] = ()
    """The others that something is committed of, in the order of the steps."""

    def with_parts(self, step: str, done: int, of: int) -> StandingSteps:
        """The same once so many parts of a step are committed that is not whole."""
        now = StepParts(step=step, done=done, of=of)
        if step in {one.step for one in self.partly}:
            partly = tuple(now if one.step == step else one for one in self.partly)
        else:
            partly = (*self.partly, now)
        return self.model_copy(update={"partly": partly})

    @property
    def words(self) -> str:
        """`Steps 0 to 1.6 are committed; 2.1 has 1 of 5 parts`, or that nothing is."""
        partly = ", ".join(f"{one.step} has {one.done} of {one.of} parts" for one in self.partly)
        if not self.whole:
            return f"Only a part of the rollout is committed: {partly}" if partly else "Nothing is rolled out"
        whole = f"Steps {self.whole} are committed" if self.several else f"Step {self.whole} is committed"
        return f"{whole}; {partly}" if partly else whole

    @property
    def short_words(self) -> str:
        """`0 to 1.6 done, 2.1: 1 of 5`."""
        partly = (f"{one.step}: {one.done} of {one.of}" for one in self.partly)
        whole = (f"{self.whole} done",) if self.whole else ()
        return ", ".join((*whole, *partly)) or "Nothing is rolled out"
