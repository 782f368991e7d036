"""Script and style sheet that pages get, made of their readable sources: `make client`.

`python -m tests.client_script` writes `consent.min.js` and `consent.min.css` anew, with
esbuild as locked in tests/toolchain/npm. A test holds what is committed against that.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import bootstrap

LOCKED = bootstrap.ROOT / "tests/toolchain/npm"
STATIC = bootstrap.ROOT / "consent/static/consent"
# What is made, of which source.
MADE = {
    STATIC / "consent.min.js": STATIC / "consent.js",
    STATIC / "consent.min.css": STATIC / "consent.css",
}
# Browsers that know `light-dark()`, as the style sheet asks, know this too.
OPTIONS = ("--minify", "--target=esnext", "--charset=utf8")


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


def made(modules: Path, source: Path) -> str:
    """A source as pages get it."""
    command = ["node", str(modules / "esbuild/bin/esbuild"), str(source), *OPTIONS]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        modules = installed(Path(folder))
        for file, source in MADE.items():
            file.write_text(made(modules, source))
            sys.stdout.write(f"{file.name}: {file.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
