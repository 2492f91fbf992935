"""Money in whole minor units: what a place and a bonus cost with fee and tax, and what is locked."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction


@dataclass(frozen=True)
class Rates:
    """fee: share of every payment. vat: share of the fee. The real figures depend on the account and are not known here."""

    fee: Fraction = Fraction(1, 3)
    vat: Fraction = Fraction(1, 5)

    def on(self, amount: int) -> tuple[int, int]:
        """(fee, VAT) on an amount, each rounded by itself, halves up.

        >>> Rates().on(150)
        (50, 10)
        """
        fee = rounded(amount * self.fee)
        return fee, rounded(fee * self.vat)

    def total(self, amount: int) -> int:
        """An amount with its fee and VAT."""
        return amount + sum(self.on(amount))


def rounded(share: Fraction) -> int:
    return int((Decimal(share.numerator) / Decimal(share.denominator)).quantize(Decimal(1), ROUND_HALF_UP))


def to_minor(major: str) -> int:
    """Pounds or dollars as they stand in a bonus list, in minor units. Raises ValueError.

    >>> to_minor("12.05"), to_minor("30")
    (1205, 3000)
    """
    try:
        amount = Decimal(major.strip()) * 100
    except ArithmeticError as error:
        raise ValueError(f"{major!r} is not an amount.") from error
    if amount != int(amount) or amount <= 0:
        raise ValueError(f"{major!r} is not an amount of whole minor units above 0.")
    return int(amount)
