"""What keeps the house easy to find one's way in: small files, short functions, folders one can overlook, one name for
one thing, and no type checker told to look away without a reason."""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAX_LINES_OF_A_FILE = 350
MAX_LINES_OF_A_FUNCTION = 60
MAX_FILES_OF_A_FOLDER = 20
MAX_TYPE_IGNORES = 12
OF_EACH_SERVICE = {"Tables"}
"""Each service has one of these, which is what its siblings have."""


def sources() -> list[Path]:
    found = [path for top in ("services", "shared", "tandem") for path in sorted((ROOT / top).rglob("*.py"))]
    assert len(found) > 200
    return found


def parsed() -> Iterator[tuple[str, ast.Module]]:
    for path in sources():
        # A migration is written once and never again: it may be as long as the tables it makes.
        if "versions" not in path.parts:
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def test_no_file_is_too_long() -> None:
    lengths = {path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    assert {path: lines for path, lines in lengths.items() if lines > MAX_LINES_OF_A_FILE} == {}


def test_no_function_is_too_long() -> None:
    too_long = {
        f"{path}:{node.name}": lines
        for path, tree in parsed()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > MAX_LINES_OF_A_FUNCTION
    }
    assert too_long == {}


def test_no_folder_holds_too_much() -> None:
    counted = Counter(
        path.parent.relative_to(ROOT)
        for path in sources()
        if path.name != "__init__.py" and "versions" not in path.parts
    )
    assert {folder: files for folder, files in counted.items() if files > MAX_FILES_OF_A_FOLDER} == {}


def test_one_class_has_one_name() -> None:
    """What may share a name: each service's ``Tables``, and a listener's model of an event, called as the event is."""
    homes: dict[str, set[str]] = defaultdict(set)
    for path, tree in parsed():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                homes[node.name].add(path)
    messages = re.compile(r"services/[a-z]+/messages\.py")
    shared_names = {
        name: sorted(paths)
        for name, paths in homes.items()
        if len(paths) > 1 and name not in OF_EACH_SERVICE and not all(messages.fullmatch(path) for path in paths)
    }
    assert shared_names == {}


def test_a_name_shared_by_messages_is_an_events() -> None:
    """Two ``messages.py`` share a class's name only where one emits an event and the others listen to it."""
    homes: dict[str, list[str]] = defaultdict(list)
    emitted: set[str] = set()
    for path, tree in parsed():
        if re.fullmatch(r"services/[a-z]+/messages\.py", path):
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    homes[node.name].append(path)
                elif isinstance(node, ast.Assign | ast.AnnAssign):
                    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                    if isinstance(target, ast.Name) and target.id == "EVENTS" and isinstance(node.value, ast.Dict):
                        emitted |= {value.id for value in node.value.values if isinstance(value, ast.Name)}
    assert emitted
    assert {name: paths for name, paths in homes.items() if len(paths) > 1 and name not in emitted} == {}


def test_the_type_checker_looks_away_seldom_and_says_why() -> None:
    lines = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sources()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if "# type: ignore" in line
    ]
    assert len(lines) <= MAX_TYPE_IGNORES, "\n".join(lines)
    assert [line for line in lines if not re.search(r"# type: ignore\[[a-z-]+\]  # \S+", line)] == []


def test_each_services_migrations_stand_in_one_line() -> None:
    """Two branches that each added the next one would leave a database that cannot be upgraded."""
    for versions in sorted((ROOT / "services").glob("*/migrations/versions")):
        numbers = [path.name.partition("_")[0] for path in sorted(versions.glob("*.py"))]
        assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)], versions
