"""Builds VGGish and, for transfer from AudioSet, a classifier of two dense layers of 100 and n units."""

from fastaudio import presets
from recipe import Recipe
from torch import Tensor, nn

GROUPS = ((1,), (2,), (4, 4), (8, 8))  # convolutions between pools, in multiples of the first 64 filters
EMBEDDING = 128
GTZAN = ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock")


class Vggish(nn.Module):
    """Embedding of 0.96 s; 72,141,184 parameters at width 64. 288 MB: it doesn't come with fastaudio.

    Input:  ln mel patches [n, 1, 96 frames, 64 bands]
    Output: embedding [n, 128], before any activation; older code and the ports to PyTorch put a ReLU after it

    Parts have the names that the ports give them, so that their weights load.

    Source: Hershey et al., ICASSP 2017; tensorflow/models, research/audioset/vggish, vggish_slim.py
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for group in GROUPS:
            for times in group:
                layers += [nn.Conv2d(channels, times * width, 3, padding=1), nn.ReLU()]
                channels = times * width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.embeddings = nn.Sequential(
            *(nn.Linear(6 * 4 * channels, 64 * width), nn.ReLU()),
            *(nn.Linear(64 * width, 64 * width), nn.ReLU()),
            nn.Linear(64 * width, EMBEDDING),
        )

    def forward(self, patches: Tensor) -> Tensor:
        """Return embeddings."""
        # TensorFlow flattens with the channels last, and the first dense layer's weights know no other order.
        embedding: Tensor = self.embeddings(self.features(patches).permute(0, 2, 3, 1).flatten(1))
        return embedding


class Transfer(nn.Module):
    """VGGish and variant B of the paper's classifiers, which is trained alone.

    Input:  ln mel patches [n, 1, 96, 64]
    Output: scores [n, labels] of classes that exclude one another, embedding [n, 128]
    """

    def __init__(self, labels: int, width: int = 64, hidden: int = 100) -> None:
        super().__init__()
        self.vggish = Vggish(width)
        self.head = nn.Sequential(nn.Linear(EMBEDDING, hidden), nn.ReLU(), nn.Linear(hidden, labels))

    def forward(self, patches: Tensor) -> tuple[Tensor, Tensor]:
        """Return scores and embedding; `presets.vggish_postprocess` makes AudioSet's 8 bits of the latter."""
        embedding = self.vggish(patches)
        return self.head(embedding).softmax(dim=1), embedding


VGGISH = Recipe(
    name="vggish-transfer",
    task="music genre classification",
    description="Scores of ten genres every 0.96 s, by two dense layers on VGGish's embedding.",
    citation="Pablo Alonso-Jimenez, Dmitry Bogdanov, Jordi Pons and Xavier Serra, TensorFlow Audio Models in "
    "Essentia, ICASSP 2020, after Shawn Hershey et al., CNN Architectures for Large-Scale Audio "
    "Classification, ICASSP 2017.",
    parameters=72_155_094,
    stated="none; the original's VGGish has 72,141,184",
    build=lambda divisor: Transfer(len(GTZAN), 64 // divisor),
    front=presets.vggish,
    outputs={
        "scores": ("score of each genre", "probability"),
        "embedding": ("embedding before PCA and 8 bits", "embedding"),
    },
    labels=GTZAN,
    label_source="GTZAN's ten genres",
    layout="n1tf",
)
