"""What makes two versions of a pack the same: a hash over what it says, wherever it stands."""

import hashlib
import json

from shared.contract.words import PackKind
from shared.located_yaml.nodes import ListNode, MapNode, Node, plain
from shared.rules.caching import Memoized


def content_hash(tree: MapNode, kind: PackKind) -> str:
    """SHA-256 over the resolved content as canonical JSON: the same content has the same hash, wherever it stands."""
    fields = {name.text: node for name, node in tree.pairs}
    written = {name: _canonical(node) for name, node in fields.items() if name != "rules"}
    if (rules := fields.get("rules")) is not None:
        written["rules"] = f"[{','.join(map(_canonical_rule, rules.items))}]" if isinstance(rules, ListNode) else "null"
    written["kind"] = json.dumps(kind)
    canonical = ",".join(f"{json.dumps(name)}:{written[name]}" for name in sorted(written))
    return hashlib.sha256(f"{{{canonical}}}".encode("ascii")).hexdigest()


def _canonical(node: Node) -> str:
    return json.dumps(plain(node), sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)


_canonical_rule: Memoized[Node, str] = Memoized(_canonical, limit=400)
"""Most rules of a tenant's pack are the base's, in the very trees of the base."""
