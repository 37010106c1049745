"""English."""

import re

from todo_backend.chat.phrases import Language, rules

_NOUN = r"(?:to-?dos?|tasks?|items?|reminders?|things?|entr(?:y|ies)|notes?)"
_LIST = rf"(?:(?:my|the|our|this)\s+)?(?:(?:open|current|whole|full|entire)\s+)?(?:(?:to-?do|task|shopping|todos)\s+)?(?:lists?|{_NOUN})"
_DONE = r"(?:done|completed?|finished|off|as done|ticked|checked)"
_OFF_LIST = rf"(?:\s+(?:from|off|of)\s+{_LIST})?"
_PRIORITY = r"(?:(?:very\s+)?(?:high|highest|top|low|lowest|medium|normal|no|mid)(?:[\s-]+prio(?:rity)?)?|urgent|important|not\s+(?:so\s+|that\s+)?(?:urgent|important))"
_WHAT, _TO = "(?P<what>.+?)", "(?P<to>.+)"
_PAST = (
    r"(?:called|bought|paid|payed|booked|finished|read|watered|renewed|did|got|sent|emailed|picked\s+up|took\s+out|cleaned|fixed|ordered|wrote|"
    r"phoned|rang|texted|brought|made|filed|submitted|done|returned|cancelled|scheduled|washed|replied|answered|signed|handed\s+in|turned\s+in|went)"
)


def _stem(word: str) -> str:
    word = word.removesuffix("'s").removesuffix("’s")
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word


