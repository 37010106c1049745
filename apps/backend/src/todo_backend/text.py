"""Text that people type: what is kept of it, and how two texts are compared."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

# Not seen, and able to make a text read differently to a person and to a model: controls of direction, tags other than
# those of a flag, and characters without width, but for the joiners that emoji and several scripts are written with.
_UNSEEN = re.compile(
    "(\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f)|"
    "[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\U000e0100-\U000e01ef]"
)
# Texts of which nothing is seen: of space, controls, Braille's blank, and what has Unicode's property
# Default_Ignorable_Code_Point, which Python does not tell.
_BLANK = re.compile(
    "[\\s\\x00-\\x1f\\x7f-\\x9f\u2800"
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]*"
)
_ZWJ = "\u200d"
_STYLE = re.compile("[\ufe0e\ufe0f]")  # whether an emoji is shown in colour
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO", "KHMER", "MYANMAR")


def encodable(value: str) -> str:
    """Return the text. Raises ValueError for half a surrogate pair, which JSON can express and UTF-8 cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("contains half a character") from None
    return value


def storable(value: str) -> str:
    """Return the text in Unicode's composed form without surrounding space and without what nobody can see.

    Of a text of which nothing can be seen nothing is left. Raises ValueError for what PostgreSQL cannot keep.
    """
    if "\x00" in value:
        raise ValueError("must not contain the character NUL")
    kept = unicodedata.normalize("NFC", _UNSEEN.sub(r"\1", encodable(value))).strip()
    return "" if _BLANK.fullmatch(kept) else kept


def one_line(value: str) -> str:
    """Return the text with every run of white space as one space. Raises ValueError for what PostgreSQL cannot keep."""
    return " ".join(storable(value).split())


def visible_line(value: str) -> str:
    """Return `one_line` of it. Raises ValueError also where nothing can be seen of it."""
    line = one_line(value)
    if not line:
        raise ValueError("must have a character that can be seen")
    return line


def shortened(value: str, most: int) -> str:
    """Return the text in one line of so many characters at most, with … where it was longer."""
    line = " ".join(value.split())
    return line if len(line) <= most else line[: most - 2].rstrip() + " …"


# The built-in assistant goes through a list several times for a message, and the next one is about the same titles.
_REMEMBERED = 1 << 14


@lru_cache(_REMEMBERED)
def comparable(value: str) -> str:
    """Return the form in which texts are compared: whatever case, form of accents or spacing they are written in."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold())
    return " ".join(_STYLE.sub("", folded).replace("i\u0307", "i").split())  # of İ, which few keyboards have


def words(value: str) -> list[str]:
    """Return the words of a text in comparable form, without the punctuation between them; an emoji is a word."""
    return list(_split(value))


@lru_cache(_REMEMBERED)
def _split(value: str) -> tuple[str, ...]:
    return tuple(_words(comparable(value)))


def _words(text: str) -> Iterator[str]:
    word = ""
    for before, character in zip(" " + text, text, strict=False):
        if _joins(before, character):
            word += character
            continue
        if word:
            yield word
        word = "" if character.isspace() or unicodedata.category(character).startswith("P") else character
    if word:
        yield word


def occurs(part: str, whole: str) -> bool:
    """Tell whether a text occurs in another one: as whole words, or in a script without spaces as whole characters."""
    wanted, text = comparable(part), comparable(whole)
    at = text.find(wanted) if wanted else -1
    while at >= 0:
        end = at + len(wanted)
        if not (_joins(text[at - 1 : at], text[at]) or _joins(text[end - 1], text[end : end + 1])):
            return True
        at = text.find(wanted, at + 1)
    return False


def _joins(left: str, right: str) -> bool:
    """Tell whether two characters beside each other belong together: to one letter as people see it, or to one word."""
    if not left or not right or left.isspace() or right.isspace():
        return False
    if unicodedata.category(right).startswith("M") or _ZWJ in (left, right) or "\U0001f3fb" <= right <= "\U0001f3ff":
        return True
    if "\U0001f1e6" <= left <= "\U0001f1ff" and "\U0001f1e6" <= right <= "\U0001f1ff":
        return True  # two of them are a flag
    if "\U000e0020" <= right <= "\U000e007f":
        return True  # what flag it is
    return _is_of_a_word(left) and _is_of_a_word(right) and not (is_unspaced(left) or is_unspaced(right))


def _is_of_a_word(character: str) -> bool:
    return character in "_'’" or unicodedata.category(character)[0] in "LNM"


def is_unspaced(character: str) -> bool:
    """Tell whether a character is of a script without spaces between words."""
    return unicodedata.name(character, "").startswith(_UNSPACED)
