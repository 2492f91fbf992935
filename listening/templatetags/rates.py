"""Rates as people write them."""

from django.template import Library

register = Library()


@register.filter
def kbps(bps: float | None) -> str:
    """Bits per second as kbit/s with as many digits as tell something; empty for None.

    >>> kbps(9200), kbps(24000), kbps(5987.4), kbps(None)
    ('9.2 kbit/s', '24 kbit/s', '5.99 kbit/s', '')
    """
    return "" if bps is None else f"{bps / 1000:.3g} kbit/s"


@register.filter
def khz(hz: float) -> str:
    """Hertz as kHz.

    >>> khz(44100), khz(16000)
    ('44.1 kHz', '16 kHz')
    """
    return f"{hz / 1000:g} kHz"
