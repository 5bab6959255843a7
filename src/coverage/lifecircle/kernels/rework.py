"""Plans under any side rows made better: a few options near each other close, and the best open instead.

*Options* are in *links*: option j in ``ol[op[j]:op[j + 1]]``, link l with the options ``lo[lp[l]:lp[l + 1]]``.
*Classes* have links ``kl[kp[c]:kp[c + 1]]`` and counts ``cc[cp[c]:cp[c + 1]]``: as many of these count, from the first
on, as options are open in the link that has fewest. A plan is worth what its options and counts are, and its *levels*,
less fines for side rows overrun. ``hr[hp[v]:hp[v + 1]]`` are the side rows of column v, options first, with values
``hv``; after them comes one row for each level with what all of its rows share.
"""

from __future__ import annotations

import numpy as np
from numba import njit

compiled = njit(cache=True, nogil=True, error_model="numpy")
inner = njit(  # type: ignore[call-overload]
    nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
)

LOOKS = 8
"""Links of an option by way of which others near it are found."""

WIDEST = 160
"""Options among which a turn chooses."""

PASSES = 2
"""How often a turn tries to exchange each option that it opened."""

TURN = 1000.0
"""What a turn takes beside the entries it touches, in entries."""


@inner
def _toggle(j, sign, graph, state):
    """Open (1) or close (-1) an option; return what its own worth and its counts change by, and the entries touched."""
    op, ol, class_of, kp, kl, cp, cc, hp, hr, hv, worth = graph
    open_in, counted, taken, mark, list_ = state
    n_options = len(op) - 1
    mark[-1] += 1
    stamp, n, change = mark[-1], 0, sign * worth[j]
    touched = op[j + 1] - op[j]
    for e in range(hp[j], hp[j + 1]):
        taken[hr[e]] += sign * hv[e]
    for e in range(op[j], op[j + 1]):
        open_in[ol[e]] += sign
        c = class_of[ol[e]]
        if mark[c] != stamp:
            mark[c] = stamp
            list_[n] = c
            n += 1
    for i in range(n):
        c = list_[i]
        new = cp[c + 1] - cp[c]
        for e in range(kp[c], kp[c + 1]):
            new = min(new, open_in[kl[e]])
        old = counted[c]
        if new == old:
            continue
        counted[c] = new
        up = 1 if new > old else -1
        for k in range(min(old, new), max(old, new)):
            column = n_options + cc[cp[c] + k]
            change += up * worth[column]
            for e in range(hp[column], hp[column + 1]):
                taken[hr[e]] += up * hv[e]
            touched += hp[column + 1] - hp[column]
    return change, touched


@inner
def _standing(taken, rows):
    """Return what the levels are worth, less the fines; a level is as high as its rows and its shared row let it be."""
    limit, slack, fine, flat, level, level_worth, level_top, heights = rows
    total = 0.0
    for k in range(len(heights)):
        heights[k] = np.inf
    for r in range(len(limit)):
        room = limit[r] - taken[r]
        if level[r] >= 0:
            heights[level[r]] = min(heights[level[r]], room)
        elif room < -slack[r]:
            total += fine[r] * room - flat
    for k in range(len(heights)):
        total += level_worth[k] * min(heights[k] - taken[len(limit) + k], level_top[k])
    return total


