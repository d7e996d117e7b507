"""manage.py member_link: be a member of the demo, in a browser."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from django.utils import timezone

from config.demo import place
from config.kernel.errors import RistourneError
from members.models import Partner
from members.selectors import member_by_number
from members.services import session_open


class Command(BaseCommand):
    """What the demo's partner gets from POST /identifications, as an address to open."""

    help = "Print an address that signs a browser in as a member of the demo: once, within a minute."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("member", help="the member's number, e.g. 10042")
        parser.add_argument("--programme", choices=place.PROGRAMMES, default=place.PROGRAMMES[0])

    def handle(self, *args: Any, **options: Any) -> None:
        secrets = place.secrets_read()
        if not secrets:
            raise CommandError(f"There is no demo in {place.secrets_path().parent}. Start it: make demo")
        client_id = secrets["programmes"][options["programme"]]["client_id"]
        partner = Partner.objects.select_related("programme").get(client_id=client_id)
        try:
            member = member_by_number(partner.programme, options["member"])
            opened = session_open(partner=partner, member=member, device="Demo", now=timezone.now())
        except RistourneError as error:
            raise CommandError(
                f"Member {options['member']} of {options['programme']}: {error.detail}"
            ) from None
        self.stdout.write(secrets["base_url"] + reverse("member-enter", args=[opened.login]))
        self.stderr.write("It signs one browser in, within a minute.")
