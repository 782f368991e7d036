"""The Python client as a package: built here, and used with urllib3 alone."""

import re
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

import bootstrap

pytestmark = [pytest.mark.toolchain, pytest.mark.xdist_group("toolchain")]

SOURCE = bootstrap.ROOT / "clients/python"
USED = """
import sys
from consent_client import Consent, browser_of

assert not Consent("http://127.0.0.1:1", "key").allows(user="1", purpose="analytics")
assert len(browser_of("00" * 16 + ".signature")) == 64
theirs = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)
print(sorted(name for name in theirs if not name.startswith("_")))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """By way of the source distribution, as package indexes have it built."""
    made = tmp_path_factory.mktemp("made")
    hatch = [sys.executable, "-m", "hatchling", "build", "-d", str(made)]
    subprocess.run([*hatch, "-t", "sdist"], cwd=SOURCE, check=True, timeout=120)
    [archive] = made.glob("*.tar.gz")
    unpack = [sys.executable, "-m", "tarfile", "-e", str(archive), str(made)]
    subprocess.run(unpack, check=True, timeout=120)
    source = made / archive.name.removesuffix(".tar.gz")
    subprocess.run([*hatch, "-t", "wheel"], cwd=source, check=True, timeout=120)
    [found] = made.glob("*.whl")
    return found


def test_it_holds_the_package_its_types_and_its_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        [metadata] = [name for name in names if name.endswith("/METADATA")]
        told = archive.read(metadata).decode()
    changelog = (bootstrap.ROOT / "CHANGELOG.md").read_text()
    version = re.search(r"^## \[(.+?)\]", changelog, re.MULTILINE)
    assert version is not None
    modules = {f"consent_client/{p.name}" for p in SOURCE.glob("consent_client/*.py")}
    assert modules | {"consent_client/py.typed"} <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert f"Version: {version[1]}\n" in told
    assert "Requires-Dist: urllib3>=2\n" in told
    assert "Provides-Extra: identity\n" in told


def test_it_needs_urllib3_and_nothing_else(wheel: Path, tmp_path: Path) -> None:
    spec = find_spec("urllib3")
    assert spec is not None
    assert spec.origin is not None
    (tmp_path / "urllib3").symlink_to(Path(spec.origin).parent)
    places = f"import sys; sys.path[:0] = [{str(wheel)!r}, {str(tmp_path)!r}]\n"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", places + USED],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['consent_client', 'urllib3']"


def test_its_licence_is_the_products() -> None:
    licence = "LICENSE"
    assert (SOURCE / licence).read_text() == (bootstrap.ROOT / licence).read_text()
