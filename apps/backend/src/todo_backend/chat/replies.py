"""How the built-in assistant answers, English and German."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from todo_backend.chat.cues import fold
from todo_backend.chat.lexicon import these
from todo_backend.text import words
from todo_backend.todos.schemas import TodoView


@dataclass(frozen=True, eq=False)
class Language:
    """The replies of one language."""

    says: Mapping[str, str]
    """Replies by name."""
    months: Sequence[str]
    weekdays: Sequence[str]
    day: str
    """How a date is written, with the names `weekday`, `day` and `month`."""
    spoken: frozenset[str]
    """Words that are of this language and not of the other."""

    def when(self, due: str, today: date) -> str:
        """A due date as people say it."""
        text, _, at = due.partition("T")
        day = date.fromisoformat(text)
        if day - today in _NEAR:
            said = self.says[_NEAR[day - today]]
        else:
            said = self.day.format(weekday=self.weekdays[day.weekday()], day=day.day, month=self.months[day.month - 1])
            said += "" if day.year == today.year else f" {day.year}"
        return f"{said}, {at}" if at else said

    def line(self, todo: TodoView, today: date) -> str:
        """A todo as a line of a list."""
        more = [self.when(todo.due, today)] if todo.due else []
        more += [self.says[f"priority {todo.priority}"]] if todo.priority else []
        return f"{todo.number}. {todo.title}" + (f" ({', '.join(more)})" if more else "")


_NEAR = {timedelta(days=-1): "yesterday", timedelta(days=0): "today", timedelta(days=1): "tomorrow"}

ENGLISH = Language(
    says={
        "yesterday": "yesterday",
        "today": "today",
        "tomorrow": "tomorrow",
        "priority high": "high priority",
        "priority medium": "medium priority",
        "priority low": "low priority",
        "notice off": "You have switched the language model off, so the built-in assistant answers.",
        "notice user's budget": "You have used up today's share of the language model, so the built-in assistant answers.",
        "notice budget": "Today's budget for the language model is used up, so the built-in assistant answers.",
        "notice unreachable": "The language model cannot be reached just now, so the built-in assistant answers.",
        "notice slow": "The language model did not answer in time, so the built-in assistant answers.",
        "notice over its limit": "The language model is over its limit just now, so the built-in assistant answers.",
        "notice withdrawn": "The language model is not offered any more, so the built-in assistant answers.",
        "notice refused": "The language model's provider refuses the key, so the built-in assistant answers.",
        "notice broken": "The language model's answer could not be used, so the built-in assistant answers.",
        "cut": "The language model stopped answering here. What was done until then is done; say it again for the rest.",
        "too many steps": "This took too many steps, so I stopped here. What was done until then is done.",
        "slow": "This took too long, so I stopped here. What was done until then is done.",
        "stopped": "Stopped. What was done until then is done.",
        "nothing to say": "Done, as far as there was something to do.",
        "help": "I keep your list. Tell me, for example:\n{examples}",
        "examples": "• “add buy milk tomorrow at 5”\n• “what's on my list?”, or “what is due this week?”\n• “done buy milk”, or by its number, “done 1”\n• “move buy milk to Friday”, “rename 1 to buy oat milk”\n• “delete buy milk”",
        "not understood": "Sorry, I did not understand that; I only know a few phrases:\n{examples}",
        "careful": "I have changed nothing. Tell me what to do with a todo, such as “delete buy milk” or “done 1”.",
        "greet": "Hello! What would you like to do? Say “help” to see what I understand.",
        "thanks": "You are welcome!",
        "chat": "I see. I only look after your list, though: say “help” to see what I understand.",
        "add what": "What shall I add? Say, for example, “add buy milk”.",
        "add how": "I have added nothing, as I did not understand all of that. Say, for example, “add buy milk tomorrow at 5”.",
        "added": "Added “{title}” to your list{due}.",
        "due": ", due {when}",
        "there already": "“{title}” is on your list already. To change it say, for example, “move {number} to Friday”.",
        "too much": "That is a lot at once. Please say it in shorter pieces.",
        "too long": "A todo has 1 to 200 characters; this one would have {length}.",
        "gone": "That todo has just changed or disappeared. Say “list” to see what is there.",
        "empty": "Your list is empty. Say, for example, “add buy milk”.",
        "nothing left": "Nothing left to do; {done} done.",
        "open one": "You have 1 open todo:",
        "open many": "You have {count} open todos:",
        "and done": "({done} done)",
        "found": "That is on your list:",
        "none found": "There is nothing like that on your list.",
        "plan": "For today I propose:",
        "plan none": "Nothing is overdue, due today or of high priority. The day is yours.",
        "complete what": "Which todo is done? Say, for example, “done buy milk”.",
        "completed": "Well done! “{title}” is completed.",
        "done already": "“{title}” is done already.",
        "open already": "“{title}” is open already.",
        "delete what": "Which todo shall I delete? Say, for example, “delete buy milk”.",
        "deleted": "Deleted “{title}” from your list.",
        "reopened": "“{title}” is to do again.",
        "renamed": "“{before}” is now “{title}”.",
        "moved": "“{title}” is due {when} now.",
        "undated": "“{title}” has no date any more.",
        "prioritized": "“{title}” has {priority} now.",
        "unprioritized": "“{title}” has no priority any more.",
        "noted": "Noted with “{title}”: {text}",
        "note how": "To note something with a todo say, for example, “add a note to 1: ring twice”.",
        "undo": "I have changed nothing. What was done can be undone with the button beside it.",
        "no date": "I do not understand “{said}” as a date. Say, for example, “move 1 to Friday at 5”.",
        "change how": "What shall become of “{title}”? Say, for example, “move 1 to Friday”, or “rename 1 to buy oat milk”.",
        "not found": "I cannot find “{what}” on your list. Say “list” to see what is there.",
        "several": "Several todos fit “{what}”; please say which one, by its number:",
        "meant": "Did you mean “{title}”? Nothing is deleted; say “delete #{number}”.",
        "unsure": "I have changed nothing, as I did not understand all of that. Say it in fewer words, such as “done 1”, or “move 1 to Friday”:",
        "which day": "I read several days in “{what}”. Say one todo, with its day, after the other.",
        "one at a time": "I do that for one todo at a time, so that nothing is lost by a slip of the tongue. Which one?",
        "confirm": "Shall I delete these {count} todos? Nothing is deleted until you confirm it.",
        "confirm none": "There is nothing to delete.",
    },
    months=["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    weekdays=["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
    day="{weekday} {day} {month}",
    spoken=these("english"),
)
GERMAN = Language(
    says={
        "yesterday": "gestern",
        "today": "heute",
        "tomorrow": "morgen",
        "priority high": "hohe Priorität",
        "priority medium": "mittlere Priorität",
        "priority low": "niedrige Priorität",
        "notice off": "Du hast das Sprachmodell abgeschaltet, darum antwortet der eingebaute Assistent.",
        "notice user's budget": "Dein heutiger Anteil am Sprachmodell ist verbraucht, darum antwortet der eingebaute Assistent.",
        "notice budget": "Das heutige Budget für das Sprachmodell ist verbraucht, darum antwortet der eingebaute Assistent.",
        "notice unreachable": "Das Sprachmodell ist gerade nicht erreichbar, darum antwortet der eingebaute Assistent.",
        "notice slow": "Das Sprachmodell hat nicht rechtzeitig geantwortet, darum antwortet der eingebaute Assistent.",
        "notice over its limit": "Das Sprachmodell ist gerade ausgelastet, darum antwortet der eingebaute Assistent.",
        "notice withdrawn": "Das Sprachmodell wird nicht mehr angeboten, darum antwortet der eingebaute Assistent.",
        "notice refused": "Der Anbieter des Sprachmodells lehnt den Schlüssel ab, darum antwortet der eingebaute Assistent.",
        "notice broken": "Die Antwort des Sprachmodells war nicht zu gebrauchen, darum antwortet der eingebaute Assistent.",
        "cut": "Hier hat das Sprachmodell aufgehört zu antworten. Was bis dahin getan war, ist getan; sag den Rest noch einmal.",
        "too many steps": "Das waren zu viele Schritte, darum höre ich hier auf. Was bis dahin getan war, ist getan.",
        "slow": "Das hat zu lange gedauert, darum höre ich hier auf. Was bis dahin getan war, ist getan.",
        "stopped": "Angehalten. Was bis dahin getan war, ist getan.",
        "nothing to say": "Erledigt, soweit etwas zu tun war.",
        "help": "Ich führe deine Liste. Sag mir zum Beispiel:\n{examples}",
        "examples": "• „füge Milch kaufen hinzu“, „erinnere mich morgen um 17 Uhr an den Zahnarzt“\n• „was steht auf meiner Liste?“, „was ist diese Woche fällig?“\n• „Milch ist gekauft“, oder mit der Nummer: „1 erledigt“\n• „verschiebe 1 auf Freitag“, „benenne 1 um in Hafermilch kaufen“\n• „lösche Milch kaufen“",
        "not understood": "Das habe ich leider nicht verstanden; ich kenne nur einige Sätze:\n{examples}",
        "careful": "Ich habe nichts geändert. Sag mir, was mit einem Eintrag geschehen soll, etwa „lösche Milch kaufen“ oder „1 erledigt“.",
        "greet": "Hallo! Was möchtest du tun? Sag „Hilfe“, dann siehst du, was ich verstehe.",
        "thanks": "Gern geschehen!",
        "chat": "Aha. Ich führe allerdings nur deine Liste: Sag „Hilfe“, dann siehst du, was ich verstehe.",
        "add what": "Was soll auf die Liste? Sag zum Beispiel „füge Milch kaufen hinzu“.",
        "add how": "Ich habe nichts aufgeschrieben, denn ich habe nicht alles verstanden. Sag zum Beispiel „füge morgen um 17 Uhr Milch kaufen hinzu“.",
        "added": "„{title}“ steht jetzt auf deiner Liste{due}.",
        "due": ", fällig {when}",
        "there already": "„{title}“ steht schon auf deiner Liste. Ändern kannst du das zum Beispiel mit „verschiebe {number} auf Freitag“.",
        "too much": "Das ist viel auf einmal. Bitte sag es in kürzeren Stücken.",
        "too long": "Ein Eintrag hat 1 bis 200 Zeichen; dieser hätte {length}.",
        "gone": "Dieser Eintrag wurde gerade geändert oder ist nicht mehr da. Sag „Liste“, dann siehst du, was da ist.",
        "empty": "Deine Liste ist leer. Sag zum Beispiel „füge Milch kaufen hinzu“.",
        "nothing left": "Nichts mehr zu tun; {done} erledigt.",
        "open one": "Du hast 1 offenen Eintrag:",
        "open many": "Du hast {count} offene Einträge:",
        "and done": "({done} erledigt)",
        "found": "Das steht auf deiner Liste:",
        "none found": "So etwas steht nicht auf deiner Liste.",
        "plan": "Für heute schlage ich vor:",
        "plan none": "Nichts ist überfällig, heute fällig oder von hoher Priorität. Der Tag gehört dir.",
        "complete what": "Was ist erledigt? Sag zum Beispiel „Milch kaufen ist erledigt“.",
        "completed": "Sehr gut! „{title}“ ist erledigt.",
        "done already": "„{title}“ ist schon erledigt.",
        "open already": "„{title}“ ist schon offen.",
        "delete what": "Was soll ich löschen? Sag zum Beispiel „lösche Milch kaufen“.",
        "deleted": "„{title}“ ist von deiner Liste gelöscht.",
        "reopened": "„{title}“ ist wieder offen.",
        "renamed": "„{before}“ heißt jetzt „{title}“.",
        "moved": "„{title}“ ist jetzt fällig: {when}.",
        "undated": "„{title}“ hat kein Datum mehr.",
        "prioritized": "„{title}“ hat jetzt {priority}.",
        "unprioritized": "„{title}“ hat keine Priorität mehr.",
        "noted": "Bei „{title}“ ist notiert: {text}",
        "note how": "Eine Notiz zu einem Eintrag geht zum Beispiel so: „Notiz zu 1: zweimal klingeln“.",
        "undo": "Ich habe nichts geändert. Mit dem Knopf daneben lässt sich zurücknehmen, was geschehen ist.",
        "no date": "„{said}“ verstehe ich nicht als Datum. Sag zum Beispiel „verschiebe 1 auf Freitag um 17 Uhr“.",
        "change how": "Was soll aus „{title}“ werden? Sag zum Beispiel „verschiebe 1 auf Freitag“ oder „benenne 1 um in Hafermilch kaufen“.",
        "not found": "„{what}“ finde ich nicht auf deiner Liste. Sag „Liste“, dann siehst du, was da ist.",
        "several": "Mehrere Einträge passen zu „{what}“; welcher ist es? Sag bitte die Nummer:",
        "meant": "Meinst du „{title}“? Gelöscht ist nichts; sag „lösche #{number}“.",
        "unsure": "Ich habe nichts geändert, denn ich habe nicht alles verstanden. Sag es mit weniger Worten, etwa „1 erledigt“ oder „verschiebe 1 auf Freitag“:",
        "which day": "In „{what}“ lese ich mehrere Tage. Sag bitte einen Eintrag mit seinem Tag nach dem anderen.",
        "one at a time": "Das mache ich nur für einen Eintrag auf einmal, damit nichts aus Versehen verloren geht. Welcher ist es?",
        "confirm": "Soll ich diese {count} Einträge löschen? Gelöscht wird erst, wenn du das bestätigst.",
        "confirm none": "Da ist nichts zu löschen.",
    },
    months=["Jan.", "Feb.", "März", "April", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."],
    weekdays=["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"],
    day="{weekday} {day}. {month}",
    spoken=these("german"),
)


def language_of(said: str) -> Language:
    """Return the one in which a message probably is."""
    spoken = [fold(word) for word in words(said)]
    german = sum(word in GERMAN.spoken for word in spoken) + sum(bool(set(word) & set("äöüß")) for word in words(said))
    return GERMAN if german > sum(word in ENGLISH.spoken for word in spoken) else ENGLISH