ENGLISH = Language(
    rules=rules(
        help=(r"(?:help|commands)(?:\s+me)?[!?]*", r"(?:what can (?:you|i) (?:do|say|ask)(?: here| for me| with you)?|how does (?:this|it) work|who are you|what are you)[!?]*"),
        greet=(r"(?:hi|hello|hey|hiya|yo|good (?:morning|afternoon|evening|day))(?: there| again)?[!,.]*", r"how are you(?: (?:doing|today))*[?!]*"),
        thanks=(r"(?:ok(?:ay)?,?\s+)?(?:thanks|thank you|thx|ty|cheers|great|cool|nice|perfect|awesome|good job|well done|lovely)(?:[\s,]+(?:a lot|a bunch|very much|so much|you'?re (?:great|the best|awesome)|that'?s (?:all|it)|for (?:your|the|all your) help|job|work|one|bot|mate))*[!.]*",),
        bulk=(
            rf"(?:delete|remove|clear|erase|wipe|empty|trash|get rid of|drop)\s+(?P<what>all|everything|every\s+{_NOUN}|(?:all\s+(?:of\s+)?)?(?:(?:my|the)\s+)?(?:done|completed|finished|overdue|old)\s*(?:ones|{_NOUN})?|(?:all\s+(?:of\s+)?){_LIST}|{_LIST}|them all|the (?:lot|rest))"
            rf"(?:\s+(?:that (?:are|is)\s+)?(?P<to>done|completed|finished|overdue))?(?:\s+(?:(?:of|from|on|in|off)\s+)?(?:{_LIST}|them))?[!.]*",
        ),
        bulk_other=(
            rf"(?:complete|finish|mark|check off|tick off|check|tick|move|postpone|push|reschedule)\s+(?:all|everything|every\s+{_NOUN}|(?:all\s+(?:of\s+)?){_LIST}|{_LIST}s|them all)(?:\s.*)?",
        ),
        list=(
            rf"(?:show|list|read|view|display|give|tell|see|open|print|pull up|check)(?:\s+(?:me|us))?(?:\s+out)?(?:\s+(?:to me))?(?P<what>(?:\s+(?:all|everything|every|just|only|what))?(?:\s+(?:of|on|in|that(?:\s+is|'s)?))?(?:\s+(?:(?:my|the|our)\s+)?(?:open|done|completed|finished|overdue|late|urgent|important|high[\s-]prio(?:rity)?|current|remaining|upcoming|today'?s|tomorrow'?s|this week'?s)(?:\s+ones)?)?(?:\s+{_LIST})?(?:\s+(?:i\s+(?:still\s+)?(?:have|need|got|must)(?:\s+to\s+do)?|is\s+(?:open|left)|needs? doing))?(?:\s+.*)?)",
            rf"(?P<what>{_LIST}(?:\s+(?:for|of|due|that|with|about|containing|on|in|this|today|tomorrow)\b.*)?)[!?]*",
            r"how(?:'s|\s+does|\s+is|\s+do)?\s+(?P<what>(?:my|the|our|this)?\s*(?:day|week|weekend|today|tomorrow|list|next\s+week|agenda|schedule)\b.*?)(?:\s+look(?:ing)?(?:\s+like)?)?[?!]*",
            r"(?:find|search|search\s+for|look\s+for|look\s+up|where\s+is)\s+(?P<what>.+)",
            r"(?P<what>(?:do|did|have|am|is|are)\s+(?:i|there|we)\b.*\b(?:anything|something|behind|any)\b.*)",
            r"(?P<what>(?:what|wots?|what've|which|anything|something|is there anything|are there any|do i have|have i got|how many|whats|when|where)\b.*)",
            r"(?P<what>(?:todays?|tomorrow|this week|overdue|late|done|completed|everything|all|next week|agenda|status|urgent|open)(?:'?s)?(?:\s+(?:todos?|tasks?|list|agenda|please|ones|stuff))?(?:\s+and\s+.+)?)[!?]*",
        ),
        undate=(
            rf"(?:remove|delete|clear|drop|take\s+(?:away|off)|lose|cancel|unset)\s+(?:the\s+)?(?:due\s*date|date|deadline|due)\s+(?:from|of|for|on)\s+{_WHAT}",
            rf"(?:take|remove)\s+(?:the\s+)?(?:date|deadline|due\s*date)\s+(?:off|away from|from)\s+{_WHAT}",
            rf"(?:there'?s\s+)?no\s+(?:more\s+)?(?:due\s*date|deadline|date|hurry|rush)\s+(?:for|on|with)\s+{_WHAT}(?:\s+(?:any\s?more|any longer))?",
            rf"{_WHAT}\s+(?:has\s+no|doesn'?t\s+(?:have|need)\s+a|does\s+not\s+need\s+a|needs\s+no|without\s+a)\s*(?:due\s*date|deadline|date)(?:\s+(?:any\s?more|any longer))?",
            rf"(?:make|set)\s+{_WHAT}\s+(?:undated|someday|without\s+(?:a\s+)?(?:due\s*)?date|to\s+no\s+(?:due\s*)?date)",
        ),
        reopen=(
            rf"(?:reopen|re-open|uncheck|untick|unmark|uncomplete|restore|undo|reactivate|bring back|un-?do)\s+{_WHAT}",
            rf"(?:mark|set|put|make)\s+{_WHAT}\s+(?:as\s+|to\s+|back\s+to\s+)?(?:not\s+(?:done|completed?|finished)|undone|open|todo|to\s+do|incomplete|unfinished|active)(?:\s+again)?",
            rf"{_WHAT}\s+(?:is|are|was)(?:n'?t|\s+not)\s+(?:actually\s+|really\s+)?(?:done|finished|completed?)(?:\s+(?:yet|after all))?(?:,?\s+(?:please\s+)?(?:reopen|open)(?:\s+(?:it|that))?(?:\s+again)?)?",
            rf"(?:put|move|get|bring)\s+{_WHAT}\s+back(?:\s+(?:on|onto|to|in)\s+{_LIST})?(?:\s+again)?",
            rf"(?:i\s+)?(?:need|have)\s+to\s+{_WHAT}\s+again",
            rf"open\s+{_WHAT}\s+(?:again|back up)",
        ),
        priority=(
            rf"(?:set|change|put|raise|lower|update|bump|make|mark|give)\s+(?:the\s+)?(?:prio(?:rity)?)\s+(?:of|for|on)\s+{_WHAT}\s+(?:up\s+|down\s+)?(?:to|as|at)\s+(?P<to>{_PRIORITY})",
            rf"(?:set|make|mark|give|change|flag|put|raise|lower|bump|move|label)\s+{_WHAT}\s+(?:a\s+|up\s+|down\s+)?(?:to\s+|as\s+|at\s+|on\s+|is\s+)?(?:be\s+)?(?:a\s+)?(?P<to>{_PRIORITY})",
            rf"(?P<to>prioriti[sz]e)\s+{_WHAT}",
            rf"{_WHAT}\s+(?:is|are|should\s+be|can\s+be|needs\s+to\s+be)\s+(?:now\s+|really\s+|very\s+|super\s+|a\s+)?(?P<to>{_PRIORITY})(?:\s+now)?",
            rf"{_WHAT}[:,]?\s+(?P<to>(?:high|low|medium|no)[\s-]+prio(?:rity)?)",
        ),
        rename=(
            rf"(?:rename|reword|retitle)\s+{_WHAT}\s+(?:to|into|as|in|->|→|=>)\s+{_TO}",
            rf"{_WHAT}\s+(?:should|needs\s+to|must)\s+(?:say|read|be\s+called|be\s+named)\s+{_TO}",
            rf"(?:call|name)\s+{_WHAT}\s+(?:instead\s+)?[“\"'‘](?P<to>[^”\"'’]+)[”\"'’](?:\s+instead)?",
        ),
        change=(
            rf"(?:move|postpone|reschedule|re-schedule|push(?:\s+back)?|shift|delay|defer|bring\s+forward|extend)\s+{_WHAT}\s+(?:back\s+|forward\s+|out\s+|over\s+|along\s+)?(?P<to>(?:by|to|till|til|until|for|on|from)\s+.+|a\s+(?:day|week|month|bit)\b.*|(?:today|tomorrow|next|this|one|two)\b.*)",
            rf"(?:set|change|update|make|put)\s+(?:the\s+)?(?:due\s*date|date|deadline|time)\s+(?:of|for|on)\s+{_WHAT}\s+(?:to|as|for|on|is)\s+{_TO}",
            rf"(?:the\s+)?(?:due\s*date|deadline|date)\s+(?:of|for)\s+{_WHAT}\s+(?:is|should be|has (?:moved|changed) to)\s+{_TO}",
            rf"(?:give|add)\s+(?:a\s+)?(?:due\s*date|deadline)\s+(?:of\s+)?(?P<to>.+?)\s+(?:to|for)\s+{_WHAT}",
            rf"(?:change|edit|update|correct|turn|set|make|schedule|fix)\s+{_WHAT}\s+(?P<to>(?:due\s+)?(?:to|into|for|on|by|->|→|=>|due)\s+.+)",
            rf"(?:make|do|move|set)\s+{_WHAT}\s+(?P<to>(?:next\s+)?(?:today|tomorrow|tonight|monday|tuesday|wednesday|thursday|friday|saturday|sunday|next)\b.*?)(?:\s+instead)?",
            rf"(?:schedule|plan)\s+{_WHAT}\s+(?P<to>(?:for|on|at|to)\s+.+)",
            rf"{_WHAT}\s+(?:is|are)\s+(?:now\s+)?(?:due|moved|postponed|scheduled)\s+(?P<to>.+)",
            rf"{_WHAT}\s+(?:needs|has|have)\s+to\s+be\s+done\s+(?P<to>.+)",
            rf"(?:i'?ll|i will|let'?s|i'?d rather|we can)\s+(?:do\s+)?{_WHAT}\s+(?P<to>(?:on|at|by|next|this|tomorrow|in|later)\b.+?)(?:\s+instead)",
            rf"{_WHAT}\s+(?P<to>(?:on|at|by|next|tomorrow|to|in)\b.+?)\s+instead",
        ),
        redate=(
            r"(?:move|make|set|put|do|reschedule|postpone|push|shift|change|delay|schedule|shove|bump)\s+(?P<what>.+)",
            r"(?P<what>.+?)\s+(?:instead|rather\s+than)(?:\s+(?:of|than)?\s*.*)?",
            r"(?P<what>.+?)\s+(?:should|could|can|must|needs\s+to|has\s+to)\s+be\s+(?:moved|done|on|by|due).+",
        ),
        delete=(
            rf"(?:please\s+)?(?:delete|del|rm|remove|erase|drop(?!\s+off)|cancel|scrap|trash|get\s+rid\s+of|kill|ditch|strike|scratch|discard|bin|throw\s+out|clear)\s+{_WHAT}{_OFF_LIST}[!.]*",
            rf"(?:take|cross|kick|strike)\s+{_WHAT}\s+(?:off|from)\s+{_LIST}[!.]*",
            rf"(?:i|we)\s+(?:don'?t|do\s+not|no\s+longer)\s+(?:need|want|have)(?:\s+to)?\s+{_WHAT}(?:\s+(?:any\s?more|any\s+longer|on\s+{_LIST}))+",
            rf"(?:i|we)\s+no\s+longer\s+(?:need|want|have)(?:\s+to)?\s+{_WHAT}",
            rf"(?:never\s?mind|forget)\s+(?:about\s+)?{_WHAT}",
            rf"{_WHAT}\s+(?:can|should)\s+(?:go|be\s+(?:deleted|removed))(?:\s+(?:now|away))?[!.]*",
            rf"{_WHAT}\s+(?:is|are)\s+(?:no\s+longer|not)\s+(?:needed|necessary|relevant)(?:\s+any\s?more)?",
        ),
        complete=(
            rf"(?:mark|set|check|tick|cross|strike|flag|close)\s+{_WHAT}\s+(?:as\s+|to\s+|off\s+as\s+)?{_DONE}[!.]*",
            rf"(?:mark|set|flag)\s+(?:as\s+)?{_DONE}\s*:?\s+{_WHAT}",
            rf"(?:check|tick|cross|strike|scratch)(?:\s+off|\s+out)?\s+{_WHAT}(?:\s+(?:off|from)(?:\s+{_LIST})?)?[!.]*",
            rf"{_WHAT}\s*(?:[:,-]\s*)?(?:is|are|was|were|has\s+been|got|'s|’s)?\s+(?:now\s+|all\s+|finally\s+|already\s+|been\s+)?(?:done|completed?|finished|sorted|taken\s+care\s+of|bought|paid|called|booked|renewed|watered|read)(?:\s+(?:now|already|today|at\s+last|too|as\s+well|yay))*[!.]*",
            rf"close\s+{_WHAT}",
            r"(?:tick|check|done|mark\s+(?:it|that)\s+done)(?P<what>)",
            rf"{_WHAT}\s*[✓✔✅☑️👍]+(?:\s*{_DONE})?",
            r"(?P<what>that)'?s\s+(?:now\s+|all\s+)?(?:done|sorted|finished|taken\s+care\s+of|completed?)",
            rf"[✓✔✅☑️]+\s*{_WHAT}",
            r"(?:i\s*(?:'ve|’ve|have|am|'m|’m)?\s*|we\s*(?:'ve|’ve|have)?\s*)?(?:just\s+|already\s+|finally\s+|now\s+)*(?:did|done|completed?|finish(?:ed)?|am\s+done|through)(?:\s+(?:with|off))?\b\s*:?\s*(?P<what>.*?)(?:\s+(?:today|this\s+morning|now|already|just\s+now|last\s+night|earlier|yesterday))?[!.]*",
            rf"(?:i\s*(?:'ve|’ve|have)?\s*|we\s*(?:'ve|’ve|have)?\s*|just\s+|finally\s+|already\s+)(?:just\s+|already\s+|finally\s+|now\s+)*(?P<what>{_PAST}\s+.+?)(?:\s+(?:today|this\s+morning|now|already|just\s+now|last\s+night|earlier|yesterday))?[!.]*",
            r"(?P<what>(?:called|bought|got|paid|booked|watered|renewed|finished)\s+.+?)(?:\s+(?:today|this\s+morning|now|already|just\s+now|last\s+night|earlier|yesterday))?[!.]*",
        ),
        add=(
            r"(?:to-?do|task|reminder|note(?:\s+to\s+self)?)\s*[:\-]\s*(?P<what>.+)",
            r"(?:add|new)(?:\s+(?:task|todo|item|one|entry))?\s*[:–-]\s*(?P<what>.+)",
            rf"(?:add|create|new|put|make|insert|enter|include|log|set\s+up|open)\s+(?:me\s+)?(?:(?:a|an|another|the|one\s+more)\s+)?(?:new\s+)?(?:(?P<to>high|low|medium|urgent|important)(?:[\s-]+prio(?:rity)?)?\s+)?{_NOUN}\b(?:\s+(?:to|on|in)\s+{_LIST})?(?:\s*:|\s+to\b|\s+called\b|\s+named\b|\s+that\s+says\b|\s+for\b|\s+saying\b)?\s*(?P<what>.*)",
            rf"(?:add|put|write|jot|note|stick|throw|get|pop|place|include)(?:\s*:\s*|\s+(?:down\s+)?){_WHAT}\s+(?:to|on|onto|in|into|down on)\s+{_LIST}(?P<more>(?:\s+(?:for|by|on|due)\s+.+)?)",
            r"(?:add|put|create|jot\s+down|write\s+down|note\s+down|note|take\s+down|write)\b\s*:?\s*(?P<what>.*)",
            r"(?:remind\s+me|set\s+(?:a\s+)?reminder|reminder)[,:]?\s*(?:to|about|of|that|for|:)?\s+(?P<what>.+)",
            r"(?:(?:i\s+)?(?:must\s+|mustn'?t\s+(?=forget)|can'?t\s+(?=forget))?(?:forget(?=\s)|remember|don'?t\s+forget|do\s+not\s+forget|dont\s+let\s+me\s+forget|don'?t\s+let\s+me\s+forget|make\s+sure)(?:\s+(?:to|about|that\s+i|i))?)\s+(?P<what>.+)",
            r"(?:(?:oh\s+|also\s+|and\s+|btw\s+)*(?:i|we)(?:'ve|’ve|\s+have)?(?:\s+(?:also|still|really))*\s+(?:need(?:\s+to)?|have\s+to|want\s+to|must|should|ought\s+to|got\s+to|gotta|wanna|gotta\s+remember\s+to|'ll\s+need(?:\s+to)?))\s+(?P<what>.+)",
            r"(?:need\s+to|have\s+to|must|gotta|got\s+to)\s+(?P<what>.+)",
            r"(?:to-?do|task|reminder|note(?:\s+to\s+self)?)\s*[:\-]\s*(?P<what>.+)",
        ),
    ),
    lead=re.compile(
        r"^(?:(?:please\s+(?:to|do)|please|pls|plz|hey|hi|hello|ok|okay|so|oh|um|uhm|uh|well|and|also|now|right|alright|actually|sorry|yes|yeah|yep|no|hm+|btw|good\s+morning|morning|wait|then|quick|just|kindly|thanks|finally|ugh|erm|okay|hey\s+there|hi\s+there)\b[\s,!.:…-]*"
        r"|(?:can|could|would|will|may)\s+(?:you|i|we)\b[\s,]*(?:please|pls|maybe|kindly|just|also|quickly)?\s*"
        r"|(?:i(?:'d|’d|\s+would)?\s+(?:like|love|want|need)(?:\s+you)?\s+to)\s+(?=(?:add|delete|remove|move|rename|change|postpone|mark|see|show|list|create|put|reschedule|know|cancel|check|reopen|set)\b)"
        r"|(?:let'?s|lets|go\s+ahead\s+and|i\s+think\s+(?:you\s+can|we\s+can)|you\s+(?:can|may|could)(?:\s+now)?|could\s+u|can\s+u|would\s+you\s+mind|do\s+me\s+a\s+favou?r\s+and)\s+)+(?=\S)",
        re.IGNORECASE,
    ),
    tail=re.compile(
        r"(?:[\s,]+(?:please|pls|plz|thanks|thank\s+you|thx|ty|cheers|for\s+me|will\s+you|ok(?:ay)?|mate|dear|lol|haha|asap\s+please|if\s+you\s+can|would\s+you|now\s+please|thanks\s+a\s+lot|too|bye|pal|love|btw|will\s+ya|wid\s+ye)|\s*[.?!]\s*(?:thanks?|thank\s+you|cheers)(?:\s+(?:kindly|so\s+much|very\s+much|a\s+lot|in\s+advance))?|\s*(?:(?<!\d)\.|[!…])+|\s*[🙂😊🙏😀😅🎉👍😉😄❤️]+)+$",
        re.IGNORECASE,
    ),
    note=re.compile(
        rf"[\s,.;:–-]+(?:(?:please|pls|can\s+(?:you|u)|could\s+you|so)\s+)*(?:remind\s+me(?:\s+(?:of|about)\s+(?:it|that))?|(?:add|put|note|write|get|stick|jot)\s+(?:it|that|this)(?:\s+(?:on|down|to|in|onto|somewhere|there))*(?:\s+{_LIST})?(?:\s+somewhere)?|(?:on|to)\s+{_LIST})(?:\s+please)?[.!?]*$",
        re.IGNORECASE,
    ),
    cues={
        "delete": re.compile(r"\b(?:delete|del|remove|erase|scrap|trash|bin\s+(?:it|that|the)|ditch|get\s+rid\s+of|kick\s+it|throw\s+(?:it\s+)?out|(?:can|should)\s+go\b|no\s+longer\s+(?:need|want)|don'?t\s+(?:need|want)\b|not\s+(?:needed|going)|drop\s+(?:it|the|that)\b|nuke|forget\s+about|lose\s+(?:the|it))", re.IGNORECASE),
        "complete": re.compile(r"\b(?:done|finished|completed?|sorted|ticked?|tick|check(?:ed)?\s+off|cross(?:ed)?|off\s+(?:my|the)\s+(?:plate|list)|bought|paid|called|booked|renewed|watered|took\s+care|taken\s+care|in\s+the\s+bag|wrapped|handled|got\s+(?:it|the)|spoke\s+(?:to|with)|talked\s+to|rang|phoned|submitted|filed)\b|[✓✔✅☑]", re.IGNORECASE),
        "reopen": re.compile(r"\b(?:reopen|re-open|untick|uncheck|undo|bring\s+back|not\s+(?:actually\s+|really\s+)?(?:done|finished)|isn'?t\s+(?:done|finished)|back\s+on|again\s+after\s+all|mistake|by\s+accident|accidentally)\b", re.IGNORECASE),
        "move": re.compile(r"\b(?:move[ds]?|postponed?|push(?:ed)?|reschedule[ds]?|shift(?:ed)?|delay(?:ed)?|instead|rather|make\s+(?:it|that|the)|change[ds]?|deadline|due|set|give\s+(?:me|it)|until|til|till|later|earlier|put\s+(?:it|the|off)|bump(?:ed)?)\b", re.IGNORECASE),
        "priority": re.compile(r"\b(?:(?:very\s+)?(?:urgent|important)|(?:high|top|low|medium|highest|lowest)(?:[\s-]+prio\w*)?|no\s+(?:rush|hurry)|priorit(?:y|ise|ize))\b", re.IGNORECASE),
        "show": re.compile(r"^(?:hey\s+|so\s+|ok\s+|and\s+|sorry,?\s+|just\s+|please\s+|kindly\s+)*(?:can\s+(?:i|you)\s+|could\s+(?:i|you)\s+|let\s+me\s+|i\s+want\s+to\s+|i'?d\s+like\s+to\s+)?(?:show|list|see|display|what(?:'s|’s|s|\s+is|\s+are|'ve)?|wots?|which|when(?:'s)?|where|how\s+many|give\s+me|tell\s+me|read\s+(?:me|out)|remind\s+me,?\s+(?:what|when|which)|anything|is\s+there|are\s+there|do\s+i|did\s+i|have\s+i|am\s+i|any\b)", re.IGNORECASE),
        "add": re.compile(r"\b(?:add|new\s+(?:task|todo|item)|remind|put\b.*\b(?:list|down)|note|jot|write\s+down|remember|forget\s+to|don'?t\s+let)\b", re.IGNORECASE),
    },
    task=re.compile(
        r"(?:buy|call|phone|ring|email|e-mail|mail|text|message|pay|book|send|write|clean|tidy|fix|repair|order|pick\s+up|collect|get|take|bring|return|print|sign|study|learn|prepare|prep|wash|iron|cook|bake|plan|visit|ask|tell|submit|renew|water|feed|walk|replace|install|upgrade|bump|deploy|review|test|charge|refill|apply|register|research|compare|look\s+(?:up|into|for)|organi[sz]e|sort\s+out|defrost|mow|paint|sew|practi[sc]e|reply|answer|invite|thank|wrap|pack|sell|cut|drop\s+off|hand\s+in|post|measure|plant|prune)\s+\S",
        re.IGNORECASE,
    ),
    no_task=re.compile(
        r"(?:please\s+)?(?:move|postpone|reschedule|push|shift|delay|set|change|update|rename|make|mark|delete|del|remove|cancel|complete|finish|done|check|tick|cross|reopen|undo|show|list|what|whats|what've|wots|when|which|who|how|where|why|did|do|does|am|is|are|was|have\s+i|can|could|should|would|will|if|maybe|it|that|this|i\s+want\s+\w+\s+(?:done|finished)|give|raise|lower|drop\s+(?!off)|no\s+\d|number|#?\d)\b",
        re.IGNORECASE,
    ),
    edit=re.compile(r"(?:change|edit|update|correct|turn|fix|rename)\b", re.IGNORECASE),
    command=re.compile(
        r"(?:please\s+)?(?:add|delete|remove|mark|complete|rename|postpone|reschedule|reopen|move|drop\s+it|make\s+it|show|list|check\s+off|tick\s+off|cross\s+off|cancel\s+(?=number|#|\d)|remind\s+me|set|change|push)\b",
        re.IGNORECASE,
    ),
    careful=re.compile(
        r"^(?:please\s+)?(?:do\s+not|don'?t|dont|never)\s+(?!forget|let\s+me\s+forget|need)|^(?:(?:i|we)\s+(?:haven'?t|have\s+not|didn'?t|did\s+not|won'?t|will\s+not)\b|email\s+my\s+list|should|shall|may|did|have(?!\s+to)|has|do|does|is|are|was|were|am|why|how\s+(?!many)|would\s+it|if|what\s+(?:if|happens|would\s+happen)|maybe|perhaps|i\s+might|i\s+may|i\s+was\s+thinking|i'?m\s+thinking)\b",
        re.IGNORECASE,
    ),
    fillers=frozenset(
        ["the", "my", "a", "an", "to", "for", "of", "with", "about", "that", "this", "it", "one", "thing", "stuff", "item", "task", "todo", "to-do", "reminder", "number", "no", "entry", "please", "on", "at", "and", "in", "from", "our", "your", "all", "off", "up", "his", "her", "is", "was", "concerning", "regarding", "which", "says", "called", "✓", "✔", "✅", "☑", "👍", "i", "i've", "ive", "just", "task's", "job", "business", "bit"]
    ),
    stem=_stem,
    priorities=[
        (re.compile(r"\b(?:not|no)\s+(?:so\s+|that\s+|longer\s+)?(?:urgent|important)|\b(?:no|normal)\b(?:\s+prio(?:rity)?)?", re.IGNORECASE), None),
        (re.compile(r"\b(?:high|highest|top|urgent|important|prioriti[sz]e)\b", re.IGNORECASE), "high"),
        (re.compile(r"\b(?:medium|mid)\b", re.IGNORECASE), "medium"),
        (re.compile(r"\b(?:low|lowest)\b", re.IGNORECASE), "low"),
    ],
    says={
        "yesterday": "yesterday",
        "today": "today",
        "tomorrow": "tomorrow",
        "priority high": "high priority",
        "priority medium": "medium priority",
        "priority low": "low priority",
        "help": "I keep your list. Tell me, for example:\n{examples}",
        "examples": "• “add buy milk tomorrow at 5”\n• “what's on my list?”, or “what is due this week?”\n• “done buy milk”, or by its number, “done 1”\n• “move buy milk to Friday”, “rename 1 to buy oat milk”\n• “delete buy milk”",
        "not understood": "Sorry, I did not understand that; I only know a few phrases:\n{examples}",
        "careful": "I have changed nothing. Tell me what to do with a todo, such as “delete buy milk” or “done 1”.",
        "greet": "Hello! What would you like to do? Say “help” to see what I understand.",
        "thanks": "You are welcome!",
        "add what": "What shall I add? Say, for example, “add buy milk”.",
        "added": "Added “{title}” to your list{due}.",
        "due": ", due {when}",
        "too long": "A todo has 1 to 200 characters; this one would have {length}.",
        "gone": "That todo has just changed or disappeared. Say “list” to see what is there.",
        "empty": "Your list is empty. Say, for example, “add buy milk”.",
        "nothing left": "Nothing left to do; {done} done.",
        "open one": "You have 1 open todo:",
        "open many": "You have {count} open todos:",
        "and done": "({done} done)",
        "found": "That is on your list:",
        "none found": "There is nothing like that on your list.",
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
        "no date": "I do not understand “{said}” as a date. Say, for example, “move 1 to Friday at 5”.",
        "change how": "What shall become of “{title}”? Say, for example, “move 1 to Friday”, or “rename 1 to buy oat milk”.",
        "not found": "I cannot find “{what}” on your list. Say “list” to see what is there.",
        "several": "Several todos fit “{what}”; please say which one, by its number:",
        "which day": "I read several days in “{what}”. Say one todo, with its day, after the other.",
        "one at a time": "I do that for one todo at a time, so that nothing is lost by a slip of the tongue. Which one?",
        "confirm": "Shall I delete these {count} todos? Nothing is deleted until you confirm it.",
        "confirm none": "There is nothing to delete.",
    },
    months=["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    weekdays=["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
    day="{weekday} {day} {month}",
)