@compiled
def reworked(
    work, random, fewest, most, heat, site, op, ol, lp, lo, class_of, kp, kl, cp, cc, hp, hr, hv, worth, standing,
    limit, slack, fine, flat, level, level_worth, level_top, price, start,
):  # fmt: skip
    """Rework parts of the plan ``start`` until ``work`` is used up; return the best plan found.

    Each time, ``fewest`` to ``most`` open options around a random one close; what wins most for its price opens in
    their place, with some noise; then each new one is exchanged for a better one as long as there is one. The outcome
    stays unless it is worse by more than a random amount of mean ``heat``, which falls to 0 as the work is used up.
    """
    m, n_classes = len(op) - 1, len(kp) - 1
    open_in, counted = standing.copy(), np.zeros(n_classes, np.int64)
    mark, list_ = np.zeros(n_classes + 1, np.int64), np.empty(n_classes, np.int64)
    taken, heights = np.zeros(len(limit) + len(level_worth)), np.empty(len(level_worth))
    opened, busy = np.zeros(m, np.bool_), np.zeros(site.max() + 1, np.bool_)
    graph = op, ol, class_of, kp, kl, cp, cc, hp, hr, hv, worth
    state = open_in, counted, taken, mark, list_
    rows = limit, slack, fine, flat, level, level_worth, level_top, heights
    value = 0.0
    for c in range(n_classes):  # what counts before anything opens
        new = cp[c + 1] - cp[c]
        for e in range(kp[c], kp[c + 1]):
            new = min(new, open_in[kl[e]])
        counted[c] = new
        for k in range(new):
            column = m + cc[cp[c] + k]
            value += worth[column]
            for e in range(hp[column], hp[column + 1]):
                taken[hr[e]] += hv[e]
    for j in range(m):
        if start[j]:
            change, _ = _toggle(j, 1, graph, state)
            value += change
            opened[j], busy[site[j]] = True, True
    score = value + _standing(taken, rows)
    best, best_score = opened.copy(), score
    seen, queue = np.full(m, -1, np.int64), np.empty(m, np.int64)
    old, new_ones, near = np.empty(m, np.int64), np.empty(m, np.int64), np.empty(m, np.int64)
    done, turn = 0.0, 0
    while done < work:
        turn += 1
        wanted = fewest + random.integers(0, most - fewest + 1)
        head, tail, n_old, n_near = 0, 1, 0, 0
        queue[0] = random.integers(0, m)
        seen[queue[0]] = turn
        while head < tail and n_old < wanted and n_near < WIDEST:
            j = queue[head]
            head += 1
            near[n_near] = j
            n_near += 1
            if opened[j]:
                old[n_old] = j
                n_old += 1
            for _ in range(min(LOOKS, op[j + 1] - op[j])):
                link = ol[random.integers(op[j], op[j + 1])]
                for f in range(lp[link], lp[link + 1]):
                    k = lo[f]
                    if seen[k] != turn:
                        seen[k] = turn
                        queue[tail] = k
                        tail += 1
        if random.random() < 0.3:  # and one anywhere, which may pass on what a limit on all leaves
            j = random.integers(0, m)
            if opened[j] and seen[j] != turn:
                old[n_old], near[n_near] = j, j
                n_old, n_near = n_old + 1, n_near + 1
        before, value_before = score, value
        for i in range(n_old):
            j = old[i]
            change, touched = _toggle(j, -1, graph, state)
            value += change
            opened[j], busy[site[j]] = False, False
            done += touched
        score = value + _standing(taken, rows)
        noise = 0.3 * random.random()
        n_new, rounds, better = 0, 0, True
        while True:
            # First open what wins most, until nothing wins; then take one after the other out and see what wins most.
            growing = rounds == 0
            if not growing:
                at = (rounds - 1) % max(1, n_new)
                if n_new == 0 or (at == 0 and not better) or rounds > PASSES * n_new:
                    break
                better = better if at else False
                out = new_ones[at]
                change, touched = _toggle(out, -1, graph, state)
                value += change
                opened[out], busy[site[out]] = False, False
                score_with, score = score, value + _standing(taken, rows)
                done += touched
            pick, pick_rate = -1, 0.0
            for i in range(n_near):
                j = near[i]
                if opened[j] or busy[site[j]]:
                    continue
                change, touched = _toggle(j, 1, graph, state)
                gain = value + change + _standing(taken, rows) - score
                _toggle(j, -1, graph, state)
                done += 2 * touched + len(limit)
                rate = gain / price[j] * (1.0 - noise * random.random()) if growing else gain
                if gain > 1e-9 and rate > pick_rate:
                    pick, pick_rate = j, rate
            if not growing:
                # The one taken out comes back where no other is better for certain.
                if pick >= 0 and pick != out and score + pick_rate > score_with + 1e-9:
                    better = True
                else:
                    pick = out
                new_ones[at] = pick
                rounds += 1
            elif pick < 0:
                rounds = 1
                continue
            else:
                new_ones[n_new] = pick
                n_new += 1
            change, touched = _toggle(pick, 1, graph, state)
            value += change
            opened[pick], busy[site[pick]] = True, True
            score = value + _standing(taken, rows)
        done += TURN
        warmth = heat * (1.0 - done / work)
        if score >= before + warmth * np.log(1.0 - random.random()):
            if score > best_score + 1e-9:
                best, best_score = opened.copy(), score
        else:
            for i in range(n_new):
                j = new_ones[i]
                _toggle(j, -1, graph, state)
                opened[j], busy[site[j]] = False, False
            for i in range(n_old):
                j = old[i]
                _toggle(j, 1, graph, state)
                opened[j], busy[site[j]] = True, True
            score, value = before, value_before
    return best, turn
