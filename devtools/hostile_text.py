"""Texts that a lenient base64 decoder decodes to the same bytes (attack A7)."""

from typing import Final

_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def same_bytes_other_text(text: str) -> dict[str, str]:
    """Other texts, by name, that Python's decoder decodes to the same bytes as `text`.

    `text`: canonical base64url. A relying party must compare challenges as text.
    """
    spellings = {
        "padding": text + "=" * (-len(text) % 4 or 1),
        "too much padding": text + "====",
        "a line feed at the end": text + "\n",
        "a space in the middle": f"{text[:4]} {text[4:]}",
        "junk in the middle": f"{text[:4]}!*{text[4:]}",
        "loose bits at the end": text[:-1] + _with_loose_bits(text),
    }
    return {name: spelling for name, spelling in spellings.items() if spelling != text}


def _with_loose_bits(text: str) -> str:
    """The last character with its unused bits set: 2 bits of 3 characters, 4 bits of 2."""
    unused = {2: 0b1111, 3: 0b11}.get(len(text) % 4, 0)
    return _ALPHABET[_ALPHABET.index(text[-1]) | unused]
