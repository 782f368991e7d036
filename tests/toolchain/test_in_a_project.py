"""The README's steps, word for word, in a Django project that knows nothing of us."""

import http.cookiejar
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import bootstrap

pytestmark = [pytest.mark.toolchain, pytest.mark.xdist_group("toolchain")]

PAGE = """
from django.contrib import admin
from django.http import HttpResponse
from django.urls import path

def page(request):
    return HttpResponse(
        "<!doctype html><html><head><title>Shop</title></head>"
        "<body class='shop'><h1>Our shop</h1></body></html>"
    )

urlpatterns = [path("admin/", admin.site.urls), path("", page)]
"""
WHOLE = re.MULTILINE | re.DOTALL
STEPS = re.compile(r"^## In a Django project of your own$(.*?)^## ", WHOLE)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", WHOLE)
START_SECONDS = 60


def blocks() -> list[tuple[str, str]]:
    """The steps of the README: the language and the text of each block."""
    found = STEPS.search((bootstrap.ROOT / "README.md").read_text())
    assert found is not None
    return BLOCK.findall(found[1])


@dataclass
class Project:
    """An empty Django project with one page, and a Python of its own."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """The shell of a developer, whose Python has Django but nothing of ours."""
        kept = {
            name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ
        }
        return {
            **kept,
            "PATH": f"{self.folder / 'python/bin'}:{os.environ['PATH']}",
            "PYTHONUNBUFFERED": "1",
            # What is needed is here already, so that nothing has to be fetched.
            "PIP_NO_BUILD_ISOLATION": "0",  # pip: "0" turns the isolation off
            "PIP_NO_DEPS": "1",
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }

    def run(self, line: str) -> str:
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """An empty project in which the README's steps were taken."""
    found = Project(tmp_path_factory.mktemp("project"))
    venv.create(found.folder / "python", with_pip=True)
    mine = next(Path(p) for p in sys.path if p.endswith("site-packages"))
    theirs = next((found.folder / "python").glob("lib/python*/site-packages"))
    (theirs / "what-is-here.pth").write_text(f"{mine}\n")
    found.run("python -m django startproject shop .")
    (found.folder / "shop/urls.py").write_text(PAGE)
    (first, install), (second, block), (third, commands) = blocks()
    assert (first, second, third) == ("sh", "python", "sh")
    found.run(install.replace("path/to/consent", str(bootstrap.ROOT)))
    with (found.folder / "shop/settings.py").open("a") as file:
        file.write(block)
    [migrate] = [line for line in commands.splitlines() if "migrate" in line]
    found.run(migrate)
    return found


@pytest.fixture(scope="module")
def address(project: Project) -> Iterator[str]:
    """The project's own server, as the last line of the steps starts it."""
    [line] = [step for step in blocks()[2][1].splitlines() if "runserver" in step]
    port = bootstrap.unused_port()
    process = subprocess.Popen(
        ["sh", "-c", f"exec {line} --noreload {port}"],
        cwd=project.folder,
        env=project.environment,
    )
    try:
        yield _once_answered(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(timeout=30)


def _once_answered(address: str) -> str:
    for _ in range(START_SECONDS * 10):
        try:
            urllib.request.urlopen(f"{address}/healthz", timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return address
    raise AssertionError("The project's server does not answer.")


def fetch(url: str, language: str = "en") -> str:
    request = urllib.request.Request(url, headers={"Accept-Language": language})
    with urllib.request.urlopen(request, timeout=30) as response:
        return response.read().decode()


def test_a_page_that_knows_nothing_of_consent_has_the_banner(address: str) -> None:
    page = fetch(f"{address}/")
    assert page.index("<h1>Our shop") > page.index("Cookies on Harbour Bakery")
    assert page.count("Accept additional cookies") == 1
    assert page.count("/cookie-preferences/") >= 2
    assert page.endswith("</body></html>")


def test_it_is_styled(address: str) -> None:
    [style] = re.findall(r'<link rel="stylesheet" href="([^"]+)"', fetch(f"{address}/"))
    assert ".consent" in fetch(urllib.parse.urljoin(address, style))


def test_it_is_translated(address: str) -> None:
    assert "Tout accepter" in fetch(f"{address}/", "fr-FR,fr;q=0.9")
    assert "Cookie-Einstellungen" in fetch(f"{address}/cookie-preferences/", "de")


def test_it_works(address: str) -> None:
    page = fetch(f"{address}/")
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page)) | {
        "answer": "accept"
    }
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    with browser.open(
        f"{address}/consent/choice/",
        urllib.parse.urlencode(fields).encode(),
        timeout=30,
    ) as response:
        after = response.read().decode()
    assert "You’ve accepted additional cookies" in after
    assert "consent" in {cookie.name for cookie in jar}


def test_the_checks_find_nothing_missing(project: Project) -> None:
    told = project.run("python manage.py check")
    assert "consent.E" not in told


def test_the_checks_say_what_is_missing(project: Project) -> None:
    settings = project.folder / "shop/settings.py"
    whole = settings.read_text()
    line = '    "consent.middleware.ConsentMiddleware",\n'
    assert line in whole
    settings.write_text(whole.replace(line, ""))
    try:
        with pytest.raises(AssertionError, match=r"consent\.E023"):
            project.run("python manage.py check")
    finally:
        settings.write_text(whole)


def test_the_administration_is_left_alone(address: str) -> None:
    assert "Cookies on" not in fetch(f"{address}/admin/login/")
