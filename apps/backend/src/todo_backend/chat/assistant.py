"""What every assistant is to the rest of the service."""

from typing import Protocol

from todo_backend.chat.tools import TodoTools


class Assistant(Protocol):
    """Answers a message, acting through the tools alone."""

    @property
    def name(self) -> str:
        """What the reply names as its author."""

    async def answer(self, message: str, tools: TodoTools) -> str:
        """Return the reply to this message, which is understood by itself."""
