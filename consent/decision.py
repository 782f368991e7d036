"""DECIDE: from a request to a decision, and the lazy `request.consent`.

Nothing here writes. A visitor without a session costs no query; a signed-in one costs
one row, their current choice.
"""

from collections.abc import Callable
from datetime import datetime
from functools import cached_property

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone, translation

from consent import accounts, languages, visitor
from consent.accounts import Account
from consent.core.cookie import decode
from consent.core.decide import Decision, decide
from consent.core.jurisdictions import Location, Rule
from consent.core.preferences import Choice, merge
from consent.core.purposes import Purpose
from consent.core.signals import Signals
from consent.earlier import what_counts
from consent.models import Preference
from consent.publication import Published
from consent.ruling import rule_at
from consent.sites import UnknownSiteError, own_site, site_of
from consent.visitor import Cookies
from consent.visitor.disguise import Disguise, disguise_of
from consent.visitor.earlier import Found


class Consent:
    """What a request may ask about consent; everything is found when it is asked for.

    `asked` is true once anything that depends on the visitor was asked, so that the
    middleware can say in the response what it varies on. `pending` is what is still to
    be set on the response. `scripted` and `gated` say that the page has the client
    script already, and that the server held parts of it back. `wanted_languages` are
    those of a page that is not ours, the most wanted first.
    """

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.asked = self.scripted = self.gated = False
        self.wanted_languages: list[str] = []
        self.pending: list[Callable[[HttpResponseBase], None]] = []

    def _ask(self) -> None:
        """Note that the page is one visitor's own from here on.

        `cache_page` keeps what its view returns before any middleware of ours says so.
        """
        self.asked = True
        self.request._cache_update_cache = False  # type: ignore[attr-defined] # noqa: SLF001

    def again(self, *, linked: Preference | None = None) -> "Consent":
        """The same request, asked afresh, after a choice has changed.

        `linked` is the row of the person whom this browser was just linked to, which
        the cookie that came with the request cannot say.
        """
        after = Consent(self.request)
        if linked is not None:
            after.linked = linked
        return after

    @cached_property
    def published(self) -> Published:
        """The site of this request with what it published; raises UnknownSiteError."""
        found = site_of(self.request)
        if found is None:
            raise UnknownSiteError
        return found

    @cached_property
    def elsewhere(self) -> bool:
        """Whether another site's page asks, which named its site by `?site=`.

        Such a page sends no cookie of ours and is sent none: it keeps the signed value
        itself, and sends it along as the header `Consent-Cookie`.
        """
        own = own_site(self.request)
        return own is None or own.site.pk != self.published.site.pk

    @property
    def user(self) -> int | None:
        """The key of the signed-in user; on another site's page nobody is."""
        return None if self.elsewhere else signed_in(self.request)

    @cached_property
    def disguise(self) -> Disguise | None:
        """Whom the demo plays; None outside the demo."""
        return disguise_of(self.request) if settings.DEMO and settings.DEBUG else None

    @cached_property
    def server_time(self) -> datetime:
        """The time of the request by the server's clock; what a record says."""
        return timezone.now()

    @cached_property
    def now(self) -> datetime:
        """The moment that is decided for; the demo may play another day."""
        return (self.disguise and self.disguise.now) or self.server_time

    @cached_property
    def signals(self) -> Signals:
        return (
            self.disguise.signals if self.disguise else visitor.signals_of(self.request)
        )

    @cached_property
    def location(self) -> Location:
        """Where the visitor seems to be, with the region they declared."""
        self._ask()
        if self.disguise:
            located = self.disguise.location
        else:
            located = visitor.locate_request(self.request)
        kept = self.own_choice.region if self.own_choice else None
        return visitor.declared(located, self.region, kept)

    @cached_property
    def region(self) -> str | None:
        """The region the visitor declared, now (`?place=`) or with their choice.

        An empty one takes it back: from the next answer on, for until then the one
        that is kept goes on protecting.
        """
        if self.picked_place is not None:
            return visitor.region_named(self.picked_place)
        return self.own_choice.region if self.own_choice else None

    @property
    def picked_place(self) -> str | None:
        """`?place=` as it was given, where it declares a region or takes one back."""
        asked = self.request.GET.get("place")
        return asked if asked == "" or visitor.region_named(asked) else None

    @cached_property
    def rule(self) -> Rule:
        return rule_at(self.published, self.location, self.now)

    @cached_property
    def _browser(self) -> tuple[Choice | None, bool]:
        site = self.published.site.slug
        if self.elsewhere:
            value = self.request.headers.get(visitor.cookies.HEADER)
            return visitor.believed(value, site=site, now=self.now)
        return visitor.read_choice(self.request, site=site, now=self.now)

    @property
    def visitor_id(self) -> str | None:
        """This browser's private id; another site's page sends none along."""
        if self.elsewhere:
            return None
        return visitor.read_visitor_id(self.request, site=self.published.site.slug)

    @property
    def account(self) -> Account | None:
        """The user who is signed in, else the person whom this browser is linked to."""
        user = self.user
        if user is not None:
            return Account(user=user)
        row = self.linked
        return None if row is None else Account(identity=row.identity)

    @cached_property
    def linked(self) -> Preference | None:
        """The row of the person whom the site's backend linked this browser to.

        It is asked for only where the private cookie says that there is one.
        """
        if self.user is not None or self.elsewhere:
            return None
        site = self.published.site
        known = visitor.read_linked_id(self.request, site=site.slug)
        return None if known is None else accounts.linked(site, known)

    @property
    def minor(self) -> bool:
        """Whether the site's backend says that this person is a child (rule 11)."""
        return self.linked is not None and self.linked.minor

    @cached_property
    def preference(self) -> Preference | None:
        """The account's current choice, where there is an account."""
        user = self.user
        row = self.linked
        if user is not None:
            row = Account(user=user).row_of(self.published.site).first()
        return row if row is not None and row.receipt else None

    @property
    def browser_choice(self) -> Choice | None:
        """The believed choice of the browser, whoever is signed in."""
        return self._browser[0]

    @cached_property
    def choice(self) -> Choice | None:
        """The newest believed choice, else what an earlier tool's cookie says."""
        if self.own_choice is not None or self.earlier is None:
            return self.own_choice
        return self.earlier if self.account is None else _refusals(self.earlier)

    @cached_property
    def _of_earlier_tools(self) -> tuple[Found, ...]:
        """Cookies of earlier tools, from a browser that has none of ours."""
        if self.elsewhere or self._browser != (None, True):
            return ()
        return visitor.read_earlier(self.request, site=self.published.site.slug)

    @cached_property
    def earlier(self) -> Choice | None:
        """What an earlier tool's cookie says, until a choice of ours takes its place.

        None where nothing was declared (docs/import.md), which costs nothing.
        """
        found = self._of_earlier_tools
        if not found:
            return None
        return what_counts(found, here=self.published, rule=self.rule, now=self.now)

    @cached_property
    def own_choice(self) -> Choice | None:
        """The newest choice given to us: the account's where there is an account.

        Merging at sign-in brought along what the browser held. Should a sign-in have
        gone past that, the browser's refusals count all the same.
        """
        browser = self._browser[0]
        if self.account is None:
            return browser
        if self.preference is not None:
            return stored_choice(self.preference)
        return _refusals(browser)

    @property
    def trusted(self) -> bool:
        """False where the browser sent a choice that cannot be believed."""
        if self.preference is not None:
            return True
        unread = any(found.earlier is None for found in self._of_earlier_tools)
        return self._browser[1] and not unread

    @cached_property
    def decision(self) -> Decision:
        self._ask()
        return decision_for(self)

    @property
    def decided(self) -> bool:
        """Whether the decision was asked for already."""
        return "decision" in self.__dict__

    def allows(self, purpose: str, service: str | None = None) -> bool:
        """Whether a purpose, or one of its services, may run right now.

        ValueError for a purpose that does not exist, so that a typo cannot be a yes.
        """
        return self.decision.allows(Purpose(purpose), service)

    @property
    def language(self) -> str:
        """The language to speak, of those that the site publishes.

        What the middleware found to be wanted on a page that is not ours, else the
        active one.
        """
        active = translation.get_language() or ""
        published = self.published.languages
        wanted = [*self.wanted_languages, active]
        return languages.match(wanted, published) or published[0]

    @property
    def cookies(self) -> Cookies:
        here = self.published
        domain = here.site.cookie_domain or settings.CONSENT_COOKIE_DOMAIN
        policies = (*here.older.values(), here.policy)
        return Cookies(
            site=here.site.slug,
            domain=domain,
            secure=self.request.is_secure(),
            strays=visitor.strays(self.request, site=here.site.slug, domain=domain),
            services={s.slug: s.purpose for p in policies for s in p.services},
        )


def _refusals(choice: Choice | None) -> Choice | None:
    """What a choice that may be another person's is worth to an account (rule 8)."""
    refused = merge(account=None, browser=choice, left=True)
    return refused if refused.answers or refused.services else None


def decision_for(consent: Consent) -> Decision:
    """Decide for one request: policy, rule, choice, signals, and the time."""
    return decide(
        policy=consent.published.policy,
        rule=consent.rule,
        choice=consent.choice,
        signals=consent.signals,
        now=consent.now,
        trusted=consent.trusted,
        minor=consent.minor,
    )


def signed_in(request: HttpRequest) -> int | None:
    """The key of the signed-in user; asks no session that nobody has."""
    session = getattr(request, "session", None)
    user = getattr(request, "user", None)
    if session is None or session.is_empty() or user is None:
        return None
    return user.pk if user.is_authenticated else None


def stored_choice(preference: Preference) -> Choice:
    """The choice in an account's row.

    A vouched person's does not name its record: it may be another browser's, whose
    history this one must not open.
    """
    choice = decode(preference.state)
    return Choice(
        answers=choice.answers,
        services=choice.services,
        region=choice.region,
        rule=choice.rule,
        receipt=None if preference.identity else preference.named,
    )
