"""The order of names in a types file: Supabase's generator sorts with Intl.Collator("en")."""

from __future__ import annotations

import unicodedata

_SIGNS = " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$"
"""ASCII's signs in the order of the root collation; digits and letters come after them.

https://www.unicode.org/charts/collation/
"""
_RANKS = {sign: rank for rank, sign in enumerate(_SIGNS)}

Key = tuple[tuple[tuple[int, str], ...], tuple[str, ...], tuple[bool, ...]]


def order(name: str) -> Key:
    """A sort key: letters alike whatever their case and accents, then accents, then small letters before capitals."""
    letters: list[str] = []
    accents: list[str] = []
    for sign in unicodedata.normalize("NFD", name):
        if unicodedata.combining(sign) and letters:
            accents[-1] += sign
        else:
            letters.append(sign)
            accents.append("")
    return (
        tuple(_primary(letter) for letter in letters),
        tuple(accents),
        tuple(letter != letter.lower() for letter in letters),
    )


def _primary(letter: str) -> tuple[int, str]:
    if letter in _RANKS:
        return _RANKS[letter], ""
    return len(_SIGNS) + (not letter.isdecimal()), letter.casefold()
