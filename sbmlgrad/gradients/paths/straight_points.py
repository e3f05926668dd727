"""What points of a readout add to the walk back of `StraightThrough`, as kernel functions.

`take_points` is printed into the kernel of every network (`codegen.straight_source`), since passing
arrays to a function costs more than looking at a lane. Rows of `room` are those of
`codegen.straight_form`.
"""

from __future__ import annotations

from sbmlgrad.codegen.straight_form import CLOCK, CLOCK_BEFORE, MARK
from sbmlgrad.engines.codes import FIRING_COUNTS, INTERPOLATED, WINDOWS


def begin_lane(room, lane, lanes, kind, points, weights, end, firings, species, adjoint, source):
    """Take up what the readout says of the state after the last firing; returns the next point.

    The state persists; nothing there depends on a firing that never comes.

    Args:
        room: rows, all 0 but counts and firings.
        lane: which lane.
        lanes: how many.
        kind: of readout, as in `engines.codes`.
        points: of it.
        weights: derivative of the loss in the readout, [point, column].
        end: time of the last firing.
        firings: of the trajectory.
        species: how many.
        adjoint: first row of λ.
        source: first row of what windows add along the path.
    """
    point = weights.shape[0] - 1
    if kind == WINDOWS:
        for w in range(weights.shape[0]):
            width = points[w + 1] - points[w]
            overlap = points[w + 1] - max(end, points[w])
            for s in range(species):
                if overlap > 0.0:
                    room[(adjoint + s) * lanes + lane] += weights[w, s] * (overlap / width)
                room[(source + s) * lanes + lane] = weights[w, s] / width
        room[MARK * lanes + lane] = points[point]
        return point
    if kind == FIRING_COUNTS:
        while point >= 0 and points[point] >= firings:
            for s in range(species):
                room[(adjoint + s) * lanes + lane] += weights[point, s]
            room[CLOCK * lanes + lane] += weights[point, species]
            point -= 1
    elif kind == INTERPOLATED:
        while point >= 0 and points[point] > end:
            for s in range(species):
                room[(adjoint + s) * lanes + lane] += weights[point, s]
            point -= 1
    room[MARK * lanes + lane] = points[point] if point >= 0 else -1.0
    return point


def take_points(
    room,
    fired,
    times,
    base,
    number,
    kind,
    points,
    cotangent,
    trajectory,
    firings,
    place,
    change,
    adjoint,
    pending,
    source,
    lanes,
):
    """Add what points between the firing to undo and the one before it contribute, lane by lane.

    Args:
        room: rows of all lanes.
        fired: reactions of the chunk, uint8 [row * lanes + lane].
        times: of the firings before each row, and after the last.
        base: where the row of the firing to undo begins.
        number: of that firing, from 0.
        kind: of readout, as in `engines.codes`.
        points: of it.
        cotangent: derivative of the loss in it, [trajectory or 1, point, column].
        trajectory: row of the batch, [lane].
        firings: of the trajectory, [lane].
        place: last point that is not taken up, of windows the last that begins before the firing,
            [lane].
        change: of counts by a firing, [reaction, species].
        adjoint: first row of λ after the firing.
        pending: first row of what is added to it before the firing.
        source: first row of what windows add along the path.
        lanes: how many.
    """
    species = change.shape[1]
    for lane in range(lanes):
        before = times[base + lane]
        reached = number if kind == FIRING_COUNTS else before
        if not (room[MARK * lanes + lane] > reached and firings[lane] > number):
            continue
        after = times[base + lanes + lane]
        which = trajectory[lane] if cotangent.shape[0] > 1 else 0
        point = place[lane]
        if kind == WINDOWS:
            while point >= 0 and points[point] >= after:
                point -= 1
            for s in range(species):
                weight = 0.0
                if point >= 0:
                    weight = cotangent[which, point, s] / (points[point + 1] - points[point])
                room[(source + s) * lanes + lane] = weight
            # Windows that end within the interval; the one that holds its end lies along the path.
            window = point - 1
            while window >= 0 and points[window + 1] > before:
                width = points[window + 1] - points[window]
                overlap = points[window + 1] - max(before, points[window])
                for s in range(species):
                    weight = cotangent[which, window, s] * (overlap / width)
                    room[(pending + s) * lanes + lane] += weight
                window -= 1
        elif kind == INTERPOLATED:
            waiting = after - before
            reaction = fired[base + lane]
            while point >= 0 and points[point] > before:
                share = (points[point] - before) / waiting
                slope = 0.0
                for s in range(species):
                    weight = cotangent[which, point, s]
                    slope += change[reaction, s] * weight
                    room[(adjoint + s) * lanes + lane] += share * weight
                    room[(pending + s) * lanes + lane] += (1.0 - share) * weight
                room[CLOCK * lanes + lane] -= share * slope / waiting
                room[CLOCK_BEFORE * lanes + lane] -= (1.0 - share) * slope / waiting
                point -= 1
        else:
            while point >= 0 and points[point] > number:
                for s in range(species):
                    room[(adjoint + s) * lanes + lane] += cotangent[which, point, s]
                room[CLOCK * lanes + lane] += cotangent[which, point, species]
                point -= 1
        place[lane] = point
        room[MARK * lanes + lane] = points[point] if point >= 0 else -1.0
