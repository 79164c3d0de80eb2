"""Says what each General MIDI program is: family, instrument, range, and whether it stays unheard."""

from typing import NamedTuple

NOTHING = "no instrument"
"""Label of sounds that no instrument makes."""


class Program(NamedTuple):
    """One sound of a SoundFont, and what it counts as."""

    number: int
    family: str
    instrument: str
    lowest: int
    highest: int


# Ranges are those in which the instruments are played, in MIDI's numbers of keys.
_TABLE = {
    "bass": "32 acoustic bass 28 60|33 electric bass 28 60|34 electric bass 28 60|35 electric bass 28 60|"
    "36 electric bass 28 60|37 electric bass 28 60|38 synth bass 28 60|39 synth bass 28 60",
    "brass": "56 trumpet 54 82|57 trombone 40 74|58 tuba 28 58|59 trumpet 54 82|60 french horn 35 77|"
    "61 brass section 40 80|62 synth brass 40 80",
    "flute": "72 piccolo 74 100|73 flute 60 94|74 recorder 60 90|75 pan flute 60 90|76 bottle 55 84|"
    "77 shakuhachi 55 84|78 whistle 67 96|79 ocarina 60 90",
    "guitar": "24 guitar 40 84|25 guitar 40 84|26 electric guitar 40 84|27 electric guitar 40 84|"
    "28 electric guitar 40 76|29 electric guitar 40 84|30 electric guitar 40 84|104 sitar 48 79|"
    "105 banjo 48 84|106 shamisen 50 79|107 koto 50 84",
    "keyboard": "0 piano 28 96|1 piano 28 96|2 piano 28 96|3 piano 28 96|4 electric piano 33 90|"
    "5 electric piano 33 90|6 harpsichord 36 84|7 clavinet 36 84",
    "mallet": "8 celesta 60 96|9 glockenspiel 72 103|10 music box 60 96|11 vibraphone 53 89|12 marimba 45 89|"
    "13 xylophone 65 100|14 tubular bells 60 77|108 kalimba 60 84|114 steel drums 50 84",
    "organ": "16 organ 36 88|17 organ 36 88|18 organ 36 88|19 church organ 36 88|20 reed organ 36 84|"
    "21 accordion 50 88|23 accordion 50 88",
    "percussion": "47 timpani 38 57|112 bells 60 84|113 agogo 60 79|115 woodblock 55 79|116 taiko 40 72|"
    "117 tom 40 72|118 synth drum 40 72|128 drums 35 81",
    "reed": "64 saxophone 56 87|65 saxophone 49 80|66 saxophone 44 75|67 saxophone 37 69|68 oboe 58 89|"
    "69 cor anglais 52 82|70 bassoon 34 72|71 clarinet 50 91",
    "string": "40 violin 55 96|41 viola 48 88|42 cello 36 81|43 double bass 28 65|44 string section 40 88|"
    "45 pizzicato 40 84|48 string section 36 90|49 string section 36 90|"
    "50 synth strings 36 90|110 violin 55 88",
    "synth_lead": "80 synth lead 40 90|81 synth lead 40 90|82 synth lead 40 90|83 synth lead 40 90|"
    "84 synth lead 40 90|86 synth lead 40 90|87 synth lead 40 90",
    "vocal": "52 choir 45 81|53 voice 45 81|54 synth voice 45 81|85 synth voice 45 81|91 choir 45 81",
    NOTHING: "120 sound 50 70|121 sound 50 70|122 sound 40 80|123 sound 40 80|124 sound 50 70|"
    "125 sound 40 80|126 sound 40 80|127 sound 40 80",
}
DRUMS = 128
"""Stands for the drum kit, which isn't a program."""
UNHEARD = {1, 5, 10, 13, 18, 20, 25, 27, 34, 39, 41, 49, 53, 58, 59, 65, 70, 74, 79, 82, 87}
"""Programs that `instruments` never hears in training, from no SoundFont."""


SPARED = {3, 17, 30, 37, 67, 86, 91, 110}
"""Programs left out of training to choose by and to calibrate on; their instruments have others."""
TITLES = {
    "bass": "basses", "brass": "brass", "flute": "flutes", "guitar": "guitars", "keyboard": "keyboards",
    "mallet": "mallets", "organ": "organs", "percussion": "percussion", "reed": "reeds", "string": "strings",
    "synth_lead": "synth leads", "vocal": "voices", NOTHING: NOTHING,
}  # fmt: skip
"""What the model calls the families, so that no instrument has the same name."""


def _read() -> list[Program]:
    found = []
    for family, text in _TABLE.items():
        for entry in text.split("|"):
            number, *words, lowest, highest = entry.split(" ")
            instrument = NOTHING if family == NOTHING else " ".join(words)
            found.append(Program(int(number), family, instrument, int(lowest), int(highest)))
    return found


PROGRAMS = _read()
FAMILIES = list(_TABLE)
