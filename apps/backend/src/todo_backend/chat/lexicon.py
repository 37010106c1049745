"""Everyday words, English and German: what means the same, what says nothing, what has been done. All are folded."""

from todo_backend.chat.cues import fold

_SAME = """
buy buying bought get getting got purchase purchased grab pick kaufen kauf kaufe kaufst gekauft besorgen besorgt holen geholt einkaufen eingekauft
pay paying paid payed bezahlen bezahle bezahlt zahlen zahle gezahlt überweisen überwiesen
call calling called calls ruf rufe angerufen phone phoned phoning ring rang ringing anrufen anruf angerufen telefonieren telefoniert anrufe rufe
book booking booked buchen buche gebucht reservieren reserviert reserve
finish finishing finished fertigmachen fertigstellen
read reading lesen lese gelesen ausgelesen durchgelesen weiterlesen
water watering watered gießen giessen gieße gegossen
renew renewing renewed renewal erneuern erneuert verlängern verlaengern verlängert verlaengert
write writing wrote written schreiben schreibe geschrieben
send sending sent schicken geschickt abschicken abgeschickt senden gesendet
clean cleaning cleaned putzen putze geputzt saubermachen aufräumen aufgeräumt
wash washing washed waschen gewaschen
fix fixing fixed repair repaired reparieren repariert
order ordering ordered bestellen bestellt
mum mom mother mummy mommy mama mami mutti mutter
dad father daddy papa papi vater
grandma granny grandmother nan oma omi großmutter
grandpa grandfather opa großvater
dentist zahnarzt zahnärztin zahnarzttermin zahnarzttermine
doctor gp arzt ärztin arzttermin hausarzt
gift gifts present presents geschenk geschenke
rubbish trash garbage bin bins waste müll muell mull abfall
takeout rausbringen rausgebracht rausbringe rausgetragen runterbringen runtergebracht rausstellen rausgestellt raustragen
milk milch
bread brot
rent miete
flight flights flug flüge
lisbon lissabon
tax taxes steuer steuern steuererklärung steuererklaerung
plant plants flowers blumengießen pflanze pflanzen blumen
passport reisepass pass ausweis personalausweis
plumber klempner klempnerin installateur
car auto wagen
book books buch bücher
letter brief
bill bills rechnung rechnungen
insurance versicherung
birthday geburtstag
groceries shopping einkauf einkäufe lebensmittel
laundry wäsche
dog hund
cat katze
meeting besprechung termin
"""


def _folded(text: str) -> frozenset[str]:
    return frozenset(fold(word) for word in text.split())


