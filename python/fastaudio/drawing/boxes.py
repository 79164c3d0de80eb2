"""A network as boxes: one per node, branches side by side, and on the arrows what flows between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fastaudio.drawing.figures import accent, shown

if TYPE_CHECKING:
    from fastaudio._core import Node, StreamSpec

# In inches, at a font of 9 points.
_LETTER, _PADDING, _GAP = 0.083, 0.3, 0.35
_BOX, _ARROW, _STEM, _SLANT = 0.27, 0.42, 0.26, 0.36
_FONT = 9.0
_LONGEST = 44
_ARROW_LETTERS = 34  # room for what flows


@dataclass
class Plan:
    """Where boxes and arrows stand, in inches; y grows downwards.

    Attributes:
        boxes: x and y of the middle, and the text.
        arrows: x and y of the points that each leads through.
        flows: x and y of the text beside an arrow; arrows that begin together share one.
        width, height: of all of it.
    """

    boxes: list[tuple[float, float, str]] = field(default_factory=list)
    arrows: list[list[tuple[float, float]]] = field(default_factory=list)
    flows: dict[tuple[float, float], str] = field(default_factory=dict)
    width: float = 0.0
    height: float = 0.0


@dataclass
class _End:
    """Where rows come out: below a box, with what they are."""

    x: float
    y: float
    says: str


def plan_of(title: str, node: Node, spec: StreamSpec) -> Plan:
    """Return the plan of a node that takes `spec`; the box above it says `title`."""
    plan = Plan()
    width = max(_width_of(node, spec), _box_width(title), _LETTER * _ARROW_LETTERS * 2)
    middle = width / 2
    plan.boxes.append((middle, _BOX / 2, title))
    ends = _place(plan, node, spec, middle, [_End(middle, _BOX, repr(spec))])
    for end in ends:
        _arrow(plan, end, end.x, end.y + _ARROW)
    plan.width, plan.height = width, max(end.y for end in ends) + _ARROW
    return plan


def _text_of(node: Node, spec: StreamSpec) -> str:
    text = node.diagram(spec).splitlines()[0].rpartition("  -> ")[0].strip() or repr(node)
    return text if len(text) <= _LONGEST else f"{type(node).__name__}(...)"


def _box_width(text: str) -> float:
    return len(text) * _LETTER + _PADDING


def _branches(node: Node) -> list[Node]:
    """Return the branches of a composite over one input; none of other nodes."""
    roles = node.child_roles()
    return node.children() if roles and not set(roles) & {"step", "clip"} else []


def _steps(node: Node, spec: StreamSpec) -> list[tuple[Node, StreamSpec]]:
    """Return the nodes that run one after another, each with what it takes; a node alone is one."""
    steps = []
    for part in node.parts():
        steps.append((part, spec))
        spec = next(iter(part.output_specs(spec).values()))
    return steps


def _width_of(node: Node, spec: StreamSpec) -> float:
    steps = _steps(node, spec)
    if len(steps) > 1:
        return max(_width_of(*step) for step in steps)
    if branches := _branches(node):
        return sum(_width_of(branch, spec) for branch in branches) + _GAP * (len(branches) - 1)
    return max(_box_width(_text_of(node, spec)), _LETTER * _ARROW_LETTERS)


def _place(plan: Plan, node: Node, spec: StreamSpec, x: float, above: list[_End]) -> list[_End]:
    """Add a node below the ends `above`, around `x`; return where its rows come out."""
    steps = _steps(node, spec)
    if len(steps) > 1:
        for part, taken in steps:
            above = _place(plan, part, taken, x, above)
        return above
    if _branches(node):
        return _place_branches(plan, node, spec, x, above)
    return [_box(plan, _text_of(node, spec), x, above, _says(node, spec))]


def _place_branches(plan: Plan, node: Node, spec: StreamSpec, x: float, above: list[_End]) -> list[_End]:
    branches = _branches(node)
    widths = [_width_of(branch, spec) for branch in branches]
    left = x - (sum(widths) + _GAP * (len(branches) - 1)) / 2
    ends: list[_End] = []
    joined = "output" not in node.child_roles()
    names = [""] * len(branches) if joined else [f"{name}: " for name in node.output_specs(spec)]
    for branch, width in zip(branches, widths, strict=True):
        ends += _place(plan, branch, spec, left + width / 2, above)
        left += width + _GAP
    if joined:
        return [_box(plan, type(node).__name__, x, ends, _says(node, spec))]
    if len(names) == len(ends):
        for end, name in zip(ends, names, strict=True):
            end.says = name + end.says
    return ends


def _says(node: Node, spec: StreamSpec) -> str:
    return ", ".join(f"{name} {out!r}".strip() for name, out in node.output_specs(spec).items())


def _box(plan: Plan, text: str, x: float, above: list[_End], says: str) -> _End:
    slanted = any(end.x != x for end in above)
    top = max(end.y for end in above) + (_STEM + _SLANT if slanted else _ARROW)
    for end in above:
        _arrow(plan, end, x, top)
    plan.boxes.append((x, top + _BOX / 2, text))
    return _End(x, top + _BOX, says)


def _arrow(plan: Plan, end: _End, x: float, y: float) -> None:
    """Lead from an end to a point: straight down past the text, and then to the side if it must."""
    bend = [] if x == end.x else [(end.x, y - _SLANT)]
    plan.arrows.append([(end.x, end.y), *bend, (x, y)])
    plan.flows[end.x + 0.08, end.y + (_STEM if bend else _ARROW) / 2] = end.says


def boxes(ax: Any, plan: Plan) -> None:
    """Draw a plan; text shrinks if the axes are smaller."""
    ax.set_axis_off()
    ax.set(xlim=(-_GAP, plan.width + _GAP), ylim=(plan.height + _GAP / 2, -_GAP / 2))
    where, (width, height) = ax.get_position(), ax.figure.get_size_inches()
    shrink = min(1.0, where.width * width / plan.width, where.height * height / plan.height)
    font, blue = max(_FONT * shrink, 2.0), accent(ax)
    for *way, before, end in plan.arrows:
        ax.plot(*zip(*way, before, strict=True), color=blue, linewidth=1.2)
        arrow = {"arrowstyle": "-|>", "color": blue, "shrinkA": 0, "shrinkB": 0, "linewidth": 1.2}
        ax.annotate("", end, before, arrowprops=arrow)
    for (x, y), says in plan.flows.items():
        ax.text(x, y, shown(says, most=60), va="center", fontsize=0.85 * font)
    for x, y, text in plan.boxes:
        frame = {"boxstyle": "round,pad=0.35", "facecolor": ax.get_facecolor(), "edgecolor": blue}
        ax.text(x, y, shown(text, most=80), ha="center", va="center", fontsize=font, bbox=frame)
