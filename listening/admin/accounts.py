"""Researchers' own accounts and API tokens, in the look of the other pages."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from rest_framework.authtoken.admin import TokenAdmin
from rest_framework.authtoken.models import TokenProxy
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from listening.services import second_factor

# What django-otp would show of devices are their secrets; here they are set up by their owners and reset below.
for model in (User, Group, TokenProxy, TOTPDevice, StaticDevice):
    admin.site.unregister(model)


class ForSuperusers(ModelAdmin):
    """Whoever may change accounts can become anybody, and an API token speaks for its owner: permissions do not give this away."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_module_permission(request)

    has_change_permission = has_delete_permission = has_view_permission

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request)


# In this order: the frame's own pages would leave the form for a new account without its fields.
@admin.register(User)
class AccountAdmin(UserAdmin, ForSuperusers):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    actions = ["reset_second_factor"]

    @admin.action(description="Reset the second factor of the chosen (they log in by password and set up anew)")
    def reset_second_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        assert isinstance(request.user, User)
        for account in queryset:
            second_factor.forget_devices(account, request.user)
        self.message_user(
            request, f"Reset for {', '.join(account.get_username() for account in queryset)}; their log-ins ended."
        )


@admin.register(Group)
class AccountGroupAdmin(GroupAdmin, ForSuperusers):  # type: ignore[misc]  # the stubs want permissions of groups alone
    pass


@admin.register(TokenProxy)
class AccountTokenAdmin(TokenAdmin, ForSuperusers):
    pass
