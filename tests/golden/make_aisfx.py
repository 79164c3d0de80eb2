"""Make aisfx.npz: the guitar's embeddings by the patches and network of the package aisfx 0.1.2.

    pip download --no-deps aisfx==0.1.2
    python tests/golden/make_aisfx.py aisfx-0.1.2-py2.py3-none-any.whl

This needs torch. The package's spectrogram is Essentia's; its formula in float64 from tests/python/support
stands in for it. The sound is the left channel. The last patch is filled up with zeros, as the package does
with drop_partial_block=False.
"""

from __future__ import annotations

import runpy
import sys
import zipfile
from pathlib import Path

import numpy as np
import soundfile
import torch

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def main(wheel: str) -> None:
    """Write the file."""
    sys.path[:0] = [wheel, str(ROOT / "tests" / "python" / "support")]
    from aisfx.models.cnn2d import EmbeddingNet
    from aisfx.preprocessing import blocking
    from preset_references import aisfx

    recipes = ROOT / "models" / "recipes" / "shipped"
    sys.path.append(str(recipes))
    recipe = runpy.run_path(str(recipes / "aisfx.py"))
    with zipfile.ZipFile(wheel) as file:
        weights = recipe["read_weights"](file)
    prefix = "embedding_net."
    net = EmbeddingNet("max", 3, 1, 64).eval()
    net.load_state_dict({k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)})
    samples = soundfile.read(ROOT / "examples" / "guitar.flac", always_2d=True)[0][:, 0]
    patches = blocking(aisfx(samples), 100, 50, drop_partial_block=False)
    with torch.no_grad():
        guitar = net(torch.from_numpy(patches.astype(np.float32))).numpy()
    np.savez_compressed(HERE / "aisfx.npz", guitar=guitar)


if __name__ == "__main__":
    main(sys.argv[1])
