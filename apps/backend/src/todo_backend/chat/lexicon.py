"""Everyday words, English and German, as they stand in words.txt: what means the same, what says nothing."""

from collections import defaultdict

from todo_backend.chat.cues import fold, read

_WORDS: dict[str, list[str]] = defaultdict(list)
_SAME: list[list[str]] = []
for _section, _line in read("words.txt"):
    _folded = [fold(word) for word in _line.split()]
    _WORDS[_section] += _folded
    if _section == "same":
        _SAME.append(_folded)


def these(section: str) -> frozenset[str]:
    """Return the words of a section, folded."""
    return frozenset(_WORDS[section])


def stem(word: str) -> str:
    """Return a folded word without its ending."""
    for ending in ("ing", "ed", "es", "en", "er", "em", "s", "e", "n"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word


SAME = {word: line[0] for line in _SAME for word in line}
"""Words by which the same todo is meant: other forms of a word, and everyday words in the other language."""
FILLERS = these("fillers")
"""Words that say nothing about which todo is meant."""
PREPOSITIONS = these("prepositions")
"""Those of them that tie a word to the next one."""
COMMON = frozenset(SAME.get(word) or stem(word) for word in these("common"))
"""What is done with so many things that it alone says nothing about which."""
PRONOUNS = these("pronouns")
PAST = these("past")
"""Forms that say that something has been done."""
UNDONE = these("undone")
"""Words with which something has not been done, or not by the user."""
_COUNTED = (
    "one two three four five six seven eight nine ten eleven twelve",
    "eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
)
_ORDERED = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth",
    "1st 2nd 3rd 4th 5th 6th 7th 8th 9th 10th 11th 12th",
    "erste zweite dritte vierte fünfte sechste siebte achte neunte zehnte elfte zwölfte",
    "ersten zweiten dritten vierten fünften sechsten siebten achten neunten zehnten elften zwölften",
)
ORDINALS = {fold(word): number for words in _ORDERED for number, word in enumerate(words.split(), 1)}
NUMBERS = ORDINALS | {fold(word): number for words in _COUNTED for number, word in enumerate(words.split(), 1)}
