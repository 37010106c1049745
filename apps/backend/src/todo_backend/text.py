"""Text that people type."""


def encodable(value: str) -> str:
    """Return the text. Raises ValueError for half a surrogate pair, which JSON can express and UTF-8 cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("contains half a character") from None
    return value


def storable(value: str) -> str:
    """Return the text without surrounding space. Raises ValueError for what PostgreSQL cannot keep."""
    if "\x00" in value:
        raise ValueError("must not contain the character NUL")
    return encodable(value).strip()


def one_line(value: str) -> str:
    """Return the text with every run of white space as one space. Raises ValueError for what PostgreSQL cannot keep."""
    return " ".join(storable(value).split())
