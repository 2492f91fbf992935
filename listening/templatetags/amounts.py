"""Money in templates."""

from django.template import Library

from listening.services.money import money

register = Library()


@register.filter
def amount(minor: int | None, currency: str = "GBP") -> str:
    """Minor units as people write them; empty for None.

    >>> amount(150, "GBP"), amount(None)
    ('£1.50', '')
    """
    return "" if minor is None else money(minor, currency)
