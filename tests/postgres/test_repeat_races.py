"""The same request twice at once: one record, and both are told of it."""

from threading import Barrier, Thread
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from consent.choices import repeating
from consent.models import Repeat, Site
from tests.conftest import NewVisitor
from tests.test_repeated_choices import keyed
from tests.visits import ALL, NONE, body, records

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def _all_look_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody goes on before each has seen that the key is new."""
    looked, seen = Barrier(6), repeating.repeated
    waited = set[int]()

    def look(consent: Any, sent: repeating.Repeatable) -> Any:
        found = seen(consent, sent)
        if id(consent) not in waited and found is None:
            waited.add(id(consent))
            looked.wait(20)
        return found

    monkeypatch.setattr("consent.choices.repeated", look)


@pytest.mark.usefixtures("_all_look_first")
@pytest.mark.parametrize("answers", [ALL, NONE])
@pytest.mark.parametrize("known", [True, False])
def test_six_requests_at_once_are_one_record(
    site: Site, visitor: NewVisitor, answers: dict[str, bool], known: bool
) -> None:
    browsers = [visitor("2a02:cfc0::1") for _ in range(6)]
    if known:
        ada = get_user_model().objects.create_user("ada")
        for browser in browsers:
            browser.force_login(ada)
    told: list[Any] = []

    def work(browser: Any) -> None:
        try:
            told.append(keyed(browser, body(answers)))
        finally:
            connection.close()

    threads = [Thread(target=work, args=(browser,)) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [answer.status_code for answer in told] == [201] * 6
    assert len({answer.json()["receipt"]["id"] for answer in told}) == 1
    assert len(records()) == Repeat.objects.count() == 1


def test_the_key_of_the_table_begins_with_the_site() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexdef FROM pg_indexes WHERE tablename = 'consent_repeat'"
        )
        indexes = [definition for (definition,) in cursor.fetchall()]
    assert len(indexes) == 3
    assert all("(site_id, " in definition for definition in indexes)
