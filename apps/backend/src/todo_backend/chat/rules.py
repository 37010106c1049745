"""The built-in assistant: a handful of phrases, understood by rule, the same answer every time.

It needs no key and no network. What it does not understand it says it does not understand.
"""

import re
from collections.abc import Awaitable, Callable, Sequence

from todo_backend.chat.assistant import Turn
from todo_backend.chat.tools import TodoTools, ToolError
from todo_backend.todos.schemas import TodoView

EXAMPLES = """\
• “add buy milk”
• “what's on my list?”
• “done buy milk”, or by its number, “done 1”
• “delete buy milk”"""

HELP = f"I keep your list. Tell me, for example:\n{EXAMPLES}"
NOT_UNDERSTOOD = f"Sorry, I did not understand that; I only know a few phrases:\n{EXAMPLES}"
GREETING = "Hello! What would you like to do? Say “help” to see what I understand."
THANKS = "You are welcome!"
ONE_AT_A_TIME = "I do that for one todo at a time, so that nothing is lost by a slip of the tongue. Which one?"

_NOUN = r"(?:to-?dos?|tasks?|items?|reminders?)"
_LIST = rf"(?:(?:my|the)\s+)?(?:open\s+)?(?:(?:to-?do|task|shopping)\s+)?(?:list|{_NOUN})"
_DONE = r"(?:done|complete|completed|finished)"
_COURTESY = re.compile(
    r"^(?:(?:please|hey|hi|hello|ok|okay)\b[\s,!]*|(?:can|could|would|will)\s+you\s+)+(?=\S)", re.IGNORECASE
)

Handler = Callable[["_Turn", str], Awaitable[str]]


class RuleBasedAssistant:
    """Understands adding, listing, completing and deleting."""

    name = "rule-based"

    async def answer(self, message: str, history: Sequence[Turn], tools: TodoTools) -> str:  # noqa: ARG002
        """Return the reply; each message is understood by itself, so the history is not looked at."""
        said = re.sub(r"(?:[,\s]+please|\s*\.)+$", "", " ".join(message.split()), flags=re.IGNORECASE)
        turn = _Turn(tools)
        try:
            # First as it was said ("hello"), then without the courtesies around it ("hello, add milk").
            for phrase in (said, _without_courtesy(said)):
                for pattern, handler in _RULES:
                    if match := pattern.fullmatch(phrase):
                        return await handler(turn, (match.groupdict().get("what") or "").strip())
        except ToolError as error:
            return str(error)
        return NOT_UNDERSTOOD


class _Turn:
    """One message being answered."""

    def __init__(self, tools: TodoTools) -> None:
        self._tools = tools

    async def add(self, what: str) -> str:
        title = _unquoted(what)
        if not title:
            return "What shall I add? Say, for example, “add buy milk”."
        todo = await self._tools.add_todo(title)
        return f"Added “{todo.title}” to your list."

    async def list(self, _what: str) -> str:
        todos = await self._tools.list_todos()
        still_open = [todo for todo in todos if not todo.completed]
        done = len(todos) - len(still_open)
        if not todos:
            return "Your list is empty. Say, for example, “add buy milk”."
        if not still_open:
            return f"Nothing left to do; {done} done."
        lines = [f"{number}. {todo.title}" for number, todo in enumerate(still_open, start=1)]
        todos_word = "todo" if len(still_open) == 1 else "todos"
        ending = f"\n({done} done)" if done else ""
        return f"You have {len(still_open)} open {todos_word}:\n" + "\n".join(lines) + ending

    async def complete(self, what: str) -> str:
        if not what:
            return "Which todo is done? Say, for example, “done buy milk”."
        todos = await self._tools.list_todos()
        still_open = [todo for todo in todos if not todo.completed]
        found = _find(what, still_open, numbered=still_open)
        if not found and (already := _find(what, [todo for todo in todos if todo.completed], numbered=[])):
            return f"“{already[0].title}” is done already."
        if (problem := _unclear(what, found)) is not None:
            return problem
        todo = await self._tools.complete_todo(found[0].id)
        return f"Well done! “{todo.title}” is completed."

    async def delete(self, what: str) -> str:
        if not what:
            return "Which todo shall I delete? Say, for example, “delete buy milk”."
        todos = await self._tools.list_todos()
        still_open = [todo for todo in todos if not todo.completed]
        found = _find(what, sorted(todos, key=lambda todo: todo.completed), numbered=still_open)
        if (problem := _unclear(what, found)) is not None:
            return problem
        todo = await self._tools.delete_todo(found[0].id)
        return f"Deleted “{todo.title}” from your list."

    async def help(self, _what: str) -> str:
        return HELP

    async def greet(self, _what: str) -> str:
        return GREETING

    async def welcome(self, _what: str) -> str:
        return THANKS

    async def refuse_bulk(self, _what: str) -> str:
        return ONE_AT_A_TIME


