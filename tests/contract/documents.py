"""The project's pages as tests read them: their links, their headings' anchors, and what they name in backticks."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FOLDERS = (".github", "benchmarks", "deploy", "docs", "examples", "rules", "tests")
_FENCE = re.compile(r"(?ms)^ *```.*?^ *```")
_CODE = re.compile(r"`[^`]*`")


def pages() -> list[Path]:
    """Every Markdown page."""
    return sorted({*ROOT.glob("*.md"), *(page for folder in _FOLDERS for page in (ROOT / folder).rglob("*.md"))})


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose(text: str) -> str:
    """Without the blocks of code and of diagrams."""
    return _FENCE.sub("", text)


def quoted(text: str) -> list[str]:
    """What stands in backticks, on one line or over a break."""
    return [" ".join(one.split()) for one in re.findall(r"`([^`]+)`", prose(text))]


def links(text: str) -> list[str]:
    """Targets of the links, as they are written."""
    return re.findall(r"\]\(\s*([^)\s]+)\s*\)", _CODE.sub("code", prose(text)))


def headings(text: str) -> list[str]:
    return re.findall(r"(?m)^#{1,6} +(.+?) *$", prose(text))


def anchors(text: str) -> set[str]:
    """What may stand after ``#`` in a link to the page, as GitHub makes it of headings."""
    seen: dict[str, int] = {}
    found: set[str] = set()
    for heading in headings(text):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if slug in seen else slug)
        seen[slug] = seen.get(slug, 0) + 1
    return found


def broken_links(text: str, page: Path) -> list[str]:
    """Links in the ``text`` of ``page`` that lead to no file of the project, or to none of its headings."""
    return [target for target in links(text) if not _leads_somewhere(target, text, page)]


def _leads_somewhere(target: str, text: str, page: Path) -> bool:
    if re.match(r"[a-z][a-z0-9+.-]*:", target):
        return True  # another site's: the tests reach no network
    path, _, anchor = target.partition("#")
    to = (page.parent / path).resolve() if path else page
    if path and not (to.exists() and to.is_relative_to(ROOT)):
        return False
    if not anchor:
        return True
    return to.suffix == ".md" and anchor in anchors(read(to) if path else text)
