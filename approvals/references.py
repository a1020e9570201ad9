"""Reference numbers that can be read out on the telephone.

Eight characters and a check character, in groups: `7KM4-X2PQ-H`. The alphabet has no letter or digit that looks or
sounds like another (no 0 O 1 I L, 2 Z, 5 S, 8 B, U V W). The check character is ISO 7064 MOD 23,22
(the hybrid system of MOD 37,36 over our 22 characters): it finds every single wrong character and nearly every swap of
neighbours. The number comes from a sequence of the database, scattered by a multiplication that is one to one,
so it is unique without looking, under any load, and does not tell how many requests there are.
"""

import unicodedata

from django.db import connection
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_37_36

ALPHABET = "34679ACDEFGHJKMNPQRTXY"
LENGTH = 8
_SPACE = len(ALPHABET) ** LENGTH
# Coprime to the space (22⁸), so that multiplying by it is one to one.
_SCATTER = 48_271_630_217
_SHIFT = 31_415_926_535
# Spaces, dashes, tabs and line ends: what people put between the groups.
_BETWEEN = frozenset({"Zs", "Pd", "Cc"})


class NotAReference(ValueError):
    """Not a reference number: a character that is not in the alphabet, the wrong length, or a mistyped one."""


def reference_for(number: int) -> str:
    """The reference of the `number`-th request (0 ≤ number < 22⁸ ≈ 5.5 × 10¹⁰)."""
    if not 0 <= number < _SPACE:
        raise ValueError("number out of range")
    scattered = (number * _SCATTER + _SHIFT) % _SPACE
    digits = ""
    for _position in range(LENGTH):
        scattered, digit = divmod(scattered, len(ALPHABET))
        digits += ALPHABET[digit]
    return f"{digits[:4]}-{digits[4:]}-{mod_37_36.calc_check_digit(digits, alphabet=ALPHABET)}"


def next_reference() -> str:
    """A reference that no request has, from the sequence: a rolled back transaction leaves a gap, never a double."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('approvals_reference')")
        (number,) = cursor.fetchone()
    return reference_for(number)


def normalised(text: str) -> str:
    """The reference that somebody typed, with its hyphens. Case, spaces, dashes and full width do not matter.

    Refuses with NotAReference what is none, a mistyped one included.
    """
    plain = "".join(c for c in unicodedata.normalize("NFKC", text).upper() if unicodedata.category(c) not in _BETWEEN)
    if len(plain) != LENGTH + 1 or any(character not in ALPHABET for character in plain):
        raise NotAReference(text)
    try:
        mod_37_36.validate(plain, alphabet=ALPHABET)
    except ValidationError as error:
        raise NotAReference(text) from error
    return f"{plain[:4]}-{plain[4:8]}-{plain[8]}"
