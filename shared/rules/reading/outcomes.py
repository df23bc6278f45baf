"""What a rule asks for: ``forbid``, ``require``, ``deload``, ``cap``, ``gate``, ``set``, ``advise``, and its values."""

from typing import Any, get_args

from shared.contract.words import PackKind
from shared.located_yaml.nodes import Node
from shared.rules.errors import one_of
from shared.rules.model import Condition, Outcome, Shape
from shared.rules.reading.conditions import Conditions, both
from shared.rules.reading.outcome_values import OUTCOME_VALUES, read_value
from shared.rules.reading.tree_reader import Reader
from shared.rules.vocabulary import OUTCOMES_OF_PACK

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


class Outcomes:
    """Reads a rule's one outcome, as its pack's kind allows."""

    def __init__(self, reader: Reader, conditions: Conditions, kind: PackKind) -> None:
        self._reader = reader
        self._conditions = conditions
        self.allowed = OUTCOMES_OF_PACK[kind]

    def read(self, fields: dict[str, Node], at: Node) -> Outcome | None:
        """Which outcome the rule has; exactly one."""
        found = [name for name in self.allowed if name in fields]
        if not found:
            self._reader.mistakes.add(at.at, f"the rule asks for nothing; add {one_of(self.allowed)}")
            return None
        for extra in found[1:]:
            self._reader.mistakes.add(fields[extra].at, f"a rule asks for one thing; '{found[0]}' stands here already")
        return found[0]

    def values(self, outcome: Outcome, node: Node) -> dict[str, Any] | None:
        """The outcome's payload as plain values; ``require`` is read by :meth:`requirement`."""
        reader = self._reader
        before = len(reader.mistakes)
        if outcome in ("forbid", "allow"):
            if reader.flag(node, f"'{outcome}'") is False:
                reader.mistakes.add(node.at, f"write '{outcome}: true', or leave the rule out")
            return {} if len(reader.mistakes) == before else None
        declared = OUTCOME_VALUES[outcome]
        fields = reader.table(node, f"'{outcome}'", declared)
        found = {name: read_value(reader, declared[name], value) for name, value in fields.items()}
        if not found and len(reader.mistakes) == before:
            reader.mistakes.add(node.at, f"'{outcome}' is empty; say what it changes")
        return found if len(reader.mistakes) == before else None

    def requirement(self, node: Node, shape: Shape) -> Condition | None:
        """What must be true where the rule applies."""
        before = len(self._reader.mistakes)
        if shape == "pair":
            shaped = self._conditions.when(node, partial=True)
            return None if shaped is None else shaped.condition
        fields = self._reader.table(node, "'require'")
        parts = [self._conditions.feature(name, value, node, shape) for name, value in fields.items()]
        if not parts and len(self._reader.mistakes) == before:
            self._reader.mistakes.add(node.at, "'require' is empty; say what must be true")
        known = [part for part in parts if part is not None]
        return both(*known) if known and len(known) == len(parts) else None
