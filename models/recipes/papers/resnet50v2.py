"""Builds ResNet50V2 with two branches: classes, and a projection that contrastive regularisation compares."""

from collections.abc import Mapping, Sequence

import torch
from fastaudio import presets
from recipe import Recipe, Rows
from torch import Tensor, nn
from torch.nn import functional

BLOCKS = (3, 4, 6, 3)  # blocks of each stack
ESC10 = (
    "dog bark",
    "rain",
    "sea waves",
    "baby cry",
    "clock tick",
    "person sneeze",
    "helicopter",
    "chainsaw",
    "rooster",
    "fire crackling",
)


def norm(channels: int) -> nn.BatchNorm2d:
    """Return Keras's normalisation, which is close to PyTorch's but not the same."""
    return nn.BatchNorm2d(channels, eps=1.001e-5)


class Bottleneck(nn.Module):
    """Three convolutions with normalisation and ReLU before each, added to what went in.

    The last block of a stack has the stride, not the first. Convolutions before a normalisation have no bias.
    """

    def __init__(self, channels: int, width: int, stride: int, *, first: bool) -> None:
        super().__init__()
        self.stride = stride
        self.preact_bn = norm(channels)
        self.shortcut = nn.Conv2d(channels, 4 * width, 1) if first else None
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = norm(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = norm(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return [n, 4 width, ...], both axes halved in the last block of a stack."""
        active = functional.relu(self.preact_bn(x))
        kept = x[:, :, :: self.stride, :: self.stride] if self.shortcut is None else self.shortcut(active)
        y = functional.relu(self.bn1(self.conv1(active)))
        y = functional.relu(self.bn2(self.conv2(y)))
        added: Tensor = kept + self.conv3(y)
        return added


class Trunk(nn.Module):
    """ResNet50V2 as Keras has it, without its top: 23,519,360 trainable parameters at width 64.

    Input:  images [n, 3, bands, frames]
    Output: features [n, 32 width]

    Source: He et al., ECCV 2016; keras.applications.ResNet50V2
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 7, stride=2, padding=3)
        self.stacks = nn.ModuleList()
        channels = width
        for stack, blocks in enumerate(BLOCKS):
            wide = width << stack
            layers = []
            for block in range(blocks):
                stride = 2 if block == blocks - 1 and stack < len(BLOCKS) - 1 else 1
                layers.append(Bottleneck(channels, wide, stride, first=block == 0))
                channels = 4 * wide
            self.stacks.append(nn.Sequential(*layers))
        self.post_bn = norm(channels)

    def forward(self, images: Tensor) -> Tensor:
        """Return features averaged over bands and frames."""
        # The stem's output has negative values, so the zeros around it take part in the maximum.
        x = functional.max_pool2d(functional.pad(self.stem(images), (1, 1, 1, 1)), 3, stride=2)
        for stack in self.stacks:
            x = stack(x)
        return functional.relu(self.post_bn(x)).mean(dim=(2, 3))

    @torch.no_grad()
    def load_keras(self, weights: Mapping[str, Sequence[Rows]]) -> None:
        """Take Keras's weights, `{layer.name: layer.get_weights()}`: the paper starts from ImageNet's."""
        names: dict[str, nn.Module | None] = {"conv1_conv": self.stem, "post_bn": self.post_bn}
        for i, stack in enumerate(self.stacks, start=2):
            for j, block in enumerate(stack.children(), start=1):
                assert isinstance(block, Bottleneck)
                parts = {"preact_bn": block.preact_bn, "0_conv": block.shortcut, "1_conv": block.conv1}
                parts |= {"1_bn": block.bn1, "2_conv": block.conv2, "2_bn": block.bn2, "3_conv": block.conv3}
                names |= {f"conv{i}_block{j}_{name}": part for name, part in parts.items()}
        for name, layer in names.items():
            if isinstance(layer, nn.Conv2d):
                layer.weight.copy_(torch.from_numpy(weights[name][0].transpose(3, 2, 0, 1).copy()))
                if layer.bias is not None:
                    layer.bias.copy_(torch.from_numpy(weights[name][1]))
            elif isinstance(layer, nn.BatchNorm2d):
                targets = (layer.weight, layer.bias, layer.running_mean, layer.running_var)
                for target, values in zip(targets, weights[name], strict=True):
                    assert target is not None
                    target.copy_(torch.from_numpy(values))


class Contrastive(nn.Module):
    """Trunk and two branches, each 128 units with normalisation and ReLU before its last layer.

    Input:  images [n, 3, 128 bands, 480 frames] in dB, the channels the same
    Output: scores [n, labels], projection [n, 64] of length 1, features [n, 32 width]
    """

    def __init__(self, labels: int, width: int = 64) -> None:
        super().__init__()
        self.trunk = Trunk(width)
        self.classes = self.branch(32 * width, 2 * width, labels)
        self.projection = self.branch(32 * width, 2 * width, 64)

    @staticmethod
    def branch(channels: int, hidden: int, size: int) -> nn.Sequential:
        """Return one of the two."""
        inner = (nn.Linear(channels, hidden), nn.BatchNorm1d(hidden, eps=1e-3), nn.ReLU())
        return nn.Sequential(*inner, nn.Linear(hidden, size))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return probabilities of classes that exclude one another, the projection, and the features."""
        features = self.trunk(images)
        scores = self.classes(features).softmax(dim=1)
        return scores, functional.normalize(self.projection(features), dim=1), features


RESNET50V2 = Recipe(
    name="resnet50v2-contrastive",
    task="sound classification",
    description="Scores of ten sounds every 5 s, by an image network on a mel-spectrogram; beside them 64 "
    "numbers of length 1, whose dot products say how alike two sounds are.",
    citation="Donmoon Lee and Kyogu Lee, Cross-domain Semi-Supervised Audio Event Classification Using "
    "Contrastive Regularization, WASPAA 2021.",
    parameters=24_053_962,
    stated="none; Keras's ResNet50V2 without its top has 23,519,360",
    build=lambda divisor: Contrastive(len(ESC10), 64 // divisor),
    front=presets.resnet_contrastive,
    outputs={
        "scores": ("score of each sound", "probability"),
        "projection": ("what the contrastive loss compares, of length 1", "embedding"),
        "features": ("shared by both branches", "embedding"),
    },
    labels=ESC10,
    label_source="the ten classes of ESC-10",
    layout="ncft",
    # The stem sums 147 values of -100 dB where a clip is filled up, and fifty layers enlarge what it rounds:
    # PyTorch in float32 strays from itself in float64 by 4e-5 there.
    tolerance=1e-4,
)
