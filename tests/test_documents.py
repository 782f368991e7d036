"""What the documents name is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
READMES = [ROOT / "README.md", ROOT / "clients/python/README.md"]
DOCUMENTS = sorted([*READMES, *(ROOT / "docs").glob("*.md")])


@pytest.fixture(scope="module")
def tests() -> str:
    return "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_test_and_file_that_a_document_names_is_there(
    document: Path, tests: str
) -> None:
    text = document.read_text()
    for name in re.findall(r"`(test_\w+)`", text):
        assert f"def {name}(" in tests, name
    for name in re.findall(r"`((?:tests|consent|docs)/[\w/.-]+\.\w+)`", text):
        assert (ROOT / name).exists(), name
    for name in re.findall(r"\]\(((?!https?:)[^)#]+)", text):
        assert (document.parent / name).exists(), name
