"""What the demo prints once it is served: where to look, as whom, and a first call."""

import os
from shlex import quote
from typing import Any

from config.demo.place import secrets_path

SHEET = """
Ristourne is ready: {base_url}

  Start page           {base_url}/
  API documentation    {base_url}/api/v1/docs
  Back office          {base_url}/admin/
      everything       {staff[username]} / {staff[password]}
      choco-club only  {club_staff[username]} / {club_staff[password]}
  Members' pages       this prints an address that signs you in, once, within a minute:
      Élise, 10042     {manage} member_link 10042
      a household      {manage} member_link {household} --programme journey
      by e-mail        {base_url}/my/choco-club/sign-in
                       for member-10042@example.com; the mail is printed here

  All secrets are in {path}.

A first call: what would member 10042's basket earn now? Paste it into another terminal.

{call}

It earns 117 points, and says why (50 more at the weekend, when PR-WEEKEND applies).

Ctrl-C stops the server; what was booked stays. To start over: make demo ARGS="--reset"
"""

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


def sheet(secrets: dict[str, Any]) -> str:
    """The text, with a call that works when pasted into a shell."""
    partner = secrets["programmes"]["choco-club"]
    call = CALL.format(**partner, base_url=secrets["base_url"])
    household = secrets["programmes"]["journey"]["members"][0]
    return SHEET.format(**secrets, path=secrets_path(), call=call, household=household, manage=_manage())


def _manage() -> str:
    """manage.py as it is called from the project's folder, for the same folder of private things."""
    var = os.environ.get("RISTOURNE_VAR")
    return f"RISTOURNE_VAR={quote(var)} {MANAGE}" if var else MANAGE
