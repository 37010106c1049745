"""Words by which the same todo is meant: other forms of a word, and everyday words in the other language."""

_SAME = """
buy buying bought get getting got purchase purchased grab pick kaufen kauf kaufe kaufst gekauft besorgen besorgt holen geholt einkaufen eingekauft
pay paying paid payed bezahlen bezahle bezahlt zahlen zahle gezahlt überweisen überwiesen
call calling called calls phone phoned phoning ring rang ringing anrufen anruf angerufen telefonieren telefoniert anrufe rufe
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
plant plants flowers pflanze pflanzen blumen
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
SAME = {word: line.split()[0] for line in _SAME.strip().splitlines() for word in line.split()}
COMMON = frozenset("buy pay call book finish read water renew write send clean wash fix order takeout make do put take".split())
"""What is done with so many things that it alone says nothing about which."""
NUMBERS = {
    word: number
    for words in (
        "one two three four five six seven eight nine ten eleven twelve",
        "eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth",
        "erste zweite dritte vierte fünfte sechste siebte achte neunte zehnte elfte zwölfte",
        "ersten zweiten dritten vierten fünften sechsten siebten achten neunten zehnten elften zwölften",
        "erster zweiter dritter vierter fünfter sechster siebter achter neunter zehnter elfter zwölfter",
    )
    for number, word in enumerate(words.split(), 1)
}
