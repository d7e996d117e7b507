"""Rulesets by content: canonical JSON, hashes, and the compiled ruleset in force at any instant.

A programme's rules are a timeline of versions. Between two changes one ruleset is in force; it is compiled
once per process and kept under the number of the programme's `RulesHead`.
"""

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from loyalty.engine import ENGINE, Links, Promotion, Ruleset, Terms
from loyalty.engine.ruleset import MEMBER_SCOPES, ProductSet
from loyalty.models import PromotionSegment, PromotionVersion, RulePart, TermsVersion
from loyalty.models import Ruleset as StoredRuleset
from loyalty.standings import scheme_of
from loyalty.tiers import Scheme
from members.errors import ProgrammeNotActive

Part = dict[str, Any]


def canonical(value: object) -> str:
    """JSON with sorted keys and no spaces, the text that is hashed (in the manner of RFC 8785)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def part_hash(part: object) -> str:
    """`sha256:` and the hex digest of the part's canonical JSON."""
    return "sha256:" + hashlib.sha256(canonical(part).encode()).hexdigest()


def ruleset_hash(engine: int, parts: list[str]) -> str:
    """The hash that names a ruleset: of its engine number and its sorted part hashes."""
    return part_hash({"engine": engine, "parts": parts})


def compile_ruleset(hash_: str, engine: int, bodies: dict[str, Part]) -> Ruleset:
    """A ruleset from the bodies of its parts, by hash."""
    links = {body["promotion"]: Links.compile(body) for _, body in _of_kind(bodies, "links")}
    products = {hash_: _product_set(hash_, body) for hash_, body in _of_kind(bodies, "products")}
    promotions = [
        Promotion.compile(body, products.get(body["products"]), links.get(body["code"], Links()))
        for _, body in _of_kind(bodies, "promotion")
    ]
    ((_, terms),) = _of_kind(bodies, "terms")
    return Ruleset.build(hash_, engine, Terms.compile(terms), promotions)


def _of_kind(bodies: dict[str, Part], kind: str) -> Iterable[tuple[str, Part]]:
    return ((hash_, body) for hash_, body in sorted(bodies.items()) if body["kind"] == kind)


_compiled: dict[str, ProductSet] = {}


def _product_set(hash_: str, body: Part) -> ProductSet:
    """Product sets are large and shared by rulesets: one object for each."""
    return _compiled.setdefault(hash_, ProductSet.compile(body))


@dataclass(slots=True)
class Timeline:
    """All versions of a programme's rules, as at one `RulesHead` version.

    `parts` lists the part hashes in force before the first of `cuts`, and from each of them on. `tiers` says how tiers
    are reached, None for a programme without tier rules.
    """

    version: int
    zone: ZoneInfo | None
    promotion_ids: dict[str, int]
    bodies: dict[str, Part]
    cuts: list[datetime]
    parts: list[list[str]]
    is_capped: bool
    is_budgeted: bool
    tiers: Scheme | None = None
    _rulesets: dict[int, Ruleset] = field(default_factory=dict)

    def at(self, instant: datetime) -> Ruleset:
        """The ruleset in force at `instant`; ProgrammeNotActive where no terms are."""
        index = bisect_right(self.cuts, instant)
        if index not in self._rulesets:
            self._rulesets[index] = self._compile(self.parts[index])
        return self._rulesets[index]

    def _compile(self, parts: list[str]) -> Ruleset:
        bodies = {hash_: self.bodies[hash_] for hash_ in parts}
        if not any(body["kind"] == "terms" for body in bodies.values()):
            raise ProgrammeNotActive("The programme has no terms for that time.")
        return compile_ruleset(ruleset_hash(ENGINE, parts), ENGINE, bodies)


_timelines: dict[int, Timeline] = {}


def timeline(programme_id: int, version: int) -> Timeline:
    """The programme's timeline at a head version; from memory unless the rules changed."""
    known = _timelines.get(programme_id)
    if known is None or known.version != version:
        known = load(programme_id, version)
        _timelines[programme_id] = known
    return known


def latest(programme_id: int) -> Timeline | None:
    """What this process knows of the programme's rules, however old; None at first."""
    return _timelines.get(programme_id)


def load(programme_id: int, version: int) -> Timeline:
    """Read all versions and links of a programme and cut the time where one begins or ends."""
    published = PromotionVersion.objects.filter(promotion__programme_id=programme_id).select_related(
        "promotion"
    )
    promotions = [version for version in published if not version.is_voided]
    terms = list(TermsVersion.objects.filter(programme_id=programme_id, is_voided=False))
    links = link_parts(programme_id)
    bodies = dict(RulePart.objects.filter(programme_id=programme_id).values_list("hash", "body"))
    bodies |= {part_hash(part): part for part in links.values()}
    versions = [*promotions, *terms]
    ends = [at for version in versions for at in (version.valid_from, version.valid_until)]
    cuts = sorted({at for at in ends if at is not None})
    scopes = {scope for x in promotions for scope in bodies[x.part]["caps"]}
    return Timeline(
        version=version,
        zone=ZoneInfo(bodies[terms[-1].part]["time_zone"]) if terms else None,
        is_capped=not scopes.isdisjoint(MEMBER_SCOPES),
        is_budgeted="budget" in scopes,
        promotion_ids={x.promotion.code: x.promotion_id for x in published},  # returns need voided ones too
        bodies=bodies,
        cuts=cuts,
        parts=[_parts_at(at, promotions, terms, links, bodies) for at in (None, *cuts)],
        tiers=scheme_of(programme_id),
    )


def _in_force(version: PromotionVersion | TermsVersion, at: datetime | None) -> bool:
    """`at` None is the time before every change."""
    if at is None:
        return version.valid_from is None
    return (version.valid_from is None or version.valid_from <= at) and (
        version.valid_until is None or at < version.valid_until
    )


def _parts_at(
    at: datetime | None,
    promotions: list[PromotionVersion],
    terms: list[TermsVersion],
    links: dict[str, Part],
    bodies: dict[str, Part],
) -> list[str]:
    hashes = {version.part for version in terms if _in_force(version, at)}
    for version in promotions:
        if _in_force(version, at):
            hashes.add(version.part)
            products = bodies[version.part]["products"]
            if products:
                hashes.add(products)
            if version.promotion.code in links:
                hashes.add(part_hash(links[version.promotion.code]))
    return sorted(hashes)


def link_parts(programme_id: int) -> dict[str, Part]:
    """The links part of each promotion that has any, by promotion code."""
    rows = PromotionSegment.objects.filter(programme_id=programme_id).order_by(
        "promotion__code", "segment__code", "valid_from"
    )
    values = rows.values_list("promotion__code", "segment__code", "mode", "valid_from", "valid_until")
    return {
        code: {
            "kind": "links",
            "promotion": code,
            "links": [
                {
                    "segment": segment,
                    "mode": mode,
                    "from": start.isoformat(),
                    "until": end.isoformat() if end else None,
                }
                for _, segment, mode, start, end in group
            ],
        }
        for code, group in groupby(values, key=lambda row: row[0])
    }


@lru_cache(maxsize=1024)
def by_hash(programme_id: int, hash_: str) -> Ruleset:
    """A ruleset a transaction names, from its stored parts; it never changes, so it is kept."""
    stored = StoredRuleset.objects.get(programme_id=programme_id, hash=hash_)
    parts = RulePart.objects.filter(programme_id=programme_id, hash__in=stored.parts)
    return compile_ruleset(hash_, stored.engine, dict(parts.values_list("hash", "body")))
