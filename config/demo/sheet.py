"""What the demo prints once it is served: where to look, as whom, and a first call."""

import os
from datetime import datetime
from shlex import quote
from typing import Any

from django.urls import reverse

from config.demo.place import secrets_path
from members.models import Member
from members.services import email_session_open

SHEET = """
Ristourne is ready: {base_url}

  Start page           {base_url}/
  API documentation    {base_url}/api/v1/docs
  Back office          {base_url}/admin/
      everything       {staff[username]} / {staff[password]}
      choco-club only  {club_staff[username]} / {club_staff[password]}
  Members' pages       each address signs one browser in, within a quarter of an hour:
      Élise, 10042     {links[choco-club]}
      a household      {links[journey]}
                       these print a new one, for one browser within a minute:
                       {manage} member_link 10042
                       {manage} member_link {household} --programme journey
      by e-mail        {base_url}/my/choco-club/sign-in
                       for member-10042@example.com; the mail is printed here

  All secrets are in {path}.

A first call: what would member 10042's basket earn now? Paste it into another terminal.

{call}

It earns 117 points, and says why (50 more at the weekend, when PR-WEEKEND applies).

Ctrl-C stops the server; what was booked stays. To start over: make demo ARGS="--reset"
"""

ELISE = "10042"
"""The member of the documentation."""
MANAGE = ".venv/bin/python manage.py"
CALL = """\
TOKEN=$(curl -s -u '{client_id}:{client_secret}' \\
  -d grant_type=client_credentials {base_url}/oauth/token \\
  | sed 's/.*"access_token": *"\\([^"]*\\)".*/\\1/')
curl -s {base_url}/api/v1/basket-evaluations \\
  -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \\
  -d '{{"member": "10042", "occurred_at": "'$(date -u +%Y-%m-%dT%H:%M:%SZ)'", "channel": "web",
       "store": "BXL-01", "currency": "EUR", "lines": [
         {{"line": "1", "sku": "CHOC-1", "category": "chocolate", "brand": "Neuhaus",
          "quantity": "2", "amount": "25.00"}},
         {{"line": "2", "sku": "MUG-7", "category": "home", "quantity": "1", "amount": "19.90"}}]}}'"""


def sheet(secrets: dict[str, Any], now: datetime) -> str:
    """The text, with a call that works when pasted into a shell, and new addresses that sign in as two members."""
    partner = secrets["programmes"]["choco-club"]
    call = CALL.format(**partner, base_url=secrets["base_url"])
    shown = {"choco-club": ELISE, "journey": secrets["household"]}
    links = {code: secrets["base_url"] + _link(code, number, now) for code, number in shown.items()}
    return SHEET.format(**secrets, path=secrets_path(), call=call, links=links, manage=_manage())


def _link(programme: str, number: str, now: datetime) -> str:
    """The path of a link as members get it by mail: one use, 15 minutes."""
    member = Member.objects.select_related("programme").get(programme__code=programme, number=number)
    return reverse("member-enter-by-email", args=[email_session_open(member=member, device="Demo", now=now)])


def _manage() -> str:
    """manage.py as it is called from the project's folder, for the same folder of private things."""
    var = os.environ.get("RISTOURNE_VAR")
    return f"RISTOURNE_VAR={quote(var)} {MANAGE}" if var else MANAGE
