"""German."""

import re

from todo_backend.chat.phrases import Language, rules

_NOUN = r"(?:to-?dos?|aufgaben?|einträge?|eintrag|punkte?|sachen?|erinnerung(?:en)?|tasks?|notiz(?:en)?)"
_LIST = rf"(?:(?:meine[rnms]?|die|der|den|das|unsere[rnms]?|diese[rnms]?)\s+)?(?:(?:offenen?|ganzen?|gesamten?|aktuellen?)\s+)?(?:(?:to-?do|einkaufs|aufgaben)[\s-]?)?(?:listen?|{_NOUN})"
_DONE = r"(?:erledigt|fertig|abgehakt|gemacht|getan|abgeschlossen|done)"
_PRIORITY = r"(?:(?:sehr\s+)?(?:(?:hohe[rnms]?|höchste[rnms]?|hoehste[rnms]?|niedrige[rnms]?|niedrigste[rnms]?|geringe[rnms]?|mittlere[rnms]?|normale[rnms]?|keine[rnms]?|hoch|niedrig|mittel|normal)(?:\s+priorität|\s+prioritaet|\s+prio)?)|(?:sehr\s+)?(?:dringend|wichtig|eilig)(?:e[rnms]?)?|nicht\s+(?:so\s+|mehr\s+(?:so\s+)?)?(?:dringend|wichtig|eilig))"
_WHAT, _TO = "(?P<what>.+?)", "(?P<to>.+)"
_WHEN = r"(?:am|auf|bis|um|zu|zum|für|fuer|heute|morgen|übermorgen|uebermorgen|nächste|naechste|kommende|diese|in|ab|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag|jeden|eine|einen|zwei|drei)"
_PAST = (
    r"(?:angerufen|gekauft|bezahlt|gezahlt|überwiesen|ueberwiesen|gebucht|gelesen|gegossen|verlängert|verlaengert|erneuert|rausgebracht|rausgetragen|runtergebracht|weggebracht|besorgt|geholt|"
    r"abgegeben|eingereicht|abgeschickt|geschrieben|geputzt|gewaschen|repariert|bestellt|erledigt|gemacht|fertig(?:gemacht)?|abgeholt|telefoniert|gebracht|gekündigt|ausgelesen|durchgelesen|beantragt|fertiggestellt)"
)


