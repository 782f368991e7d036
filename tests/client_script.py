"""The script that pages get, made of its readable source: `make client`.

`python -m tests.client_script` writes `consent.min.js` anew, with esbuild as locked in
tests/toolchain/npm. What is committed is what it writes, by a test.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import bootstrap

LOCKED = bootstrap.ROOT / "tests/toolchain/npm"
STATIC = bootstrap.ROOT / "consent/static/consent"
SOURCE, MADE = STATIC / "consent.js", STATIC / "consent.min.js"
# Browsers that know `light-dark()`, as the style sheet asks, know this too.
OPTIONS = ("--minify", "--target=es2022", "--charset=utf8")


def installed(folder: Path) -> Path:
    """The locked tools in a folder; where their programs are."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is not installed: install Node.js with npm.")
    for file in LOCKED.iterdir():
        shutil.copy(file, folder)
    command = [npm, "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
    subprocess.run(command, cwd=folder, check=True, timeout=300)
    return folder / "node_modules"


def made(modules: Path) -> str:
    """The script as pages get it."""
    command = ["node", str(modules / "esbuild/bin/esbuild"), str(SOURCE), *OPTIONS]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        MADE.write_text(made(installed(Path(folder))))
    sys.stdout.write(f"{MADE.name}: {MADE.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
