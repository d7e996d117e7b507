"""Categories and gifts as partners read them: what the client validated and nothing else."""

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import ClassVar, NamedTuple

from django.conf import settings
from django.http import HttpResponse, QueryDict
from django.utils import timezone
from django.utils.translation.trans_real import parse_accept_lang_header
from drf_spectacular.utils import OpenApiParameter

from config.kernel.api import ApiRequest, ApiView, PageRequest, json_response, operation, read_page
from config.kernel.api.pagination import write_cursor
from config.kernel.errors import NotFound, ValidationFailed
from config.kernel.texts import best_language, chain
from members.selectors import programme_of
from rewards.api import shapes
from rewards.api.filters import chosen
from rewards.eligibility import Taker, reasons
from rewards.feed import Feed, feed_of, lines_json, page_json, squeezed, tombstone, with_member, with_price
from rewards.selectors import taker_of
from rewards.services.pictures import FOLDER
from rewards.shelf import Gift, Shelf, shelf_of

NDJSON = "application/x-ndjson"
_LANGUAGE_LENGTH = 100
_MAX_VIEWS = 512
_UNFILTERED = {"lang", "limit", "cursor"}

CONDITIONAL = [
    OpenApiParameter("lang", str, description="A BCP 47 tag; without it Accept-Language decides."),
    OpenApiParameter("Accept-Language", str, OpenApiParameter.HEADER, description="Languages, best first."),
    OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="The ETag you hold."),
    OpenApiParameter(
        "ETag", str, OpenApiParameter.HEADER, response=[200, 304], description="Of this answer."
    ),
    OpenApiParameter(
        "Content-Language",
        str,
        OpenApiParameter.HEADER,
        response=[200],
        description="The language of the texts; `_fallback` names those in another.",
    ),
]


class View(NamedTuple):
    """What a call looks at: a shelf in a language."""

    feed: Feed
    tag: str
    is_zipped: bool

    @property
    def shelf(self) -> Shelf:
        return self.feed.shelf


def look(request: ApiRequest, now: datetime) -> View:
    """The caller's catalogue in the language it asks for. ValidationFailed for a `lang` that is no tag."""
    shelf, meta = shelf_of(request.auth.programme_id, now), request.META
    asked = (
        meta.get("QUERY_STRING", ""),
        meta.get("HTTP_ACCEPT_LANGUAGE"),
        meta.get("HTTP_ACCEPT_ENCODING"),
        request.media_type,
        request.scheme,
        request.get_host(),
    )
    view: View | None = shelf.views.get(asked)
    if view is None:
        while len(shelf.views) >= _MAX_VIEWS:
            shelf.views.pop(next(iter(shelf.views)), None)
        view = shelf.views[asked] = _view(shelf, request)
    return view


def _view(shelf: Shelf, request: ApiRequest) -> View:
    language = best_language(wanted_languages(request), shelf.languages)
    media = f"{request.scheme}://{request.get_host()}{settings.MEDIA_URL}{FOLDER}/"
    is_zipped = "gzip" in request.META.get("HTTP_ACCEPT_ENCODING", "")
    tag = f'W/"{shelf.tag}.{language}.{request.media_type[-6:]}"'
    return View(feed_of(shelf, language, media), tag, is_zipped)


def wanted_languages(request: ApiRequest) -> list[str]:
    """The tags a call asks for, best first: `lang`, else Accept-Language. ValidationFailed for no tag."""
    asked = request.GET.get("lang")
    if asked is not None:
        if not asked.replace("-", "").isalnum() or len(asked) > 35 or not asked.isascii():
            raise ValidationFailed.at("/lang", "invalid", "A BCP 47 language tag, such as nl-BE.")
        return [asked]
    header = request.META.get("HTTP_ACCEPT_LANGUAGE", "")[:_LANGUAGE_LENGTH]
    return [tag for tag, _ in parse_accept_lang_header(header.lower())]


