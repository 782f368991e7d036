"""`manage.py evidence`: a pack that a stranger checks offline, and whose it is."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError
from django.test import Client

from consent import ledger, publication
from consent.audit import erasure
from consent.audit.withdrawing import Said
from consent.core.record import Surface
from consent.models import Asset, Link, Site
from tests.conftest import NewVisitor
from tests.logs import another_site
from tests.packs import Made, command, files_of, refused, verify
from tests.visits import ALL, NONE, choose, sign_in


def test_a_pack_verifies_in_an_empty_folder_with_python_alone(
    made: Made, tmp_path_factory: pytest.TempPathFactory
) -> None:
    code, told = verify(made.path, cwd=tmp_path_factory.mktemp("empty"))
    assert code == 0, told
    assert "Everything is right." in told
    assert "WRONG" not in told
    for number in made.receipts:
        assert f"{number}.json: 20" in told
    assert f"of the visitor {made.visitor}" in told
    assert told.count("the log grew from its first") == 2


def test_an_unpacked_pack_verifies_with_the_copy_in_it(
    made: Made, tmp_path: Path
) -> None:
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(made.path) as pack:
        pack.extractall(folder)
    (folder / "my notes.txt").write_text("an auditor's own file")
    code, told = verify(folder, cwd=folder)
    assert code == 0, told
    (folder / made.records()[0]).unlink()
    assert "is missing" in refused(folder)


def test_a_pack_holds_everything_that_its_records_point_at(made: Made) -> None:
    files = files_of(made.path)
    for name in made.records():
        record = json.loads(files[name])["record"]
        for folder, digest in (
            ("policies", record["policy"]["hash"]),
            ("notices", record["notice"]["hash"]),
            ("rulebooks", record["jurisdiction"]["rulebook"]),
        ):
            assert f"{folder}/{digest.removeprefix('sha256:')}.json" in files
    shown = [n for n in files if n.startswith("notices/") and n.endswith(".html")]
    assert len(shown) == 2
    assert all(b"<style>" in files[name] for name in shown)
    assert {f"notices/assets/{a.hash[7:]}" for a in Asset.objects.all()} & set(files)
    (rows,) = json.loads(files["rules.json"]).values()
    assert rows["FR"]["name"] == "France"


def test_the_readme_says_in_plain_words_what_is_proved_and_with_which_key(
    made: Made, site: Site
) -> None:
    files = files_of(made.path)
    text = files["README.txt"].decode()
    assert "Never: that every click was recorded." in text
    assert "With anchors: it existed before" in text
    assert "python3 verify_evidence.py" in text
    (key,) = files["keys.txt"].decode().split()
    assert f"--key '{key}'" in text
    assert "https://127.0.0.1/log/default/key" in text
    assert "$" not in text
    page = files["README.html"].decode()
    assert page.count("<tr><td>20") == 2
    assert f'<a href="{made.records()[0]}">{made.receipts[0]}</a>' in page
    assert "analytics: yes" in page


def test_the_same_records_make_the_same_bytes(made: Made, tmp_path: Path) -> None:
    again = tmp_path / "again.zip"
    command(again, "--visitor", made.visitor)
    assert again.read_bytes() == made.path.read_bytes()
    with zipfile.ZipFile(again) as pack:
        names = pack.namelist()
        assert names == sorted(names)
        assert {info.date_time for info in pack.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_pack_is_for_its_owners_eyes_alone(made: Made) -> None:
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in made.folder.glob("*") if p.is_file()] == ["evidence.zip"]


def test_records_come_in_the_order_of_time(made: Made) -> None:
    assert [name.partition("-")[2][:-5] for name in made.records()] == made.receipts


# --- whose records


def test_an_account_is_found_by_its_name_and_by_its_key(
    parisian: Client, ada: Any, site: Site, tmp_path: Path
) -> None:
    sign_in(parisian, ada)
    number = choose(parisian, ALL)["receipt"]["id"]
    ledger.seal(site=site)
    for named in ("ada", str(ada.pk), f"key:{ada.pk}"):
        out = tmp_path / "a.zip"
        assert "1 records" in command(out, "--user", named)
        assert any(number in name for name in files_of(out))


def test_an_account_that_was_deleted_is_found_by_its_key(
    parisian: Client, ada: Any, site: Site, tmp_path: Path
) -> None:
    sign_in(parisian, ada)
    choose(parisian, ALL)
    ledger.seal(site=site)
    key = str(ada.pk)
    ada.delete()
    assert "1 records" in command(tmp_path / "a.zip", "--user", key)


def test_a_word_that_fits_two_accounts_is_nobodys(
    site: Site, ada: Any, bob: Any, tmp_path: Path
) -> None:
    bob.username = str(ada.pk)
    bob.save()
    with pytest.raises(CommandError, match=f"key:{bob.pk} or key:{ada.pk}"):
        command(tmp_path / "a.zip", "--user", str(ada.pk))


def test_what_an_account_recorded_at_a_browser_is_not_the_browsers(
    parisian: Client, ada: Any, site: Site, tmp_path: Path
) -> None:
    visitor = choose(parisian, ALL)["receipt"]["opening"]["visitor"]
    sign_in(parisian, ada)
    choose(parisian, NONE)
    choose(parisian, ALL)
    ledger.seal(site=site)
    assert Link.objects.filter(visitor=visitor).exclude(user="").exists()
    told = command(tmp_path / "a.zip", "--visitor", visitor)
    assert "1 records" in told
    assert "they are the account's" in " ".join(told.split())


def test_one_record_is_found_by_its_number(
    parisian: Client, site: Site, tmp_path: Path
) -> None:
    number = choose(parisian, NONE)["receipt"]["id"]
    choose(parisian, ALL)
    ledger.seal(site=site)
    out = tmp_path / "one.zip"
    assert "1 records" in command(out, "--receipt", number)
    assert verify(out, cwd=tmp_path)[0] == 0


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--visitor", "nobody"], "has no record"),
        (["--visitor", ""], "Say one visitor"),
        (["--user", " "], "Say one visitor"),
        (["--receipt", "0" * 32], "has no record"),
        (["--receipt", "twelve"], "is no receipt number"),
        (["--visitor", "x", "--site", "shop"], "There is no site shop"),
        (["--visitor", "x", "--checkpoint", "no such file"], "holds no checkpoint"),
    ],
)
def test_what_cannot_be_found_is_told_and_nothing_is_written(
    parisian: Client, tmp_path: Path, words: list[str], reason: str
) -> None:
    if "--checkpoint" in words:
        words[1] = choose(parisian, ALL)["receipt"]["opening"]["visitor"]
    with pytest.raises(CommandError, match=reason):
        command(tmp_path / "a.zip", *words)
    assert not list(tmp_path.iterdir())


def test_of_several_sites_one_must_be_said(made: Made) -> None:
    another_site()
    out = made.folder / "b.zip"
    with pytest.raises(CommandError, match="Say which site"):
        command(out, "--visitor", made.visitor)
    command(out, "--visitor", made.visitor, "--site", "default")
    assert out.read_bytes() == made.path.read_bytes()


def test_a_folder_that_is_not_there_is_told(made: Made) -> None:
    with pytest.raises(CommandError, match="cannot be written"):
        command(made.folder / "nowhere" / "a.zip", "--visitor", made.visitor)


def test_a_visitor_behind_a_refusal_alone_is_in_no_pack(
    visitor: NewVisitor, site: Site, tmp_path: Path
) -> None:
    choose(visitor("2a02:cfc0::1"), NONE)
    ledger.seal(site=site)
    assert not Link.objects.exists()
    with pytest.raises(CommandError, match="has no record"):
        command(tmp_path / "a.zip", "--visitor", "0" * 32)


# --- waiting, erased, gone


def test_a_record_that_waits_for_its_place_is_told_to_wait(
    parisian: Client, site: Site, tmp_path: Path
) -> None:
    visitor = choose(parisian, ALL)["receipt"]["opening"]["visitor"]
    out = tmp_path / "a.zip"
    assert "wait for their place in the log" in command(out, "--visitor", visitor)
    code, told = verify(out, cwd=tmp_path)
    assert code == 1
    assert "not in the tree yet" in told
    assert "WRONG" not in told
    assert "not in the log's tree yet" in files_of(out)["README.txt"].decode()


def erase(site: Site, visitor: str) -> None:
    (here,) = publication.published()
    consent = erasure.unattended(here)
    erasure.erase(consent, erasure.Person(visitor=visitor), Said(Surface.API, None))
    ledger.seal(site=site)


def test_erased_records_are_found_only_where_somebody_says_so(
    made: Made, site: Site
) -> None:
    erase(site, made.visitor)
    out = made.folder / "restricted.zip"
    with pytest.raises(CommandError, match="has no record"):
        command(out, "--visitor", made.visitor)
    told = command(out, "--visitor", made.visitor, "--restricted")
    assert "use it for legal claims alone" in " ".join(told.split())
    assert "RESTRICTED" in files_of(out)["README.txt"].decode()
    receipts = [json.loads(files_of(out)[name]) for name in made.records()]
    assert all("restricted_at" in r and r["opening"] for r in receipts)
    code, said = verify(out, cwd=made.folder)
    assert code == 0, said


def test_an_erased_record_is_in_its_pack_as_a_place_alone(
    made: Made, site: Site
) -> None:
    erase(site, made.visitor)
    out = made.folder / "gone.zip"
    told = command(out, "--receipt", made.receipts[0])
    assert "--restricted adds them" in told
    files = files_of(out)
    assert made.visitor not in "".join(
        body.decode(errors="replace") for body in files.values()
    )
    assert json.loads(files[made.records()[0]])["gone"] == "erased"
    code, said = verify(out, cwd=made.folder)
    assert code == 0, said
    assert "content gone (erased)" in said
