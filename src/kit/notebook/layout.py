"""Places for boxes and arrows: in layers, each box after those that point to it, few crossings.

The same boxes and arrows always get the same places. Source: K. Sugiyama, S. Tagawa and M. Toda,
"Methods for visual understanding of hierarchical system structures" (1981): layers, order by
barycenters, places by neighbors.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

Point = tuple[float, float]
_SWEEPS = 12


@dataclass(frozen=True)
class Places:
    """Where everything is, in pixels from the upper left."""

    boxes: Mapping[str, Point]
    """The upper left corner of each box."""
    routes: Sequence[Sequence[Point]]
    """Of each arrow, in the order given: the points between its two boxes, where it passes others;
    from its source to its target."""
    width: float
    height: float


def place(
    sizes: Mapping[str, tuple[float, float]],
    arrows: Sequence[tuple[str, str]],
    *,
    down: bool = False,
    between: float = 80,
    beside: float = 22,
) -> Places:
    """Place boxes so that arrows lead to the right, or down.

    Args:
        sizes: width and height of each box, in pixels.
        arrows: source and target; arrows from a box to itself are left out of the count.
        down: layers below each other, not beside each other.
        between: pixels between two layers.
        beside: pixels between two boxes of a layer.
    """
    graph = _Graph({name: (h, w) if down else (w, h) for name, (w, h) in sizes.items()}, arrows)
    along, across = graph.places(between, beside)
    corners = {}
    for name in sizes:
        length, breadth = graph.sizes[name]
        x, y = along[name], across[name] - breadth / 2
        corners[name] = (y, x) if down else (x, y)
        along[name] += length / 2
    routes = [
        [(across[d], along[d]) if down else (along[d], across[d]) for d in chain]
        for chain in graph.chains
    ]
    return Places(
        corners,
        routes,
        max((corners[n][0] + sizes[n][0] for n in sizes), default=0),
        max((corners[n][1] + sizes[n][1] for n in sizes), default=0),
    )


class _Graph:
    """Boxes, arrows that all lead forward, and stand-ins where an arrow passes a layer."""

    def __init__(
        self, sizes: Mapping[str, tuple[float, float]], arrows: Sequence[tuple[str, str]]
    ) -> None:
        self.sizes = dict(sizes)
        """Along and across the layers."""
        forward = _without_cycles(list(sizes), [a for a in arrows if a[0] != a[1]])
        self.layer = _layers(list(sizes), forward)
        self.chains: list[list[str]] = []
        self._after: dict[str, list[str]] = defaultdict(list)
        self._before: dict[str, list[str]] = defaultdict(list)
        for number, (source, target) in enumerate(arrows):
            self.chains.append(self._chain(number, source, target))
        count = max(self.layer.values(), default=0) + 1
        self.rows: list[list[str]] = [[] for _ in range(count)]
        for name, layer in self.layer.items():
            self.rows[layer].append(name)

    def _chain(self, number: int, source: str, target: str) -> list[str]:
        """Stand-ins for the layers that an arrow passes, from its source to its target."""
        if source == target:
            return []
        low, high = sorted((source, target), key=lambda name: self.layer[name])
        between = range(self.layer[low] + 1, self.layer[high])
        names = [f"{number} {layer}" for layer in between]
        for name, layer in zip(names, between, strict=True):
            self.layer[name] = layer
            self.sizes[name] = (0.0, 8.0)
        path = [low, *names, high]
        for one, other in pairwise(path):
            self._after[one].append(other)
            self._before[other].append(one)
        return names if low == source else names[::-1]

    def places(self, between: float, beside: float) -> tuple[dict[str, float], dict[str, float]]:
        """The beginning of each box along the layers, and its middle across them."""
        self._order()
        along: dict[str, float] = {}
        at = 0.0
        for row in self.rows:
            length = max((self.sizes[name][0] for name in row), default=0)
            for name in row:
                along[name] = at + (length - self.sizes[name][0]) / 2
            at += length + between
        across: dict[str, float] = {}
        for row in self.rows:
            self._spread(row, across, {}, beside)
        for sweep in range(_SWEEPS):
            forth = sweep % 2 == 0
            neighbors = self._before if forth else self._after
            for row in self.rows if forth else reversed(self.rows):
                wanted = {
                    name: sum(across[n] for n in neighbors[name]) / len(neighbors[name])
                    for name in row
                    if neighbors[name]
                }
                self._spread(row, across, wanted, beside)
        top = min((across[n] - self.sizes[n][1] / 2 for n in across), default=0)
        return along, {name: middle - top for name, middle in across.items()}

    def _order(self) -> None:
        """Order the boxes of each layer by where their neighbors are, so that few arrows cross."""
        for sweep in range(_SWEEPS):
            forth = sweep % 2 == 0
            neighbors = self._before if forth else self._after
            for row in self.rows if forth else reversed(self.rows):
                position = {n: i for other in self.rows for i, n in enumerate(other)}
                center = {
                    name: sum(position[n] for n in neighbors[name]) / len(neighbors[name])
                    if neighbors[name]
                    else float(position[name])
                    for name in row
                }
                row.sort(key=center.__getitem__)

    def _spread(
        self,
        row: Sequence[str],
        across: dict[str, float],
        wanted: Mapping[str, float],
        beside: float,
    ) -> None:
        """Give each box of a layer its wanted place, or the nearest that leaves room for others.

        Boxes that would overlap are put side by side, around the mean of what they want.
        """
        groups: list[tuple[list[str], float]] = []
        for name in row:
            middle = wanted.get(name, across.get(name, 0.0))
            names, start = [name], middle - self.sizes[name][1] / 2
            while groups and groups[-1][1] + self._breadth(groups[-1][0], beside) > start:
                before, _ = groups.pop()
                names = before + names
                start = self._mean_start(names, wanted, across, beside)
            groups.append((names, start))
        for names, start in groups:
            at = start
            for name in names:
                across[name] = at + self.sizes[name][1] / 2
                at += self.sizes[name][1] + beside

    def _breadth(self, names: Sequence[str], beside: float) -> float:
        return sum(self.sizes[name][1] + beside for name in names)

    def _mean_start(
        self,
        names: Sequence[str],
        wanted: Mapping[str, float],
        across: Mapping[str, float],
        beside: float,
    ) -> float:
        at, starts = 0.0, []
        for name in names:
            half = self.sizes[name][1] / 2
            starts.append(wanted.get(name, across.get(name, 0.0)) - half - at)
            at += 2 * half + beside
        return sum(starts) / len(starts)


def _without_cycles(
    names: Sequence[str], arrows: Sequence[tuple[str, str]]
) -> list[tuple[str, str]]:
    """The arrows, with those turned round that would close a circle."""
    targets: dict[str, list[str]] = defaultdict(list)
    for source, target in arrows:
        targets[source].append(target)
    state: dict[str, int] = {}
    forward: list[tuple[str, str]] = []

    def visit(start: str) -> None:
        stack = [(start, iter(targets[start]))]
        state[start] = 1
        while stack:
            name, rest = stack[-1]
            target = next(rest, None)
            if target is None:
                state[name] = 2
                stack.pop()
            elif state.get(target) == 1:
                forward.append((target, name))
            else:
                forward.append((name, target))
                if target not in state:
                    state[target] = 1
                    stack.append((target, iter(targets[target])))

    for name in names:
        if name not in state:
            visit(name)
    return forward


def _layers(names: Sequence[str], arrows: Sequence[tuple[str, str]]) -> dict[str, int]:
    """The length of the longest way to each box."""
    sources: dict[str, set[str]] = defaultdict(set)
    for source, target in arrows:
        sources[target].add(source)
    layer: dict[str, int] = {}
    waiting = list(names)
    while waiting:
        ready = [name for name in waiting if all(s in layer for s in sources[name])]
        for name in ready:
            layer[name] = max((layer[s] + 1 for s in sources[name]), default=0)
        waiting = [name for name in waiting if name not in layer]
    return layer