def unchanged(request: ApiRequest, view: View) -> HttpResponse | None:
    """304 for who holds this state of the catalogue already."""
    held = request.META.get("HTTP_IF_NONE_MATCH")
    if held is None or (held != "*" and view.tag not in [tag.strip() for tag in held.split(",")]):
        return None
    return _dressed(HttpResponse(status=304), view)


def answer(request: ApiRequest, view: View, body: bytes, *, is_zipped: bool) -> HttpResponse:
    """A body that is JSON (or gzip of it) already."""
    response = HttpResponse(body, content_type=request.media_type)
    if is_zipped:
        response.headers["Content-Encoding"] = "gzip"
    return _dressed(response, view)


def _dressed(response: HttpResponse, view: View) -> HttpResponse:
    response.headers["ETag"] = view.tag
    response.headers["Cache-Control"] = "private, no-cache"
    if view.feed.language:
        response.headers["Content-Language"] = view.feed.language
    response.headers["Vary"] = "Accept, Accept-Encoding, Accept-Language, Authorization"
    return response


class CategoriesView(ApiView):
    required_scopes: ClassVar = {"GET": ("catalogue:read",)}

    @operation(
        summary="The client's categories",
        answers={
            200: (shapes.CategoryList, "The tree in the client's order, each before what is below it."),
            304: "Not modified.",
        },
        failures=[ValidationFailed],
        parameters=[
            *CONDITIONAL,
            OpenApiParameter(
                "include_empty", bool, description="Also those that are switched off or hold no gift."
            ),
        ],
        answer_examples={200: {"items": [shapes.EXAMPLE_CATEGORY]}},
    )
    def get(self, request: ApiRequest) -> HttpResponse:
        """Categories that are on and hold a live, validated gift, with how many and for how many points."""
        view = look(request, timezone.now())
        asked = request.GET.get("include_empty", "false").lower()
        if asked not in {"true", "false", "1", "0"}:
            raise ValidationFailed.at("/include_empty", "invalid", "true or false.")
        if same := unchanged(request, view):
            return same
        items = [x for x in view.feed.categories if asked in {"true", "1"} or x["active"]]
        return _dressed(json_response({"items": items}), view)


class GiftsView(ApiView):
    required_scopes: ClassVar = {"GET": ("catalogue:read",)}
    media_types: ClassVar = ("application/json", NDJSON)

    @operation(
        summary="The gifts the client validated",
        answers={
            200: (
                shapes.GiftList,
                "A page of gifts by code; with Accept: application/x-ndjson all of them, one on each line.",
            ),
            304: "Not modified.",
        },
        failures=[NotFound, ValidationFailed],
        parameters=[*CONDITIONAL, *shapes.GIFT_PARAMETERS],
        answer_examples={200: {"items": [shapes.EXAMPLE_GIFT], "next_cursor": None}},
    )
    def get(self, request: ApiRequest) -> HttpResponse:
        """Everything that is validated and live now, and nothing else.

        With `updated_since` only what changed since then, gifts that are gone as `{"code", "deleted": true}`.
        With `member` each gift says whether the member may have it now, and why not, and costs what an order of
        theirs would: at a promotional price `points_before` is the normal one.
        """
        now = timezone.now()
        view = look(request, now)
        plain = _plain_page(request.META.get("QUERY_STRING", ""))
        if plain is not None:
            return unchanged(request, view) or _plain(request, view, plain.after, plain.limit)
        page = read_page(request.GET, str)
        since, taker = _since(request), _taker(request, now)
        if taker is None and (same := unchanged(request, view)):
            return same
        found = sorted(_found(request, view, since, taker))
        if request.media_type == NDJSON:
            response = _squeezed_if(request, view, lines_json(item for _, item in found))
        else:
            rest = [x for x in found if page.after is None or x[0] > page.after]
            cursor = write_cursor(rest[page.limit - 1][0]) if len(rest) > page.limit else None
            response = _squeezed_if(request, view, page_json((x for _, x in rest[: page.limit]), cursor))
        if taker is not None:
            del response.headers["ETag"]
            response.headers["Cache-Control"] = "private, no-store"
        return response


