"""`manage.py make_identity_key`: a key by which a backend vouches for persons."""

import base64
import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError
from django.utils import timezone

from consent.audit.people import NobodyError, the_site
from consent.identities.tokens import PURPOSE, KeyUnfitError, public_of
from consent.models import IdentityKey
from consent.secret_boxes import seal_secret


class Command(BaseCommand):
    """Add or retire an identity key."""

    help = (
        "Add a key by which a site's backend signs who somebody is: its public key, or "
        "for HS256 a secret that is made here and printed once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--site", help="the site's short name")
        parser.add_argument("--kid", required=True, help="what tokens call the key")
        parser.add_argument("--algorithm", choices=IdentityKey.Algorithm.values)
        parser.add_argument("--public-key", type=Path, metavar="FILE", help="PEM")
        parser.add_argument("--issuer", help="`iss` of every token")
        parser.add_argument("--audience", help="`aud` of every token")
        parser.add_argument(
            "--retire", action="store_true", help="let it count no more"
        )

    def handle(self, **options: Any) -> None:  # noqa: ANN401
        try:
            site = the_site(options["site"])
        except NobodyError as error:
            raise CommandError(str(error)) from error
        if options["retire"]:
            keys = IdentityKey.objects.filter(site=site, kid=options["kid"])
            if not keys.update(retired_at=timezone.now()):
                raise CommandError(f"There is no key {options['kid']}.")
            self.stdout.write(f"The key {options['kid']} counts no more.")
            return
        missing = [n for n in ("algorithm", "issuer", "audience") if not options[n]]
        if missing:
            raise CommandError(f"Say --{missing[0]}.")
        material, shown = _material(options["algorithm"], options["public_key"])
        try:
            IdentityKey.objects.create(
                site=site,
                kid=options["kid"],
                algorithm=options["algorithm"],
                material=material,
                issuer=options["issuer"],
                audience=options["audience"],
                made_at=timezone.now(),
            )
        except IntegrityError:
            raise CommandError(f"There is a key {options['kid']} already.") from None
        self.stdout.write(shown)


def _material(algorithm: str, file: Path | None) -> tuple[str, str]:
    """What is kept of a key, and what is printed."""
    if algorithm == IdentityKey.Algorithm.HS256:
        if file is not None:
            raise CommandError("HS256 has no public key: its secret is made here.")
        secret = base64.b64encode(secrets.token_bytes(32)).decode()
        return seal_secret(secret, purpose=PURPOSE), secret
    if file is None:
        raise CommandError("Say --public-key FILE.")
    try:
        pem = file.read_text(encoding="ascii")
        public_of(pem, algorithm)
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    except (UnicodeError, KeyUnfitError) as error:
        raise CommandError(f"{file}: {error}") from error
    return pem, "The key was added."
