"""How far each lane of the reverse lockstep kernel goes next; printed into it for every network."""

from __future__ import annotations

import numpy as np

from sbmlgrad.codegen.adjoint_form import FIRED, NOW, TARGET
from sbmlgrad.gradients.paths.chunks import CHUNK


def look_back(
    room,
    path_fired,
    path_times,
    path_first,
    path_clock,
    is_window,
    points,
    cotangent,
    trajectory,
    cursor,
    begin,
    place,
    adjoint,
    source,
    species,
    lanes,
    group,
    rows,
):
    """Prepare the next stretch of every lane; returns how many have one.

    A lane that has reached an output point takes up what the readout says there; one that has
    reached the start of its interval undoes the firing before it. Lanes that have come to the
    start of the chunk, or have no trajectory (a negative number), stand still.

    Args:
        room: rows of all groups (`codegen.adjoint_form.AdjointForm`).
        path_fired: reactions of the chunk, uint8 [lane * CHUNK + firing].
        path_times: their times, likewise.
        path_first: number of the first firing of the chunk.
        path_clock: time of the firing before it, [lane].
        is_window: the readout averages over windows; else it gives values at times.
        points: edges or times.
        cotangent: derivative of the loss in the readout, [trajectory or 1, point, species].
        trajectory: row of the batch, [lane].
        cursor: firings that are not undone, [lane].
        begin: time of the last of these, [lane].
        place: last point that is not reached, [lane].
        adjoint: first row of λ in a group.
        source: first row of what the readout adds along the path.
        species: how many.
        lanes: how many.
        group: lanes of a group.
        rows: rows of a group.
    """
    going = 0
    for lane in range(lanes):
        at = (lane // group) * (rows * group) + lane % group
        room[FIRED * group + at] = -1.0
        row = trajectory[lane]
        if row < 0:
            continue
        now = room[NOW * group + at]
        if now > room[TARGET * group + at]:
            going += 1
            continue
        point = place[lane]
        if point >= 0 and points[point] >= now:
            which = row if cotangent.shape[0] > 1 else 0
            while point >= 0 and points[point] >= now:
                if is_window:
                    width = points[point] - points[point - 1] if point > 0 else 1.0
                    for s in range(species):
                        weight = cotangent[which, point - 1, s] if point > 0 else 0.0
                        room[(source + s) * group + at] = weight / width
                else:
                    for s in range(species):
                        room[(adjoint + s) * group + at] += cotangent[which, point, s]
                point -= 1
            place[lane] = point
        target = begin[lane]
        if now <= target:
            number = cursor[lane] - path_first - 1
            if number < 0:
                continue
            cursor[lane] -= 1
            room[FIRED * group + at] = np.float64(path_fired[lane * CHUNK + number])
            target = path_times[lane * CHUNK + number - 1] if number > 0 else path_clock[lane]
            begin[lane] = target
        if point >= 0 and points[point] > target:
            target = points[point]
        room[TARGET * group + at] = target
        going += 1
    return going
