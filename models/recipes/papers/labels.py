"""Gives names of the scores, where they are known."""

from fastaudio.cards import read_card

MTAT = tuple(read_card("musicnn-mtt").data["pipeline"][-1]["labels"])
MTAT_SOURCE = "MagnaTagATune's 50 tags, in the order of musicnn-mtt"

AUDIOSET = tuple(f"class {index}" for index in range(527))
AUDIOSET_SOURCE = (
    "placeholders for the 527 classes of AudioSet, whose names aren't kept here: take them, and their order, "
    "from the data that a network is trained on"
)

DCASE17 = (
    *("train horn", "air horn, truck horn", "car alarm", "reversing beeps", "ambulance (siren)"),
    *("police car (siren)", "fire engine, fire truck (siren)", "civil defense siren", "screaming", "bicycle"),
    *("skateboard", "car", "car passing by", "bus", "truck", "motorcycle", "train"),
)
DCASE17_SOURCE = "the 17 classes of task 4 of the DCASE challenge 2017"
