"""Where a rule or a number comes from, and how strong the evidence is."""

from shared.located_yaml.nodes import Node, ScalarNode
from shared.rules.reading.tree_reader import Reader

EVIDENCE = ("strong", "moderate", "weak", "practice")


def read_source(reader: Reader, node: Node) -> str | None:
    """``ref (strength)`` as one text; a plain text stands for the ref alone."""
    if isinstance(node, ScalarNode):
        return reader.text(node, "'source'")
    fields = reader.table(node, "'source'", ("ref", "strength"))
    ref = reader.text(fields["ref"], "'ref'") if "ref" in fields else None
    if "ref" not in fields:
        reader.mistakes.add(node.at, "'source' has no 'ref'; name the document or paper")
    strength = reader.word(fields["strength"], "'strength'", EVIDENCE) if "strength" in fields else None
    return ref if strength is None else f"{ref} ({strength})"
