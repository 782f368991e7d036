"""The client script: what pages get is its source, which keeps to its declaration."""

import shutil
import subprocess
from pathlib import Path

import pytest

import bootstrap
from tests import client_script

OPTIONS = [
    *("--noEmit", "--allowJs", "--checkJs", "--moduleDetection", "force"),
    *("--target", "es2022", "--lib", "es2022,dom,dom.iterable"),
]
# What somebody writes who uses it, and what the compiler must not let through.
USED = """
import type { State } from "./consent";
const now: State | null = consent.get();
const on: boolean = consent.get("analytics", "counter");
const stop = consent.onChange((state, before) => before?.purposes.marketing);
consent.set({ marketing: false }, { services: { video: false } }).then((s) => s.banner);
const later: Promise<State | null> = consent.ready;
"""
MISUSED = (
    'consent.get("advertising");',
    'consent.set({ marketing: "yes" });',
    "consent.onChange(1);",
    "const on: string = consent.get('analytics');",
)


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tools as locked by hash, from the npm registry."""
    if shutil.which("npm") is None:
        reason = "npm is not installed"
        pytest.fail(reason) if bootstrap.in_ci() else pytest.skip(reason)
    return client_script.installed(tmp_path_factory.mktemp("npm"))


@pytest.fixture(scope="module")
def compiler(modules: Path) -> Path:
    return modules / "typescript/bin/tsc"


def test_what_pages_get_is_made_of_the_source(modules: Path) -> None:
    for file, source in client_script.MADE.items():
        assert client_script.made(modules, source) == file.read_text(), file.name


def complaints(compiler: Path, *options: object) -> str:
    command = ["node", str(compiler), *OPTIONS, *map(str, options)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode in {0, 1, 2}, done.stderr
    return done.stdout


def test_the_script_is_what_its_declaration_says(compiler: Path) -> None:
    assert (
        complaints(compiler, "--strict", "false", client_script.STATIC / "consent.js")
        == ""
    )


def test_who_uses_it_is_told_what_it_takes(compiler: Path, tmp_path: Path) -> None:
    shutil.copy(client_script.STATIC / "consent.d.ts", tmp_path)
    page = tmp_path / "page.ts"
    page.write_text(USED)
    assert complaints(compiler, "--strict", page) == ""
    for line in MISUSED:
        page.write_text(f'import "./consent";\n{line}\n')
        assert "error TS" in complaints(compiler, "--strict", page), line


def test_the_compiler_would_find_a_mistake_in_the_script(
    compiler: Path, tmp_path: Path
) -> None:
    for name in ("consent.js", "consent.d.ts"):
        shutil.copy(client_script.STATIC / name, tmp_path)
    script = tmp_path / "consent.js"
    script.write_text(script.read_text().replace("held.failed", "held.oops"))
    assert "oops" in complaints(compiler, "--strict", "false", script)