def _rule(handler: Handler, *phrases: str) -> list[tuple[re.Pattern[str], Handler]]:
    return [(re.compile(phrase, re.IGNORECASE), handler) for phrase in phrases]


# The first rule that fits the whole message wins.
_RULES = [
    *_rule(_Turn.help, r"(?:help|commands)(?:\s+me)?[!?]*", r"(?:what can you do|how does this work)[!?]*"),
    *_rule(_Turn.greet, r"(?:hi|hello|hey|good (?:morning|afternoon|evening))(?: there)?[!,]*"),
    *_rule(_Turn.welcome, r"(?:thanks|thank you|thx|great|cool|nice)(?: a lot| very much| so much)?!*"),
    *_rule(
        _Turn.list,
        rf"(?:show|list|read|view)(?:\s+me)?(?:\s+(?:all|everything))?(?:\s+(?:of|on|in))?(?:\s+{_LIST})?[!?]*",
        rf"{_LIST}[!?]*",
        rf"what(?:'s|’s|\s+is|\s+are)(?:\s+(?:on|in))?\s+{_LIST}\??",
        r"what(?:'s|’s|\s+is)\s+(?:left|open|next|to do|left to do)\??",
        rf"what\s+(?:do|should|must)\s+i\s+(?:have\s+)?(?:to\s+)?(?:do|have)(?:\s+on\s+{_LIST})?\??",
    ),
    *_rule(
        _Turn.refuse_bulk,
        rf"(?:delete|remove|clear|erase|complete|finish)\s+(?:all|everything|(?:all\s+(?:of\s+)?)?{_LIST})"
        rf"(?:\s+(?:of\s+)?(?:{_LIST}|them))?!*",
    ),
    *_rule(
        _Turn.add,
        rf"(?:add|create|new|put)\s+(?:(?:a|an|another|the)\s+)?(?:new\s+)?{_NOUN}\b(?:\s*:|\s+to\b|\s+called\b)?(?P<what>.*)",
        rf"(?:add|put)(?:\s*:\s*|\s+)(?P<what>.+?)\s+(?:to|on|onto)\s+{_LIST}",
        r"(?:add|put|create)\b\s*:?(?P<what>.*)",
        r"(?:remind me to|remember to|i (?:need|have|want) to|i must|to-?do\s*:)\s+(?P<what>.+)",
    ),
    *_rule(
        _Turn.complete,
        rf"(?:mark|set)\s+(?P<what>.+?)\s+(?:as|to)\s+{_DONE}!*",
        rf"(?P<what>.+?)\s+(?:is|are)\s+{_DONE}!*",
        rf"(?:i\s*(?:'ve|’ve|\s+have|\s+am|'m|’m)?\s*)?(?:did|{_DONE}|finish|check off|tick off|tick|check)\b"
        r"(?:\s+with\b)?\s*:?(?P<what>.*)",
    ),
    *_rule(
        _Turn.delete,
        rf"(?:delete|remove|drop|erase|cancel)\s+(?P<what>.+?)\s+(?:from|off)\s+{_LIST}!*",
        r"(?:delete|remove|drop|erase|cancel)\b\s*:?(?P<what>.*)",
    ),
]


def _find(what: str, todos: Sequence[TodoView], numbered: Sequence[TodoView]) -> list[TodoView]:
    """Return the todos meant: by title, by number in the list as shown, by a part of the title, by its words."""
    wanted = _plain(_unquoted(what))
    if exact := [todo for todo in todos if _plain(todo.title) == wanted]:
        return exact[:1]  # of two with the same title either will do
    wanted = re.sub(rf"^(?:(?:the|my|number|no|{_NOUN})\s+)+|\s+{_NOUN}$", "", wanted)
    if wanted.isdecimal():
        number = int(wanted)
        return [numbered[number - 1]] if 1 <= number <= len(numbered) else []
    if exact := [todo for todo in todos if _plain(todo.title) == wanted]:
        return exact[:1]
    words = wanted.split()
    if not words:
        return []
    if parts := [todo for todo in todos if f" {wanted} " in f" {_plain(todo.title)} "]:
        return parts
    return [todo for todo in todos if set(words) <= set(_plain(todo.title).split())]


def _unclear(what: str, found: Sequence[TodoView]) -> str | None:
    if not found:
        return f"I cannot find “{_unquoted(what)}” on your list. Say “list” to see what is there."
    if len(found) > 1:
        choices = "\n".join(f"• {todo.title}" for todo in found)
        return f"Several todos fit “{_unquoted(what)}”; please say which one:\n{choices}"
    return None


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w]+", " ", text.casefold()).split())


def _unquoted(text: str) -> str:
    match = re.fullmatch(r"""["'“‘«](.+)["'”’»]""", text.strip())
    return (match[1] if match else text).strip()


def _without_courtesy(said: str) -> str:
    asked = _COURTESY.sub("", said)
    return said if asked == said else asked.rstrip("? ")  # "could you add milk?" wants milk, not "milk?"
