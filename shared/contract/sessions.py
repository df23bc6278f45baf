"""Sessions: their kinds, the tags that belong to each, and what a tag says about how hard a session is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from shared.contract.words import STREAMS, Stream

Kind = Literal["run", "lift", "other"]
Tag = Literal["type", "region", "effort", "mode"]
RunType = Literal["recovery", "easy", "long", "tempo", "threshold", "intervals", "hills", "race"]
Region = Literal["lower", "upper", "full"]
Effort = Literal["light", "moderate", "heavy", "max"]
"""From the lightest to the hardest."""
Mode = Literal["walk", "bike", "row", "swim", "mobility"]
LoadPart = Literal["run", "lift", "other"]
"""What a day's load is made of; together they are the combined stream."""
Demand = Literal["easy", "medium", "hard"]

KINDS: tuple[Kind, ...] = get_args(Kind)
TAGS: tuple[Tag, ...] = get_args(Tag)
EFFORTS: tuple[Effort, ...] = get_args(Effort)
LOAD_PARTS: tuple[LoadPart, ...] = get_args(LoadPart)
QUALITY_RUN_TYPES: tuple[RunType, ...] = ("tempo", "threshold", "intervals", "hills", "race")


@dataclass(frozen=True, slots=True)
class SessionTag:
    """``meaning``: of the tag of ``{session}``, in a sentence."""

    words: tuple[str, ...]
    meaning: str


@dataclass(frozen=True, slots=True)
class SessionKind:
    """``tags``: those that may stand beside the kind. ``demand``: by each word of the tag ``graded_by`` how hard such a
    session is; ``unstated``: how hard one without that tag is taken to be, None = nothing is taken. ``part``: which
    part of a day's load it adds to."""

    tags: tuple[Tag, ...]
    part: LoadPart
    graded_by: Tag | None
    demand: Mapping[str, Demand]
    unstated: Demand | None = None

    @property
    def stream(self) -> Stream:
        """The stream of its own that it counts for; combined where it has none."""
        return next((stream for stream in STREAMS if stream == self.part), "combined")

    @property
    def graded_words(self) -> tuple[str, ...]:
        """The words of ``graded_by``."""
        return () if self.graded_by is None else SESSION_TAGS[self.graded_by].words

    def demand_of(self, word: str | None) -> Demand | None:
        return self.unstated if word is None else self.demand.get(word)


SESSION_TAGS: Mapping[Tag, SessionTag] = {
    "type": SessionTag(get_args(RunType), "run type of {session}"),
    "region": SessionTag(get_args(Region), "body region of {session}, when it is a lift"),
    "effort": SessionTag(EFFORTS, "effort of {session}, when it is a lift"),
    "mode": SessionTag(get_args(Mode), "mode of {session}, when it is neither run nor lift"),
}
SESSION_KINDS: Mapping[Kind, SessionKind] = {
    "run": SessionKind(
        tags=("type",),
        part="run",
        graded_by="type",
        demand={"recovery": "easy", "easy": "easy", "long": "hard", **dict.fromkeys(QUALITY_RUN_TYPES, "hard")},
    ),
    "lift": SessionKind(
        tags=("region", "effort"),
        part="lift",
        graded_by="effort",
        demand={"light": "easy", "moderate": "medium", "heavy": "hard", "max": "hard"},
    ),
    "other": SessionKind(
        tags=("mode",),
        part="other",
        graded_by="mode",
        demand=dict.fromkeys(get_args(Mode), "easy"),
        unstated="easy",
    ),
}
KINDS_OF_TAG: Mapping[Tag, tuple[Kind, ...]] = {
    tag: tuple(kind for kind in KINDS if tag in SESSION_KINDS[kind].tags) for tag in TAGS
}
EASY_RUN_TYPES: tuple[RunType, ...] = tuple(
    word for word in get_args(RunType) if SESSION_KINDS["run"].demand[word] == "easy"
)
HARD_EFFORTS: tuple[Effort, ...] = tuple(effort for effort in EFFORTS if SESSION_KINDS["lift"].demand[effort] == "hard")