def _stem(word: str) -> str:
    for ending in ("en", "es", "er", "em", "n", "e", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word.removesuffix(ending)
    return word


GERMAN = Language(
    rules=rules(
        help=(r"(?:hilfe|befehle)[!?]*", r"(?:was (?:kannst|können) (?:du|sie)(?: (?:alles|so|denn|eigentlich|machen|tun|für mich|fuer mich))*|wie (?:funktioniert|geht) das(?: hier)?|wer bist du|was bist du(?: eigentlich)?|was kann ich (?:hier )?(?:sagen|machen|fragen))[!?]*"),
        greet=(r"(?:hallo|hi|hey|servus|moin|grüß gott|gruess gott|grüß dich|guten (?:morgen|tag|abend)|griaß di|grüezi|na)(?: (?:du|zusammen|nochmal|wieder))*[!,.?]*", r"(?:na,?\s+)?wie geht(?:'?s|es)(?: (?:dir|ihnen|so|heute))*[?!]*"),
        thanks=(r"(?:ok(?:ay)?,?\s+|super,?\s+|ah,?\s+)?(?:danke(?:schön|schoen)?|vielen dank|dank(?:e)? dir|merci|super|toll|prima|klasse|perfekt|sehr gut|gut gemacht|passt(?: schon)?|alles klar)(?:[\s,]+(?:sehr|dir|ihnen|schön|vielmals|für (?:die|deine|ihre) hilfe|das (?:war'?s|wars|reicht)|du bist (?:der|die) beste|(?:das )?war(?:'?s| alles)|gemacht|auch))*[!.]*",),
        bulk=(
            rf"(?:lösch|loesch|entfern|streich|leer|räum)e?n?\s+(?:sie\s+)?(?:bitte\s+|mal\s+|mir\s+)*(?P<what>alles|alle(?:\s+(?:meine|die))?(?:\s+(?:erledigten?|fertigen?|abgehakten?|überfälligen?|offenen?|alten?))?(?:\s+{_NOUN})?|{_LIST}|(?:die|meine)\s+(?:erledigten?|fertigen?|überfälligen?|abgehakten?)(?:\s+{_NOUN})?)(?:\s+(?:von|aus|auf|in)\s+{_LIST})?(?:\s+(?:weg|raus|aus|leer|komplett))*[!.]*",
            rf"(?P<what>alles|alle(?:\s+(?:meine|die))?(?:\s+(?:erledigten?|fertigen?|abgehakten?|überfälligen?|offenen?))?(?:\s+{_NOUN})?|{_LIST}|(?:die|meine)\s+(?:erledigten?|fertigen?|überfälligen?)(?:\s+{_NOUN})?)\s+(?:bitte\s+)?(?:löschen|loeschen|entfernen|leeren|weg|streichen)[!.]*",
        ),
        bulk_other=(rf"(?:erledig|markier|verschieb|hak)e?\s+(?:bitte\s+)?(?:alles|alle(?:\s+{_NOUN})?)(?:\s.*)?", rf"(?:alles|alle(?:\s+{_NOUN})?)\s+.*(?:erledigt|verschieben|abhaken)[!.]*"),
        list=(
            r"(?:zeig(?:e|en)?|list(?:e|en)?|nenn(?:e|en)?|gib|sag(?:e|en)?|lies|öffne|zeigst|schau)(?:\s+(?:sie|du))?(?:\s+(?:mir|uns))?(?:\s+(?:bitte|mal|doch|einmal|kurz|schnell))*(?P<what>\s+.+)?",
            rf"(?P<what>{_LIST}(?:\s+(?:für|fuer|von|am|mit|heute|morgen|diese|nächste|bis|über)\b.*)?)(?:\s+(?:bitte|zeigen|anzeigen))*[!?]*",
            r"(?P<what>(?:was|welche[rsn]?|gibt\s+es|gibt'?s|hab(?:e)?\s+ich|wie\s+viele?|wieviele?|wann|steht|ist\s+(?:noch|heute|morgen)|muss\s+ich)\b.*)",
            r"(?P<what>(?:heute|morgen|diese woche|überfällig(?:e|es)?|erledigt(?:e|es)?|alles|offene|nächste woche|dringend(?:e|es)?)(?:\s+(?:todos?|aufgaben|sachen|liste|bitte|anzeigen|zeigen))?)[!?]*",
        ),
        undate=(
            rf"(?:lösch|loesch|entfern|nimm|streich)e?\s+(?:bitte\s+)?(?:das\s+|den\s+|die\s+)?(?:datum|termin|fälligkeit(?:sdatum)?|frist|deadline)\s+(?:von|bei|für|aus|vom)\s+{_WHAT}(?:\s+(?:weg|raus|heraus))?",
            rf"(?:bei|von|für)\s+{_WHAT}\s+(?:bitte\s+)?(?:das\s+|den\s+|die\s+)?(?:datum|termin|fälligkeit(?:sdatum)?|frist|deadline)\s+(?:weg|raus|entfernen|löschen|loeschen|wegnehmen|rausnehmen|streichen)",
            rf"{_WHAT}\s+(?:braucht|hat|soll)\s+(?:doch\s+|jetzt\s+)?(?:kein(?:e|en)?)\s+(?:datum|termin|frist|deadline|fälligkeit(?:sdatum)?)(?:\s+(?:mehr|haben))*",
            rf"kein(?:e|en)?\s+(?:datum|termin|frist|deadline)\s+(?:mehr\s+)?(?:für|bei|fuer)\s+{_WHAT}(?:\s+mehr)?",
            rf"(?:datum|termin|frist|deadline)\s+(?:bei|von|für)\s+{_WHAT}\s+(?:weg|raus|entfernen|löschen|loeschen|streichen)",
        ),
        done=(rf"(?:setz|stell|mach)(?:e|en|st)?\s+(?:sie\s+)?(?:bitte\s+|mal\s+)*{_WHAT}\s+(?:bitte\s+)?(?:auf|als)\s+{_DONE}(?:\s+bitte)?[!.]*",),
        reopen=(
            rf"(?:öffne|oeffne|reaktivier(?:e)?|mach(?:e)?)\s+(?:bitte\s+)?{_WHAT}\s+(?:wieder\s+)(?:auf|offen|unerledigt)?",
            rf"{_WHAT}\s+(?:ist|sind)\s+(?:doch\s+|noch\s+|leider\s+)*(?:nicht|no\s+nicht)\s+(?:wirklich\s+)?{_DONE}(?:,?\s+(?:bitte\s+)?wieder\s+(?:öffnen|aufmachen|auf))?",
            rf"(?:setz|stell|mach|markier|nimm|pack|hol|tu|schreib)(?:e|en)?\s+(?:sie\s+)?(?:bitte\s+)?{_WHAT}\s+(?:bitte\s+)?(?:wieder|zurück|nochmal|als\s+(?:un|nicht\s+)erledigt|auf\s+(?:un|nicht\s+)erledigt|als\s+offen|auf\s+offen)(?:\s+(?:auf|als|offen|unerledigt|rein|drauf|zurück|{_LIST}|auf\s+{_LIST}|auf\s+offen))*",
            rf"{_WHAT}\s+(?:muss|müssen|soll|sollte)\s+(?:ich\s+)?(?:doch\s+)?(?:wieder|nochmal|noch\s+(?:ein)?mal|noch)\s+(?:gemacht|erledigt|rein|auf\s+{_LIST}|offen|geöffnet|machen)(?:\s+werden)?",
            rf"{_WHAT}\s+(?:bitte\s+)?(?:wieder\s+(?:öffnen|oeffnen|aufmachen|auf(?:\s+offen)?|offen|rein|auf\s+{_LIST}|reaktivieren)|(?:doch\s+)?noch\s+offen)",
        ),
        priority=(
            rf"(?:setz|stell|änder|aender|erhöh|senk)(?:e|en)?\s+(?:sie\s+)?(?:bitte\s+)?(?:die\s+)?prio(?:rität|ritaet)?\s+(?:von|bei|für)\s+{_WHAT}\s+(?:auf|zu)\s+(?P<to>{_PRIORITY})",
            rf"(?:prio(?:rität|ritaet)?)\s+(?:von|bei|für)\s+{_WHAT}\s+(?:bitte\s+)?(?:auf|ist|=|:)?\s*(?P<to>{_PRIORITY})(?:\s+setzen|\s+stellen)?",
            rf"(?:setz|stell|mach|markier|gib|stuf)(?:e|en)?\s+(?:sie\s+)?(?:bitte\s+)?{_WHAT}\s+(?:bitte\s+)?(?:als\s+|auf\s+|mit\s+|zu\s+|eine\s+)?(?P<to>{_PRIORITY})(?:\s+(?:ein|markieren|setzen))?",
            rf"{_WHAT}\s+(?:ist|sind|hat|wird)\s+(?:jetzt\s+|echt\s+|wirklich\s+|doch\s+|mir\s+|total\s+|super\s+)*(?P<to>{_PRIORITY})",
            rf"{_WHAT}\s+(?:bitte\s+)?(?:als|auf|mit)\s+(?P<to>{_PRIORITY})(?:\s+(?:markieren|setzen|stellen|einstufen))?",
            rf"(?P<to>priorisier(?:e)?)\s+(?:bitte\s+)?{_WHAT}",
        ),
        rename=(
            rf"(?:benenn(?:e|en)?|nenn(?:e|en)?)\s+(?:sie\s+)?(?:bitte\s+)?{_WHAT}\s+(?:bitte\s+)?(?:um\s+)?(?:in|zu|nach|auf)\s+(?P<to>.+?)(?:\s+um)?",
            rf"{_WHAT}\s+(?:bitte\s+)?(?:in|zu)\s+(?P<to>.+?)\s+(?:umbenennen|ändern|aendern|umändern)",
            rf"(?:änder(?:e|n)?|aender(?:e|n)?|mach(?:e)?|korrigier(?:e)?)\s+(?:bitte\s+)?(?:aus\s+)?{_WHAT}\s+(?:in|zu|->|→)\s+(?P<to>.+?)(?:\s+um)?",
            rf"(?:mach(?:e)?)\s+(?:bitte\s+)?aus\s+{_WHAT}\s+(?:bitte\s+)?(?P<to>[“„\"'].+[”“\"']|(?!{_WHEN}\b).+)",
        ),
        change=(
            rf"(?:verschieb|schieb|verleg|vertag|änder|aender|setz|stell|leg|plan)(?:e|en|st)?\s+(?:sie\s+)?(?:bitte\s+|mal\s+|mir\s+|doch\s+)*(?:(?:das\s+|den\s+|die\s+)?(?:datum|termin|fälligkeit|frist|deadline)\s+(?:von|für|bei)\s+)?{_WHAT}\s+(?:doch\s+|bitte\s+|lieber\s+)*(?P<to>{_WHEN}\b.+|(?:heute|morgen|übermorgen))",
            rf"{_WHAT}\s+(?:bitte\s+|lieber\s+|doch\s+)*(?P<to>{_WHEN}\b.+?|(?:heute|morgen|übermorgen))\s+(?:verschieben|verlegen|vertagen|schieben|legen|setzen|machen|ändern|fällig)",
            rf"{_WHAT}\s+(?:ist|wird|muss)\s+(?:jetzt\s+|erst\s+|doch\s+|schon\s+)*(?:fällig\s+)?(?P<to>{_WHEN}\b.+?)(?:\s+(?:fällig|dran|fertig\s+sein|erledigt\s+(?:sein|werden)|gemacht\s+werden))",
            rf"{_WHAT}\s+(?:ist\s+|wird\s+)?(?:jetzt\s+|erst\s+|doch\s+|lieber\s+)+(?P<to>{_WHEN}\b.+)",
            rf"{_WHAT}\s+(?:hat|bekommt)\s+(?:zeit\s+|als\s+frist\s+)?(?:noch\s+)?(?P<to>bis\b.+?)(?:\s+zeit)?",
            rf"(?:die\s+)?(?:frist|deadline|fälligkeit)\s+(?:für|von)\s+{_WHAT}\s+(?:ist|auf)\s+{_TO}",
            rf"{_WHAT}\s+(?P<to>um\s+.+?)\s+verschieben",
        ),
        redate=(
            r"(?:verschieb|schieb|verleg|vertag|änder|aender|setz|stell|leg|mach|tu|plan|pack)(?:e|en|st)?\s+(?:sie\s+)?(?:bitte\s+|mal\s+|doch\s+)*(?P<what>.+?)(?:\s+(?:um|draus|rein))?",
            r"(?P<what>.+?)\s+(?:verschieben|verlegen|vertagen|schieben|legen|machen|ändern)",
            r"(?P<what>.+?)\s+(?:stattdessen|lieber|statt\s+.+)",
        ),
        delete=(
            rf"(?:lösch|loesch|entfern|streich|tilg|cancel)(?:e|en|st)?\s+(?:sie\s+)?(?:bitte\s+|mal\s+|mir\s+|doch\s+)*{_WHAT}(?:\s+(?:von|aus|auf)\s+{_LIST})?(?:\s+(?:weg|raus|wieder))*[!.]*",
            rf"(?:nimm|nehmen\s+sie|tu|mach|schmeiß|schmeiss|wirf|werfen\s+sie|hau)\s+(?:bitte\s+|mal\s+)*{_WHAT}\s+(?:bitte\s+)?(?:(?:von|aus)\s+{_LIST}(?:\s+(?:runter|raus|weg))?|weg|raus|runter)[!.]*",
            rf"{_WHAT}\s+(?:bitte\s+|kann\s+|können\s+|doch\s+)*(?:löschen|loeschen|entfernen|streichen|rausnehmen|weg|raus|gelöscht\s+werden|rauswerfen)(?:\s+bitte)?[!.]*",
            rf"(?:ich\s+)?(?:brauche?|will|möchte)\s+{_WHAT}\s+nicht\s+mehr(?:\s+.*)?",
            rf"{_WHAT}\s+(?:brauche?n?\s+(?:ich|wir)\s+nicht\s+mehr|hat\s+sich\s+erledigt\s+und\s+kann\s+weg|ist\s+nicht\s+mehr\s+nötig|fällt\s+(?:weg|aus))",
            rf"vergiss\s+{_WHAT}",
        ),
        complete=(
            rf"(?:markier|setz|stell|mach|hak)(?:e|en|st)?\s+(?:sie\s+)?(?:bitte\s+|mal\s+|doch\s+)*{_WHAT}\s+(?:bitte\s+)?(?:als\s+|auf\s+)?(?:{_DONE}|ab)(?:\s+markieren)?[!.]*",
            rf"(?:erledig|beend|abhak|schließ)(?:e|en)?\s+(?:bitte\s+)?{_WHAT}(?:\s+ab)?[!.]*",
            rf"{_WHAT}\s+(?:bitte\s+)?(?:abhaken|als\s+erledigt\s+(?:markieren|setzen|eintragen)|erledigt\s+setzen|abschließen)[!.]*",
            rf"(?:{_DONE})\s*[:,-]?\s+{_WHAT}[!.]*",
            rf"(?:(?:ich\s+)?(?:hab(?:e|en)?|bin)\s+(?:ich\s+|wir\s+)?(?:mit\s+)?|wir\s+haben\s+|(?:schon|grad|gerade|eben)\s+)(?P<what>.+?\s+{_PAST})(?:\s+(?:heute|schon|jetzt|gerade|eben))?[!.]*",
            r"(?:ich\s+)?(?:bin|war)\s+(?:jetzt\s+|endlich\s+|schon\s+)*(?:mit\s+)?(?P<what>.+?)\s+(?:fertig|durch)[!.]*",
            rf"(?P<what>.+?)\s+(?:habe?\s+(?:ich|wir)|haben\s+wir|ist|sind|wurde|wär|waere|wäre)\s+(?:jetzt\s+|schon\s+|endlich\s+|bereits\s+|gerade\s+|eben\s+|heute\s+|grad\s+|auch\s+|nun\s+)*(?:{_DONE}|{_PAST})(?:\s+worden)?[!.]*",
            rf"(?P<what>.+?)\s+(?:schon\s+|jetzt\s+|endlich\s+|bereits\s+)*(?:{_DONE}|{_PAST})[!.✓✅👍]*",
            rf"{_WHAT}\s*[✓✔✅☑️👍]+",
        ),
        add=(
            rf"(?:füg|fueg)(?:e|en|st)?\s+(?:sie\s+)?(?:bitte\s+|mal\s+|mir\s+|noch\s+|doch\s+)*{_WHAT}\s+(?:bitte\s+)?(?:(?:zu|zur|auf|in)\s+{_LIST}\s+)?(?:hinzu|dazu|ein|an)[!.]*",
            rf"(?:schreib|setz|pack|nimm|nehmen\s+sie|notier|trag|tu|mach|leg|stell|erstell|merk|vermerk|speicher|ergänz)(?:e|en|st)?\s+(?:sie\s+)?(?:bitte\s+|mal\s+|mir\s+|noch\s+|doch\s+|dir\s+|auch\s+)*{_WHAT}\s+(?:bitte\s+|noch\s+)?(?:auf|in|zu|zur)\s+{_LIST}(?P<more>(?:\s+(?:für|bis|am)\s+.+?)?)(?:\s+(?:dazu|drauf|ein|auf|an|hinzu))?[!.]*",
            rf"(?:neue[rsn]?|erstell(?:e|en)?|leg(?:e)?|mach(?:e)?|anlegen)\s+(?:sie\s+)?(?:bitte\s+|mir\s+|noch\s+)*(?:ein(?:e|en)?\s+)?(?:neue[rsn]?\s+)?(?:(?P<to>wichtige[rsn]?|dringende[rsn]?)\s+)?{_NOUN}(?:\s+an)?\s*(?::|,|mit\s+dem\s+titel|namens|für)?\s*(?P<what>.*)",
            r"(?:notier|schreib|merk|vermerk|trag|ergänz)(?:e|en|st)?\s+(?:sie\s+)?(?:bitte\s+|mal\s+|mir\s+|noch\s+|doch\s+|dir\s+|auf\s*)*[:,]?\s*(?P<what>.+?)(?:\s+(?:ein|auf))?",
            r"(?:erinner(?:e|n)?|erinnerst)\s+(?:sie\s+|du\s+)?(?:mich|uns)\s*(?:bitte\s+|mal\s+|doch\s+)*(?P<what>.+)",
            r"(?:nicht\s+vergessen|vergiss\s+nicht|denk(?:e)?\s+(?:bitte\s+)?dran|ich\s+darf\s+nicht\s+vergessen|bitte\s+nicht\s+vergessen)\s*[:,]?\s*(?P<what>.+)",
            r"(?P<what>.+?)\s+(?:nicht\s+vergessen|hinzufügen|hinzufuegen|dazuschreiben|notieren|aufschreiben|eintragen|dazu|auf\s+die\s+liste|auf\s+meine\s+liste)(?:\s+bitte)?[!.]*",
            r"(?:(?:ich|wir)\s+)?(?:muss|müssen|muessen|sollte[n]?|soll|brauche?n?|will|möchte|moechte)\s+(?:ich\s+|wir\s+)?(?:noch\s+|auch\s+|unbedingt\s+|dringend\s+|mal\s+|wieder\s+|bald\s+|ja\s+|äh\s+)*(?P<what>.+)",
            r"(?:bitte\s+)?(?:to-?do|aufgabe|erinnerung|notiz|neue?r?(?:\s+(?:aufgabe|eintrag|todo))?|eintragen|aufschreiben|notieren|trag\w*\s+(?:bitte\s+|mal\s+)*ein)\s*[:–-]\s*(?P<what>.+)",
            r"(?:pack|tu|setz|schreib|mach|nimm)(?:e|st)?\s+(?:bitte\s+|mal\s+|mir\s+|noch\s+|auch\s+|doch\s+)*(?P<what>.+?)\s+(?:drauf|dazu|rein|mit\s+auf)",
            r"(?:pls|please|bitte)?\s*(?:noch\s+)?(?P<what>\S.*\s(?:\w+(?:machen|kaufen|stellen|holen|rufen|bringen|schicken|geben|putzen|buchen|räumen|räumen|legen|zahlen|schreiben|waschen|prüfen|ziehen|gehen|füllen|sagen|fragen|nehmen|lesen|backen|kochen|bezahlen|ausmachen|vereinbaren|abheben|kündigen|erneuern|reinigen)))",
            r"(?:add|füge?|plus)\s*:?\s*(?P<what>.+?)(?:\s+(?:hinzu|dazu))?",
        ),
    ),
    lead=re.compile(
        r"^(?:(?:bitte|hallo|hi|hey|servus|moin|guten\s+(?:morgen|tag|abend)|ok(?:ay)?|so|also|und|ah|oh|ach(?:\s+ja)?|äh|ähm|hm+|ja|na(?:\s+gut)?|gut|super|sorry|entschuldigung|dann|jetzt|noch|achja|übrigens|mal|du|ja\s+bitte|nein|ne|grüß\s+gott)\b[\s,!.:…-]*"
        r"|(?:kannst|könntest|koenntest|würdest|wuerdest|magst|willst)\s+(?:du\b)(?:\s+(?:mir|mich|bitte|mal|eventuell|vielleicht|noch|schnell|kurz|auch))*\s*"
        r"|(?:können|könnten|koennten|würden|wuerden)\s+(?:sie\b)(?:\s+(?:mir|mich|bitte|mal|noch|auch))*\s*"
        r"|(?:ich\s+(?:möchte|moechte|würde|wuerde|hätte|haette)(?:\s+(?:gern(?:e)?|bitte|mal))*\s+(?=.+(?:löschen|verschieben|hinzufügen|sehen|umbenennen|abhaken|ändern|streichen|wissen|haben)$))"
        r"|(?:sei\s+so\s+(?:gut|nett|lieb)\s+und|lass\s+uns)\s+)+(?=\S)",
        re.IGNORECASE,
    ),
    tail=re.compile(
        r"(?:[\s,]+(?:bitte|danke(?:schön)?|vielen\s+dank|ok(?:ay)?|gell|ja|merci|lg|bitte\s+danke|wenn\s+(?:es\s+)?geht|für\s+mich|sei\s+so\s+gut|thx|mfg)|\s*(?:(?<!\d)\.|[!…])+|\s*[🙂😊🙏😀😅🎉👍😉😄❤️]+)+$",
        re.IGNORECASE,
    ),
    note=re.compile(
        rf"[\s,.;:–-]+(?:(?:bitte|kannst\s+du|könntest\s+du)\s+)*(?:erinner(?:e|n)?\s+(?:sie\s+)?mich(?:\s+(?:daran|dran|bitte))*|(?:schreib|notier|setz|pack|trag|merk)(?:e|en)?\s+(?:sie\s+)?(?:das|es|dir\s+das)?(?:\s+(?:bitte|mal))*(?:\s+(?:auf|ein|drauf|dazu|in|zu))*(?:\s+{_LIST})?|(?:schreibst|merkst|notierst|kannst)\s+du\s+(?:dir\s+)?(?:das\s+)?(?:bitte\s+|mal\s+)*(?:auf(?:schreiben)?|merken|notieren|eintragen|dazu)?(?:\s+bitte)?|bitte\s+dran\s+erinnern|schreib'?s\s+(?:\w+\s+)?auf|(?:bitte\s+)?(?:aufschreiben|notieren|eintragen|auf\s+{_LIST}|nicht\s+vergessen))(?:\s+bitte)?[.!?]*$",
        re.IGNORECASE,
    ),
    cues={
        "delete": re.compile(r"\b(?:lösch\w*|loesch\w*|gelöscht|entfern\w*|streich\w*|gestrichen|weg(?:\s+damit)?|raus\s+damit|kann\s+(?:weg|raus)|nicht\s+mehr\s+(?:nötig|gebraucht|brauche?n?)|brauche?n?\s+(?:\w+\s+)*nicht\s+mehr|runter(?:\s+von)?|rauswerfen|rausschmeißen|hat\s+sich\s+erledigt)\b", re.IGNORECASE),
        "complete": re.compile(r"\b(?:erledigt|fertig|abgehakt|abhaken|hak\w*|gemacht|geschafft|done|gekauft|angerufen|bezahlt|überwiesen|gebucht|gelesen|gegossen|verlängert|erneuert|rausgebracht|besorgt|telefoniert|abgegeben|eingereicht|abgeschickt|durch)\b|[✓✔✅☑]", re.IGNORECASE),
        "reopen": re.compile(r"\b(?:wieder\s+(?:öffnen|auf|offen|rein)|doch\s+(?:noch\s+)?nicht|noch\s+nicht|nicht\s+(?:wirklich\s+)?(?:erledigt|fertig|gemacht)|versehentlich|aus\s+versehen|zurück\s+auf)\b", re.IGNORECASE),
        "move": re.compile(r"\b(?:verschieb\w*|verschoben|verleg\w*|vertag\w*|statt|stattdessen|lieber|erst|änder\w*|aender\w*|frist|deadline|fällig|setz\w*|stell\w*|schieb\w*|geschoben|doch|später|früher|umleg\w*|mach\w*)\b", re.IGNORECASE),
        "priority": re.compile(r"\b(?:(?:nicht\s+(?:so\s+|mehr\s+)?)?(?:dringend\w*|wichtig\w*|eilig\w*)|(?:hohe|niedrige|mittlere|höchste|geringe)\w*\s+prio\w*|(?:prio\w*)\s+(?:hoch|niedrig|mittel|runter|rauf))\b", re.IGNORECASE),
        "show": re.compile(r"^(?:und\s+|so\s+|ok\s+|hey\s+|sag\s+mal,?\s+|bitte\s+|sorry,?\s+)*(?:zeig\w*|list\w*|was\b|welche\w*|wann\b|wie\s*viele?|gibt(?:'?s|\s+es)|hab\w*\s+ich|muss\s+ich|steht|nenn\w*|lies|sag\w*\s+mir|kann\s+ich\s+(?:mal\s+)?(?:sehen|die)|ist\s+(?:noch|was|heute|morgen)|was'?s|irgendwas|bin\s+ich)", re.IGNORECASE),
        "add": re.compile(r"\b(?:füg\w*|hinzu\w*|erinner\w*|notier\w*|schreib\w*|aufschreiben|merk\w*|vergess\w*|neue?r?\s+(?:aufgabe|eintrag|todo)|dazu|pack\w*|auf\s+die\s+(?:\w*liste))\b", re.IGNORECASE),
    },
    task=re.compile(
        r"\S.*\s(?:kaufen|anrufen|bezahlen|zahlen|buchen|schreiben|schicken|putzen|holen|abholen|bringen|wegbringen|besorgen|machen|waschen|reparieren|bestellen|fragen|kündigen|verlängern|erneuern|gießen|füttern|lernen|üben|vorbereiten|organisieren|planen|abgeben|ausfüllen|überweisen|backen|kochen|einkaufen|aufräumen|mähen|streichen|tauschen|wechseln|prüfen|beantworten|einladen|packen|verkaufen|lesen|ausdrucken|unterschreiben)\b",
        re.IGNORECASE,
    ),
    no_task=re.compile(
        r".*\b(?:verschieben|löschen|abhaken|umbenennen|ändern|verlegen|vertagen)$|(?:bitte\s+)?(?:verschieb|schieb|verleg|vertag|änder|aender|setz|stell|lösch|loesch|entfern|streich|benenn|markier|hak|erledig|zeig|list|was|wann|welche|wer|wie|wo|warum|hab|habe|ist|sind|soll|kann|könnte|muss\s+ich|wenn|vielleicht|es|das\s+ist|mach|mache|gib|#?\d)(?:e|en|st|t)?\b",
        re.IGNORECASE,
    ),
    edit=re.compile(r"(?:änder|aender|benenn|korrigier|mach)", re.IGNORECASE),
    command=re.compile(
        r"(?:bitte\s+)?(?:lösche?|loesche?|entferne?|streiche?|füge?|erinnere?|verschieb|verschiebe|markiere?|hake?|benenne?|zeige?|schreib|schreibe|setze?|notiere?|erledige)\b",
        re.IGNORECASE,
    ),
    careful=re.compile(
        r"^(?:soll(?:te)?\s+ich|darf\s+ich|hab(?:e)?\s+ich|muss\s+ich|wurde|ist\s+|sind\s+|hast\s+du|warum|wieso|weshalb|wie\s+(?!viel)|vielleicht|eventuell|evtl|ob\b|wenn\s+ich|falls)"
        r"|\bnicht\s+(?:löschen|loeschen|entfernen|streichen|abhaken|verschieben|ändern)|^(?:lösch|loesch|entfern|streich|verschieb|änder|markier|hak|rühr|fass)(?:e|en)?\s+(?:bitte\s+)?(?:.*\s)?(?:nicht|nichts|ja\s+nicht|kein)\b(?!\s+(?:mehr|dringend|wichtig|erledigt))",
        re.IGNORECASE,
    ),
    fillers=frozenset(
        ["der", "die", "das", "den", "dem", "des", "ein", "eine", "einen", "einem", "einer", "mein", "meine", "meinen", "meinem", "meiner", "mir", "mich", "ich", "hab", "habe", "haben", "bin", "zu", "zum", "zur", "für", "fuer", "mit", "von", "vom", "auf", "an", "am", "im", "in", "und", "es", "ist", "war", "sache", "aufgabe", "todo", "eintrag", "punkt", "nummer", "nr", "bitte", "mal", "schon", "noch", "jetzt", "endlich", "ding", "nach", "bei", "heute", "gerade", "eben", "the", "my", "a", "to", "erinnerung", "todos", "ja", "daran", "dran", "dass", "zu,"]
    ),
    stem=_stem,
    priorities=[
        (re.compile(r"\b(?:nicht|kein\w*|normal\w*)\b", re.IGNORECASE), None),
        (re.compile(r"\b(?:hoh\w*|hoch|höchst\w*|hoehst\w*|dringend\w*|wichtig\w*|eilig\w*|priorisier\w*)\b", re.IGNORECASE), "high"),
        (re.compile(r"\b(?:mittel|mittler\w*)\b", re.IGNORECASE), "medium"),
        (re.compile(r"\b(?:niedrig\w*|gering\w*)\b", re.IGNORECASE), "low"),
    ],
    says={
        "yesterday": "gestern",
        "today": "heute",
        "tomorrow": "morgen",
        "priority high": "hohe Priorität",
        "priority medium": "mittlere Priorität",
        "priority low": "niedrige Priorität",
        "help": "Ich führe deine Liste. Sag mir zum Beispiel:\n{examples}",
        "examples": "• „füge Milch kaufen hinzu“, „erinnere mich morgen um 17 Uhr an den Zahnarzt“\n• „was steht auf meiner Liste?“, „was ist diese Woche fällig?“\n• „Milch ist gekauft“, oder mit der Nummer: „1 erledigt“\n• „verschiebe 1 auf Freitag“, „benenne 1 um in Hafermilch kaufen“\n• „lösche Milch kaufen“",
        "not understood": "Das habe ich leider nicht verstanden; ich kenne nur einige Sätze:\n{examples}",
        "careful": "Ich habe nichts geändert. Sag mir, was mit einem Eintrag geschehen soll, etwa „lösche Milch kaufen“ oder „1 erledigt“.",
        "greet": "Hallo! Was möchtest du tun? Sag „Hilfe“, dann siehst du, was ich verstehe.",
        "thanks": "Gern geschehen!",
        "add what": "Was soll auf die Liste? Sag zum Beispiel „füge Milch kaufen hinzu“.",
        "added": "„{title}“ steht jetzt auf deiner Liste{due}.",
        "due": ", fällig {when}",
        "too long": "Ein Eintrag hat 1 bis 200 Zeichen; dieser hätte {length}.",
        "gone": "Dieser Eintrag wurde gerade geändert oder ist nicht mehr da. Sag „Liste“, dann siehst du, was da ist.",
        "empty": "Deine Liste ist leer. Sag zum Beispiel „füge Milch kaufen hinzu“.",
        "nothing left": "Nichts mehr zu tun; {done} erledigt.",
        "open one": "Du hast 1 offenen Eintrag:",
        "open many": "Du hast {count} offene Einträge:",
        "and done": "({done} erledigt)",
        "found": "Das steht auf deiner Liste:",
        "none found": "So etwas steht nicht auf deiner Liste.",
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
        "no date": "„{said}“ verstehe ich nicht als Datum. Sag zum Beispiel „verschiebe 1 auf Freitag um 17 Uhr“.",
        "change how": "Was soll aus „{title}“ werden? Sag zum Beispiel „verschiebe 1 auf Freitag“ oder „benenne 1 um in Hafermilch kaufen“.",
        "not found": "„{what}“ finde ich nicht auf deiner Liste. Sag „Liste“, dann siehst du, was da ist.",
        "several": "Mehrere Einträge passen zu „{what}“; welcher ist es? Sag bitte die Nummer:",
        "which day": "In „{what}“ lese ich mehrere Tage. Sag bitte einen Eintrag mit seinem Tag nach dem anderen.",
        "one at a time": "Das mache ich nur für einen Eintrag auf einmal, damit nichts aus Versehen verloren geht. Welcher ist es?",
        "confirm": "Soll ich diese {count} Einträge löschen? Gelöscht wird erst, wenn du das bestätigst.",
        "confirm none": "Da ist nichts zu löschen.",
    },
    months=["Jan.", "Feb.", "März", "April", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."],
    weekdays=["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"],
    day="{weekday} {day}. {month}",
)
