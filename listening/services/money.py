"""Amounts for reading. Money is counted in minor units (pence, cents) as whole numbers everywhere."""

SIGNS = {"GBP": "£", "USD": "$", "EUR": "€"}


def money(minor: int, currency: str = "GBP") -> str:
    """An amount as people write it.

    >>> money(1234567), money(-5, "USD"), money(150, "CHF")
    ('£12,345.67', '-$0.05', 'CHF 1.50')
    """
    sign = SIGNS.get(currency, f"{currency} ")
    return f"{'-' if minor < 0 else ''}{sign}{abs(minor) // 100:,}.{abs(minor) % 100:02d}"


def major(minor: int) -> str:
    """An amount in whole units as a plain decimal, for files.

    >>> major(5), major(150)
    ('0.05', '1.50')
    """
    return f"{minor // 100}.{minor % 100:02d}"
