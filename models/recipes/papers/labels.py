"""Gives names of the scores, where they are known."""

import json
from pathlib import Path

import fastaudio
from fastaudio.cards import read_card

MTAT = tuple(read_card("musicnn-mtt").data["pipeline"][-1]["labels"])
MTAT_SOURCE = "MagnaTagATune's 50 tags, in the order of musicnn-mtt"

_NAMES = Path(fastaudio.__file__).parent / "registry" / "labels" / "audioset.json"
AUDIOSET = tuple(json.loads(_NAMES.read_text(encoding="utf-8"))["labels"])
AUDIOSET_SOURCE = (
    "AudioSet's 527 names (Google, CC BY 4.0) in the order of its class_labels_indices.csv; weights of "
    "others may have another order, so compare a score with theirs"
)

DCASE17 = (
    *("train horn", "air horn, truck horn", "car alarm", "reversing beeps", "ambulance (siren)"),
    *("police car (siren)", "fire engine, fire truck (siren)", "civil defense siren", "screaming", "bicycle"),
    *("skateboard", "car", "car passing by", "bus", "truck", "motorcycle", "train"),
)
DCASE17_SOURCE = "the 17 classes of task 4 of the DCASE challenge 2017"