SAME = {fold(word): fold(line.split()[0]) for line in _SAME.strip().splitlines() for word in line.split()}
"""Words by which the same todo is meant: other forms of a word, and everyday words in the other language."""
FILLERS = _folded(
    "the my a an to for of with about that this it one ones thing things stuff item task tasks todo todos reminder number no nr entry please on "
    "at and in from our your all off up out his her is was are be been has have had concerning regarding which says called i ive im we weve just job "
    "business bit already finally now yet too also so oh ok well then there you u can may could would me mine its thats today yesterday this "
    "morning earlier really some any back again finally list as by into onto whole both do did does got get please pls its whats whens "
    "been being will if not dear actually today s t n items entries notes reminders more anymore any after hmm hm um uh ah pls plz lol date deadline due "
    "ill her him them she he need needs want still us we way lot bit bits till until by when what ones i m re ve need d "
    "der die das den dem des ein eine einen einem einer mein meine meinen meinem meiner mir mich ich hab habe haben hat bin zu zum zur für mit "
    "von vom auf an am im in und es ist war sind sache sachen aufgabe eintrag punkt nummer bitte mal schon noch jetzt endlich ding nach bei beim "
    "heute gerade eben grad ja daran dran dass doch so wir i is a no nu da dir du sie ihr wieder nochmal kannst kann man also halt dann "
    "day days week weeks month months tag tage woche wochen monat monate ma des dat ner nem nen ne wegen um bis ab liste meine unser unsere wurde worden werden wird eh aus raus rein weg "
    "datum termin frist fällig brauch brauche müssen muss kann hm äh öh mehr nix alles sowieso ganz wirklich "
    "können könnte kannste koennt nur erst echt gar lassen lass nem btw rn last night abend früh it that this them they those these one both beide "
    "beides alle es ihn dies diese dieses ihm jene em schaff schaffe krieg kriege hin tbh enough nimm nehmen setz setze stell stelle tu pack packe gern gerne einfach auch sorry sondern außerdem"
)
"""Words that say nothing about which todo is meant."""
PREPOSITIONS = _folded(
    "for of to from with about the a an my our your his her für von vom nach mit an zu zum zur bei beim am der die das den dem des ein eine einen "
    "einem einer mein meine meinen meinem meiner"
)
"""Those of them that tie a word to the next one."""
PRONOUNS = _folded(
    "it that this them they those these one daran dran darum es das ihn sie den die der dies diese dieses ihm jene both all beide beides alle alles em des"
)
DAYS = _folded(
    "monday tuesday wednesday thursday friday saturday sunday today tomorrow tonight yesterday weekend montag dienstag mittwoch donnerstag freitag "
    "samstag sonntag heute übermorgen wochenende january february august september october november december januar februar oktober dezember "
    "tues weds thurs tmrw uhr oclock"
)
PAST = _folded(
    "called bought paid payed booked finished read watered renewed did got sent emailed cleaned fixed ordered wrote phoned rang texted brought "
    "made filed submitted done returned cancelled washed replied answered signed picked taken took handed turned spoken spoke talked completed "
    "sorted handled bagged purchased posted mailed settled scheduled arranged collected fetched wrapped "
    "angerufen gekauft bezahlt gezahlt überwiesen gebucht gelesen gegossen verlängert erneuert rausgebracht rausgetragen runtergebracht weggebracht "
    "besorgt geholt abgegeben eingereicht abgeschickt geschrieben geputzt gewaschen repariert bestellt erledigt gemacht fertiggemacht abgeholt "
    "telefoniert gebracht gekündigt ausgelesen durchgelesen beantragt fertiggestellt abgehakt gesprochen ausgelesn eingekauft reserviert angrufn "
    "kauft glesn gossn zahlt fertig rausgestellt runtergetragen verpackt eingepackt abgesendet"
)
"""Forms that say that something has been done."""
UNDONE = _folded(
    "be will must should needs need muss müssen soll sollte sollten werden wird würde not never havent hasnt didnt isnt wasnt wont cant nicht nie kein keine "
    "nimmer ned net if when wenn falls told says said sagt"
)
"""Words with which something has not been done, or not by the user."""
STATEMENTS = _folded(
    "is are was were been feel felt had has got said says know think believe its were theres whats isnt wasnt arent havent hasnt "
    "bin war waren ist sind hatte hatten wurde glaub glaube weiss denke finde geht ging kommt kam hab habe hat heisst klingt wird"
)
"""Words of sentences that tell something, and give nothing to do."""
CONJUNCTIONS = _folded("bc bcs bcoz but because since cos cause cuz although though aber weil denn drum deshalb obwohl damit sonst")
SUBJECTS = _folded("i we you u thats that ill it he she ive id cross can could please tick delete")
"""What follows a “so” that begins a clause."""
ABBREVIATIONS = _folded("no nr mr mrs ms dr prof st fa tel ca str inkl bzw vs approx dept fr hr frl usw etc z b d h u a")
NUMBER_WORDS = _folded("number nr num nummer no# todo task item aufgabe eintrag punkt id")
NUMBERS = {
    fold(word): number
    for words in (
        "one two three four five six seven eight nine ten eleven twelve",
        "eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth",
        "1st 2nd 3rd 4th 5th 6th 7th 8th 9th 10th 11th 12th",
        "erste zweite dritte vierte fünfte sechste siebte achte neunte zehnte elfte zwölfte",
        "ersten zweiten dritten vierten fünften sechsten siebten achten neunten zehnten elften zwölften",
    )
    for number, word in enumerate(words.split(), 1)
}
ENGLISH_VERBS = _folded(
    "buy call phone ring email mail text message pay book send write clean tidy fix repair order pick collect get take return print sign study "
    "learn prepare prep wash iron cook bake visit ask tell submit renew water feed walk replace install upgrade bump deploy review test charge "
    "refill apply register research compare look organise organize sort defrost mow paint sew practise practice reply answer invite thank wrap "
    "pack sell cut drop hand measure plant prune sharpen follow confirm rotate sow repot hoover vacuum mop dust empty fill top restock descale "
    "unload load deliver file draft proofread edit translate transcribe record rehearse tune arrange plan discuss meet see go swap exchange "
    "buy borrow lend give donate ship post update backup fetch grab hang build assemble mount drill oil grease weld dig rake weed harvest milk "
    "vaccinate groom brush trim shave bathe burp change cook roast peel chop marinate freeze thaw stock count weigh label sand varnish polish "
    "shred scan copy photocopy fax dial contact message ping remind chase schedule reschedule cancel request claim pump rent lease hire fire "
    "interview train coach teach grade mark correct solve finish complete start begin continue stop quit try check inspect read watch listen play "
    "join leave attend host run jog swim ride drive park fly travel pay invoice bill transfer deposit withdraw save invest budget merge push pull "
    "rebase refactor debug investigate document migrate configure renew vote enrol enroll sort fold knit crochet unclog unblock bleed service "
    "find gather bring put move turn set make do show list add delete remove lock unlock close open switch talk speak"
)
"""What English todos begin with."""


def stem(word: str) -> str:
    """Return a folded word without its ending."""
    for ending in ("ing", "ed", "es", "en", "er", "em", "s", "e", "n"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word
ASIDES = _folded(
    "i we he she they it its im ive ill my his her our their the that thats this which who because since as so cause somebody someone there "
    "theres please thanks thank dont if when while tbh long also is are would otherwise sonst weil da denn ich wir er sie es das mein meine unser "
    "wenn danke die der irre ist wäre passt reicht sorry lol haha nothing not no nicht kein"
)
"""What the clause after a request begins with where it is said besides."""
SEVERAL = _folded("both beides beide items things sachen dinge separate seperate following these those getrennte einzelne folgende todos tasks aufgaben alles")
"""Words that say that there are several."""


COMMON = frozenset(
    SAME.get(key) or stem(key) for key in "buy pay call book finish read water renew write send clean wash fix order takeout make do put take get".split()
)
"""What is done with so many things that it alone says nothing about which."""
