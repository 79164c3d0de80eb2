"""Small networks of ordinary kinds, and a dataset of clips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from numpy.typing import NDArray

LABELS = ["dog", "cat", "rain"]
FRAMES, BANDS = 25, 40


def front(hop: int | None = None) -> fa.Node:
    """Patches [25, 40] of log mel at 16 kHz."""
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=320, n_mels=BANDS)
    return mel >> fa.Log(kind="log10", scale=10_000, offset=1) >> fa.Patches(length=FRAMES, hop=hop)


def wave() -> fa.Node:
    """Windows of a quarter of a second at 16 kHz."""
    return fa.Resample(input_rate=16_000, output_rate=16_000) >> fa.Patches(length=4_000)


def clip(seed: int, n_samples: int = 20_000) -> NDArray[np.float32]:
    """Noise."""
    return np.random.default_rng(seed).normal(0, 0.1, n_samples).astype(np.float32)


class Clips(torch.utils.data.Dataset):
    """Clips of noise, and their rows as a transform gives them; here, where spawned workers find it."""

    def __init__(self, front: Any) -> None:
        self.front = front

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> Any:
        return self.front(torch.from_numpy(clip(index)))


def settled(net: nn.Module) -> nn.Module:
    """Give BatchNorm statistics that aren't those of a new one, and leave the module in training mode."""
    torch.manual_seed(1)
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.running_mean)
            nn.init.uniform_(part.running_var, 0.5, 2)
    return net.train()


def reference(net: Any, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give what a module itself returns for a batch as it takes it, in eval mode; of several, the first."""
    with torch.no_grad():
        found = net.eval()(torch.from_numpy(rows.copy()))
    return (found if isinstance(found, torch.Tensor) else found[0]).numpy()


class Images(nn.Module):
    """Takes [n, 1, FRAMES, BANDS] or [n, 1, BANDS, FRAMES], and tells the two apart."""

    def __init__(self, transposed: bool = False) -> None:
        torch.manual_seed(0)
        super().__init__()
        bands = (1, 5) if not transposed else (5, 1)
        self.convolution = nn.Conv2d(1, 6, bands)
        self.norm = nn.BatchNorm2d(6)
        self.dropout = nn.Dropout(0.5)
        self.dense = nn.Linear(6, len(LABELS))

    def forward(self, x: Any) -> Any:
        return torch.sigmoid(self.dense(self.dropout(self.norm(self.convolution(x)).relu().amax((2, 3)))))


class Rows(nn.Module):
    """Takes [n, FRAMES, BANDS], and returns whatever a function makes of logits and embedding."""

    def __init__(self, returns: Any = lambda *tensors: tensors[0]) -> None:
        torch.manual_seed(0)
        super().__init__()
        self.dense = nn.Linear(BANDS, 8)
        self.head = nn.Linear(8, len(LABELS))
        self.returns = returns

    def forward(self, x: Any) -> Any:
        embedding = self.dense(x).relu().mean(1)
        return self.returns(self.head(embedding) * 4, embedding)


class Bands(nn.Module):
    """Takes [n, BANDS, FRAMES], by a convolution over time."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__()
        self.convolution = nn.Conv1d(BANDS, len(LABELS), 5)

    def forward(self, x: Any) -> Any:
        return torch.sigmoid(self.convolution(x).mean(-1))


class Recurrent(nn.Module):
    """Reads frames both ways."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__()
        self.gru = nn.GRU(BANDS, 8, batch_first=True, bidirectional=True)
        self.lstm = nn.LSTM(16, 8, batch_first=True)
        self.dense = nn.Linear(8, len(LABELS))

    def forward(self, x: Any) -> Any:
        rows, _ = self.gru(x)
        rows, _ = self.lstm(rows)
        return torch.sigmoid(self.dense(rows[:, -1])), rows.mean(1)


class Attention(nn.Module):
    """Two layers of a transformer, whose fast path has no name in ONNX."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__()
        self.dense = nn.Linear(BANDS, 16)
        layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.head = nn.Linear(16, len(LABELS))

    def forward(self, x: Any) -> Any:
        return torch.softmax(self.head(self.encoder(self.dense(x)).mean(1)), -1)


class Wave(nn.Module):
    """Takes [n, samples]."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__()
        self.convolution = nn.Conv1d(1, 8, 64, 32)
        self.dense = nn.Linear(8, len(LABELS))

    def forward(self, x: Any) -> Any:
        return torch.sigmoid(self.dense(self.convolution(x.unsqueeze(1)).abs().mean(-1)))


class Spectrum(nn.Module):
    """Takes [n, samples] and makes complex numbers of them, which the older exporter refuses."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__()
        self.register_buffer("window", torch.hann_window(256))
        self.dense = nn.Linear(129, len(LABELS))

    def forward(self, x: Any) -> Any:
        spectrum = torch.stft(x, 256, 128, window=self.window, return_complex=True).abs()
        return torch.sigmoid(self.dense(spectrum.mean(-1)))


class Deciding(nn.Module):
    """Takes another way for loud rows than for faint ones, of which a trace sees one only."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__()
        self.dense = nn.Linear(BANDS, len(LABELS))

    def forward(self, x: Any) -> Any:
        rows = x.mean(1) if x.mean() > 1 else -3 * x.amax(1)
        return torch.sigmoid(self.dense(rows))


class OneRow(nn.Module):
    """Takes batches of one row only."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__()
        self.dense = nn.Linear(FRAMES * BANDS, len(LABELS))

    def forward(self, x: Any) -> Any:
        return torch.sigmoid(self.dense(x.reshape(1, FRAMES * BANDS)))


class InPlace(Rows):
    """Changes the rows that it is given."""

    def forward(self, x: Any) -> Any:
        x.sub_(1).mul_(0.5)
        return super().forward(x).sigmoid()


class OfTheBatch(nn.Module):
    """Normalises by the batch itself also in eval mode, so that a row depends on the others."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__()
        self.norm = nn.BatchNorm1d(BANDS, track_running_stats=False)
        self.dense = nn.Linear(BANDS, len(LABELS))

    def forward(self, x: Any) -> Any:
        return self.dense(self.norm(x.transpose(1, 2)).amax(-1)).sigmoid()


class Loop(nn.Module):
    """Steps over the frames in Python, from a state that is made for the batch."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__()
        self.dense = nn.Linear(BANDS, len(LABELS))

    def forward(self, x: Any) -> Any:
        state = torch.zeros(int(x.shape[0]), len(LABELS))
        for k in range(x.shape[1]):
            state = torch.tanh(state + self.dense(x[:, k]))
        return state.sigmoid()


class Normed(nn.Module):
    """Has weights that are computed from others at each call."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__()
        self.dense = nn.utils.parametrizations.weight_norm(nn.Linear(BANDS, len(LABELS)))

    def forward(self, x: Any, lengths: Any = None) -> Any:
        del lengths  # not needed, and never given
        return self.dense(x.mean(1)).sigmoid()


class Resized(nn.Module):
    """Resizes its images, which ONNX does by an operator of many options."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__()
        self.convolution = nn.Conv2d(1, len(LABELS), 3)

    def forward(self, x: Any) -> Any:
        maps = nn.functional.interpolate(self.convolution(x), size=(48, 48), mode="bicubic")
        return maps.mean((2, 3)).sigmoid()
