"""Builds OpenL3's audio embedding of 1 s, in both of its sizes."""

from fastaudio import presets
from recipe import Recipe
from torch import Tensor, nn

EPSILON = 1e-3  # Keras's normalisation has these


def block(channels: int, filters: int) -> list[nn.Module]:
    """Return convolution, normalisation and ReLU."""
    return [nn.Conv2d(channels, filters, 3, padding=1), nn.BatchNorm2d(filters, eps=EPSILON), nn.ReLU()]


class OpenL3(nn.Module):
    """Eight convolutions, then the largest values over nearly all time and pitch, or over parts of it.

    Input:  mel patches [n, 1, 128 bands, 199 frames] in dB below their loudest
    Output: embedding [n, 8 width], embedding_6144 [n, 96 width]: 4 parts of the bands by 3 of the time

    4,687,042 parameters at width 64, and 2,818 running statistics, which aren't trained.

    Source: Cramer et al., ICASSP 2019; marl/openl3 0.4, models.py
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.BatchNorm2d(1, eps=EPSILON)]
        channels = 1
        for filters in (width, 2 * width, 4 * width):
            layers += [*block(channels, filters), *block(filters, filters), nn.MaxPool2d(2)]
            channels = filters
        # Neither normalisation nor ReLU follows the last one.
        layers += [*block(channels, 8 * width), nn.Conv2d(8 * width, 8 * width, 3, padding=1)]
        self.layers = nn.Sequential(*layers)
        self.whole, self.parts = nn.MaxPool2d((16, 24)), nn.MaxPool2d((4, 8))

    def forward(self, patches: Tensor) -> tuple[Tensor, Tensor]:
        """Return the small embedding and the large one."""
        last = self.layers(patches)
        # Keras flattens with the channels last.
        return self.whole(last).flatten(1), self.parts(last).permute(0, 2, 3, 1).flatten(1)


OPENL3 = Recipe(
    name="openl3-mel128",
    task="audio embedding",
    description="Embedding of 1 s every 0.1 s, learned from which sounds and pictures belong together.",
    citation="Jason Cramer, Ho-Hsiang Wu, Justin Salamon and Juan Pablo Bello, Look, Listen and Learn More: "
    "Design Choices for Deep Audio Embeddings, ICASSP 2019.",
    parameters=4_687_042,
    stated="none; the original has as many",
    build=lambda divisor: OpenL3(64 // divisor),
    front=lambda: presets.openl3(n_mels=128),
    outputs={
        "embedding": ("largest values over the whole second", "embedding"),
        "embedding_6144": ("largest values in 4 x 3 parts of bands and time", "embedding"),
    },
    layout="n1ft",
)
