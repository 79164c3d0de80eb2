"""Builds an audio encoder whose output is compared with contextual embeddings of tags."""

from fastaudio import Node, Similarity, presets
from recipe import Recipe
from tag_encoder import TagEncoder, embed_words, untrained
from torch import Tensor, nn

# The paper's first task has UrbanSound8K's classes, which needn't be among the tags trained on.
CLASSES = (
    "air conditioner",
    "car horn",
    "children playing",
    "dog bark",
    "drilling",
    "engine idling",
    "gun shot",
    "jackhammer",
    "siren",
    "street music",
)
LOWEST, HIGHEST = -15.942385, 6.0  # ln(magnitude + 2^-23) of silence, and a guess for the loudest


class AudioEncoder(nn.Module):
    """Five convolutions, each halving both axes; parts have the authors' names, so that their weights load.

    Input:  mel patches [n, 1, 96 bands, 96 frames] in [0, 1]; bands come first in the authors' code
    Output: aligned [n, size], among the tags; embedding [n, 9 width], for classifiers of other tasks

    Source: Favory, Drossos, Virtanen & Serra, ICASSP 2021; xavierfav/ae-w2v-attention
    """

    def __init__(self, size: int = 1152, width: int = 128) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for channels in (1, width, width, width, width):
            convolution = nn.Conv2d(channels, width, 4, stride=2, padding=1)
            layers += [convolution, nn.BatchNorm2d(width), nn.ReLU(), nn.Dropout(0.25)]
        self.audio_encoder = nn.Sequential(*layers, nn.Flatten(), nn.LayerNorm(9 * width, eps=1e-6))
        self.fc_audio = nn.Sequential(nn.Linear(9 * width, size, bias=False), nn.Dropout(0.25))

    def forward(self, patches: Tensor) -> tuple[Tensor, Tensor]:
        """Return the vector among the tags, and the embedding."""
        embedding = self.audio_encoder(patches)
        return self.fc_audio(embedding), embedding


def tag_bank(size: int, heads: int) -> Node:
    """Return the node that compares with the classes, each a set of words, by an untrained tag encoder."""
    vocabulary = {word: index for index, word in enumerate(dict.fromkeys(" ".join(CLASSES).split()), start=1)}
    encoder = untrained(TagEncoder(words=len(vocabulary), size=size, heads=heads))
    bank = embed_words(encoder, vocabulary, [name.split() for name in CLASSES])
    return Similarity(bank.ravel().tolist(), list(CLASSES))


def _recipe(size: int, heads: int, parameters: int, stated: str) -> Recipe:
    return Recipe(
        name=f"ae-w2v-{size}",
        task="audio-to-tag similarity",
        description="Cosine of the loudest 2.2 s of a clip to tags, also to tags that no training saw: a tag "
        f"is embedded from its words by another network, {size} numbers, with {heads} attention "
        f"head{'s' * (heads > 1)}, run once when the pipeline is made.",
        citation="Xavier Favory, Konstantinos Drossos, Tuomas Virtanen and Xavier Serra, Learning contextual "
        "tag embeddings for cross-modal alignment of audio and tags, ICASSP 2021.",
        parameters=parameters,
        stated=stated,
        build=lambda divisor: AudioEncoder(size, 128 // divisor),
        front=lambda: presets.ae_w2v(loudest=True, min=[LOWEST], max=[HIGHEST]),
        outputs={
            "aligned": ("place among the tags' embeddings", "embedding"),
            "embedding": ("embedding for classifiers of other tasks", "embedding"),
        },
        labels=CLASSES,
        label_source="UrbanSound8K's ten classes, embedded by an untrained tag encoder",
        layout="n1ft",
        after=lambda: tag_bank(size, heads),
    )


AE_W2V_128 = _recipe(128, 4, 1_202_304, "approximately 2.4 M with 1,152")
AE_W2V_1152 = _recipe(1152, 1, 2_381_952, "approximately 2.4 M")
