"""What every assistant is to the rest of the service."""

from dataclasses import dataclass
from typing import Literal, Protocol

from todo_backend.chat.tools import TodoTools


@dataclass(frozen=True)
class Said:
    """What one side said earlier in the conversation."""

    role: Literal["user", "assistant"]
    content: str


class Assistant(Protocol):
    """Answers a message, acting through the tools alone."""

    @property
    def name(self) -> str:
        """What the reply names as its author."""

    async def answer(self, message: str, tools: TodoTools) -> str:
        """Return the reply to this message, which is understood by itself."""
