"""Pools of uploaded codes: how many are left, and more of them."""

from datetime import date, datetime, time, timedelta
from typing import IO, Any
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display

from config.kernel.admin import OwnFilter, TenantAdmin
from config.kernel.sheets import sheet_open
from rewards.admin.telling import name_of
from rewards.admin.uploading import file_page
from rewards.errors import PoolRefused
from rewards.forms import CodesFileForm
from rewards.models import CodePool, Reward, RewardVersion
from rewards.services import pool_create, pool_threshold, pool_upload


@admin.register(CodePool)
class CodePoolAdmin(TenantAdmin):
    list_display = ["gift", "free", "taken", "level", "warned_below", "programme"]
    list_filter = [("programme", OwnFilter)]
    list_select_related = ["programme", "reward"]
    search_fields = ["reward__code"]
    search_help_text = "Code of the gift"
    actions_detail = ["upload"]
    empty_says = (
        "A gift of the kind “voucher from a pool of codes” gives out codes that somebody else issued: "
        "add its pool, then upload the codes."
    )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["reward", "low_stock"] if obj is None else ["gift", "free", "taken", "level", "low_stock"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [] if obj is None else ["gift", "free", "taken", "level"]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "low_stock":
            kwargs |= {"label": "Warn below", "help_text": "Free codes; the start page then says so."}
        if db_field.name == "reward":
            kwargs |= {"label": "Gift", "help_text": "Only vouchers from a pool of codes that have none yet."}
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "reward" and field is not None and field.queryset is not None:
            field.queryset = field.queryset.filter(kind=Reward.Kind.POOL_VOUCHER, pool=None)
        return field

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        usable = Q(codes__valid_until=None) | Q(codes__valid_until__gt=timezone.now())
        newest = Prefetch("reward__versions", RewardVersion.objects.order_by("-number"), to_attr="newest")
        rows = super().get_queryset(request).prefetch_related(newest, "reward__programme__languages")
        return rows.annotate(
            free_codes=Count("codes", filter=Q(codes__redemption_id=None) & usable),
            taken_codes=Count("codes", filter=~Q(codes__redemption_id=None)),
        )  # fmt: skip

    @display(description="Gift", ordering="reward__code")
    def gift(self, row: Any) -> str:
        version = row.reward.newest[0] if row.reward.newest else None
        return f"{row.reward.code} {name_of(version, row.reward)}" if version else row.reward.code

    @display(description="Warns below")
    def warned_below(self, row: Any) -> int:
        return int(row.low_stock)

    @display(description="free codes", ordering="free_codes")
    def free(self, row: Any) -> int:
        return int(row.free_codes)

    @display(description="given out", ordering="taken_codes")
    def taken(self, row: Any) -> int:
        return int(row.taken_codes)

    @display(description="stock", label={"Enough": "success", "Low": "warning", "Empty": "danger"})
    def level(self, row: Any) -> str:
        if not row.free_codes:
            return "Empty"
        return "Low" if row.free_codes < row.low_stock else "Enough"

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> CodePool:
        return pool_create(reward=fields["reward"], low_stock=fields["low_stock"], now=timezone.now())

    def change(self, request: HttpRequest, row: Any, fields: dict[str, Any]) -> None:
        if "low_stock" in fields:
            pool_threshold(pool=row, low_stock=fields["low_stock"])

    @action(description="Upload codes", icon="upload_file")
    def upload(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """All codes of a file, or none; they are encrypted and never shown again."""
        pool = self.own_row(request, object_id)
        back = reverse("admin:rewards_codepool_change", args=[pool.pk])
        return file_page(
            self,
            request,
            CodesFileForm,
            f"Codes of {pool.reward}",
            lambda sent: self._fill(request, pool, **sent),
            back,
        )

    def _fill(self, request: HttpRequest, pool: CodePool, file: IO[bytes], last_day: date | None) -> None:
        texts = [row.cells["code"] for row in sheet_open(file, required=["code"])]
        zone = ZoneInfo(pool.programme.time_zone)
        ends = datetime.combine(last_day + timedelta(days=1), time(), zone) if last_day else None
        try:
            _, number = pool_upload(reward=pool.reward, texts=texts, valid_until=ends, now=timezone.now())
        except PoolRefused as error:
            raise PoolRefused(" ".join([error.detail, *(found.detail for found in error.errors)])) from None
        self.message_user(request, f"{number} codes were added.", messages.SUCCESS)
