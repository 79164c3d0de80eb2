"""Exports the papers' systems, untrained, as a model.onnx and a card.json each, checked against PyTorch.

Weights are random. The check is that every layer of the network runs in fastaudio as in PyTorch, so that a
network trained with these definitions needs a card and no code.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ae_w2v import AE_W2V_128, AE_W2V_1152
from export import differences, export, require_close
from harmonic_cnn import HARMONIC_CNN, HARMONIC_CNN_DCASE
from openl3 import OPENL3
from recipe import SMALL, Recipe, count_parameters, full_size, start
from resnet50v2 import RESNET50V2
from talnet import TALNET
from vggish import VGGISH
from weanet_style import WEANET_STYLE

RECIPES = (
    *(HARMONIC_CNN, HARMONIC_CNN_DCASE, TALNET, WEANET_STYLE),
    *(AE_W2V_128, AE_W2V_1152, RESNET50V2, VGGISH, OPENL3),
)

EXAMPLES = """examples:
  python models/recipes/papers/make.py --list
  python models/recipes/papers/make.py harmonic-cnn --output exported
  python models/recipes/papers/make.py all --scale small --output exported
"""


def make(recipe: Recipe, output: Path, scale: str) -> None:
    """Export one recipe, print its figures; raise ValueError if it differs from PyTorch."""
    small = scale == "small"
    folder = output / (f"{recipe.name}-small" if small else recipe.name)
    print(f"{folder.name}: building", end="", flush=True)
    net = start(recipe, SMALL if small else 1)
    print(", exporting", end="", flush=True)
    export(recipe, net, folder)
    print(", comparing", flush=True)
    found = differences(recipe, net, folder / "model.onnx", recipe.sound(seed=9, patches=2))
    size = (folder / "model.onnx").stat().st_size
    print(f"  {count_parameters(net):,} parameters, {size / 1e6:.1f} MB, {folder / 'card.json'}")
    for name, (difference, magnitude) in found.items():
        print(f"  {name:<12} within {difference:.1e} of PyTorch, values up to {magnitude:.3g}")
    require_close(recipe, found)


def main(arguments: Sequence[str] | None = None) -> int:
    """Export what is asked for; the exit status says whether it agreed."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").strip(),
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [recipe.name for recipe in RECIPES]
    parser.add_argument(
        "name", nargs="?", choices=[*names, "all"], metavar="NAME", help=f"{', '.join(names)}, or all"
    )
    parser.add_argument("--output", type=Path, metavar="DIR", help="folder to write recipes into")
    parser.add_argument("--scale", choices=["small", "full"], default="full", help=f"small: widths / {SMALL}")
    parser.add_argument("--list", action="store_true", help="print the recipes and their parameters")
    options = parser.parse_args(arguments)
    if options.list:
        for recipe in RECIPES:
            print(f"{recipe.name:<24} {full_size(recipe):>11,} parameters; the paper: {recipe.stated}")
        return 0
    if options.name is None or options.output is None:
        parser.error("expected NAME and --output DIR, or --list")
    try:
        for recipe in RECIPES:
            if options.name in (recipe.name, "all"):
                make(recipe, options.output, options.scale)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
