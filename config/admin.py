"""The back office of what other packages bring: the same look, and nothing that is never used."""

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin
from oauth2_provider.models import (
    get_access_token_model,
    get_application_model,
    get_device_grant_model,
    get_grant_model,
    get_id_token_model,
    get_refresh_token_model,
)
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from members.models import StaffMembership

for _model in (
    get_access_token_model(),  # only checksums: nothing to see
    get_application_model(),  # partners are members' own
    get_device_grant_model(),  # client credentials know no grants and no refreshing
    get_grant_model(),
    get_id_token_model(),
    get_refresh_token_model(),
    get_user_model(),
):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)

for _model, _admin in list(admin.site._registry.items()):
    if not isinstance(_admin, ModelAdmin):
        admin.site.unregister(_model)
        admin.site.register(_model, type(type(_admin).__name__, (type(_admin), ModelAdmin), {}))


class StaffMembershipInline(TabularInline):
    model = StaffMembership
    extra = 0


@admin.register(get_user_model())
class StaffAdmin(UserAdmin, ModelAdmin):
    """Staff, and the programmes they work for."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = [StaffMembershipInline]
