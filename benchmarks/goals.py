"""Goal lines: ``goal NAME FIGURE BOUND met|missed``, one each at the end of a run, for people and machines."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Goal:
    """``bound`` is ``at least``, ``at most`` or ``under`` (which excludes it); ``figure`` in ``unit``."""

    name: str
    figure: float
    kind: Literal["at least", "at most", "under"]
    bound: float
    unit: str = ""

    @property
    def met(self) -> bool:
        if self.kind == "at least":
            return self.figure >= self.bound
        return self.figure <= self.bound if self.kind == "at most" else self.figure < self.bound

    def __str__(self) -> str:
        sign = {"at least": ">=", "at most": "<=", "under": "<"}[self.kind]
        unit = f"_{self.unit}" if self.unit else ""
        told = "met" if self.met else "missed"
        return f"goal {self.name} {self.figure:.4g}{unit} {sign}{self.bound:g}{unit} {told}"


def tell(goals: list[Goal]) -> int:
    """Print every goal; the exit code: 1 when one was missed."""
    for goal in goals:
        print(goal)
    return 0 if all(goal.met for goal in goals) else 1
