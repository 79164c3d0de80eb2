"""Writes the cards of the four models: what comes out, whose work it is, and under what terms."""

from collections.abc import Mapping, Sequence
from typing import Any

AUTHORS = ["Jordi Pons", "Xavier Serra"]
CITATION = (
    "Jordi Pons and Xavier Serra, musicnn: Pre-trained convolutional neural networks for music "
    "audio tagging, Late-breaking/demo session of the 20th International Society for Music "
    "Information Retrieval Conference (ISMIR), Delft, 2019, arXiv:1909.06654. "
    "Jordi Pons, Oriol Nieto, Matthew Prockup, Erik Schmidt, Andreas Ehmann and Xavier Serra, "
    "End-to-end learning for music audio tagging at scale, Proceedings of the 19th International "
    "Society for Music Information Retrieval Conference (ISMIR), Paris, 2018, arXiv:1711.02520."
)
DATA_SETS = {
    "mtt": ("MagnaTagATune", "MagnaTagATune"),
    "msd": ("Million Song Dataset (Last.fm tags)", "Million Song Dataset"),
}
NETWORKS = {
    "musicnn": (
        "Scores of 50 music tags every 3 s, by a convolutional network with tall filters for "
        "timbre and long ones for rhythm. Takes patches of any length; trained on 187 frames."
    ),
    "vgg": (
        "Scores of 50 music tags every 3 s, by a plain network of five 3 x 3 convolutions: the "
        "baseline of MusiCNN. Takes patches of 187 frames only."
    ),
}
NOTES = {
    "vgg-msd": " Its pools are those it was trained with; the package's code runs it with others, "
    "so the package's own scores differ."
}
# Each output has a purpose and a unit.
OUTPUTS = {
    "taggram": ("score of each tag", "probability"),
    "penultimate": ("embedding before the classifier, normalised after its ReLU", "embedding"),
    "mean_pool": ("mean over time of all features, front to cnn3", "embedding"),
    "max_pool": ("maximum over time of all features, front to cnn3", "embedding"),
    "timbral": ("front-end features of timbre, from filters tall in frequency", "activation"),
    "temporal": ("front-end features of rhythm, from filters long in time", "activation"),
    "cnn1": ("first dense layer", "activation"),
    "cnn2": ("second dense layer, the first added", "activation"),
    "cnn3": ("third dense layer, the second added", "activation"),
    "dense": ("penultimate before its ReLU, which heads of Essentia take", "embedding"),
    "flat": ("embedding before the classifier: pool5, flattened", "embedding"),
    "pool1": ("first block, [frames, bands, filters]", "activation"),
    "pool2": ("second block, [frames, bands, filters]", "activation"),
    "pool3": ("third block, [frames, bands, filters]", "activation"),
    "pool4": ("fourth block, [frames, bands, filters]", "activation"),
    "pool5": ("fifth block, [frames, bands, filters]", "activation"),
}


def make_card(
    name: str,
    *,
    labels: Sequence[str],
    model_sha256: str,
    shapes: Mapping[str, Sequence[int | str]],
    parameters: int,
    source: Mapping[str, str],
    roc_auc: float,
    pr_auc: float,
) -> dict[str, Any]:
    """Return the card of the named model, ready for JSON. `shapes` leave out the batch."""
    network, data = name.split("-")
    trained_on, test_set = DATA_SETS[data]
    return {
        "schema": "fastaudio.card/1",
        "name": name,
        "version": "1.1.0" if network == "musicnn" else "1.0.0",
        "task": "music auto-tagging",
        "hears": "music",
        "description": NETWORKS[network] + NOTES.get(name, ""),
        "input": {"rate_hz": 62.5, "shape": [96], "unit": "log10"},
        "pipeline": [
            {
                "node": "MelSpectrogram",
                "sample_rate": 16000,
                "n_fft": 512,
                "hop_length": 256,
                "n_mels": 96,
                "pad_mode": "reflect",
            },
            {"node": "Log", "kind": "log10", "scale": 10000.0, "offset": 1.0},
            {"node": "Patches", "length": 187, "hop": 187},
            {
                "node": "OnnxModel",
                "path": "model.onnx",
                "sha256": model_sha256,
                "outputs": ["taggram"],
                "units": ["probability"],
            },
            {"node": "Tags", "labels": list(labels)},
        ],
        "outputs": {
            output: {
                "purpose": OUTPUTS[output][0],
                "unit": OUTPUTS[output][1],
                "shape": list(shape),
            }
            for output, shape in shapes.items()
        },
        "parameters": parameters,
        "licence": "ISC",
        "authors": AUTHORS,
        "citation": CITATION,
        "source": dict(source),
        "trained_on": trained_on,
        "metrics": {
            "roc_auc": roc_auc,
            "pr_auc": pr_auc,
            "by": f"the authors' record in the package's experiment.result, on the {test_set} test set",
        },
    }