class GiftView(ApiView):
    required_scopes: ClassVar = {"GET": ("catalogue:read",)}

    @operation(
        summary="A gift",
        answers={200: (shapes.GiftShown, "The gift as it is live now."), 304: "Not modified."},
        failures=[NotFound, ValidationFailed],
        parameters=[*CONDITIONAL, shapes.MEMBER_PARAMETER],
        answer_examples={200: shapes.EXAMPLE_GIFT},
    )
    def get(self, request: ApiRequest, gift: str) -> HttpResponse:
        """A gift by its code; one that is not validated, paused or over is not found."""
        now = timezone.now()
        view = look(request, now)
        place = view.shelf.find(gift)
        if place is None:
            raise NotFound
        taker = _taker(request, now)
        if taker is not None:
            response = answer(request, view, _for(view, place, taker), is_zipped=False)
            del response.headers["ETag"]
            return response
        return unchanged(request, view) or answer(request, view, view.feed.items[place], is_zipped=False)


@lru_cache(maxsize=512)
def _plain_page(query: str) -> PageRequest | None:
    """The page that a query string asks for; None if it asks for less than the whole feed."""
    asked = QueryDict(query)
    return read_page(asked, str) if asked.keys() <= _UNFILTERED else None


def _plain(request: ApiRequest, view: View, after: str | None, limit: int) -> HttpResponse:
    """The feed as it is kept: whole, or a page of it."""
    feed, zipped = view.feed, view.is_zipped
    if request.media_type == NDJSON:
        return answer(request, view, feed.lines(zipped=zipped), is_zipped=zipped)
    start = 0 if after is None else view.shelf.place_after(after)
    has_more = start + limit < len(feed.items)
    cursor = write_cursor(view.shelf.gifts[start + limit - 1].code) if has_more else None
    return answer(request, view, feed.page(start, limit, cursor, zipped=zipped), is_zipped=zipped)


def _found(
    request: ApiRequest, view: View, since: datetime | None, taker: Taker | None
) -> Iterator[tuple[str, bytes]]:
    """The gifts that pass the query's filters by code, as JSON.

    Where changes are asked for, gifts that are gone or no longer pass are told as gone.
    """
    wanted = chosen(view.shelf, chain(view.feed.language, view.shelf.languages), request.GET)
    for place, gift in enumerate(view.shelf.gifts):
        if since is not None and gift.updated_at < since:
            continue
        if wanted is None or gift.version_id in wanted:
            yield gift.code, _for(view, place, taker) if taker else view.feed.items[place]
        elif since is not None:
            yield gift.code, tombstone(gift)
    if since is not None:
        yield from ((gift.code, tombstone(gift)) for gift in view.shelf.gone if gift.updated_at >= since)


def _for(view: View, place: int, taker: Taker) -> bytes:
    gift: Gift = view.shelf.gifts[place]
    found, price = reasons(gift, taker), taker.price(gift)
    item = with_member(view.feed.items[place], {"available": not found, "reasons": found})
    return item if price == gift.points else with_price(item, gift.points, price)


def _squeezed_if(request: ApiRequest, view: View, body: bytes) -> HttpResponse:
    return answer(request, view, squeezed(body) if view.is_zipped else body, is_zipped=view.is_zipped)


def _since(request: ApiRequest) -> datetime | None:
    text = request.GET.get("updated_since")
    if not text:
        return None
    try:
        # A "+" that nobody escaped arrives as a blank.
        found = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ValidationFailed.at("/updated_since", "invalid_instant", "A time as RFC 3339 with its offset.")
    return found


def _taker(request: ApiRequest, now: datetime) -> Taker | None:
    number = request.GET.get("member")
    return taker_of(programme_of(request.auth), number, now) if number else None
