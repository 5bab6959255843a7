"""Plans made better by closing a few options near each other and opening the best instead, over and over.

Arrays as in ``cover``; ``rc[rp[c]:rp[c + 1]]`` are the options that reach class c.
"""

from __future__ import annotations

import numpy as np
from numba import njit

compiled = njit(cache=True, nogil=True, error_model="numpy")
inner = njit(  # type: ignore[call-overload]
    nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
)

SLACK = 1e-9
"""What a limit may be overrun by: sums that are kept up to date lose their last digits."""

LOOKS = 8
"""Classes of an option by way of which others near it are found."""

TURN = 1000.0
"""What a turn takes beside the entries it touches, in entries."""


@inner
def _open(j, cp, ci, rp, rc, weight, op, ol, ov, count, gain, room):
    """Open an option; return what that wins. ``gain`` of the others falls by what they now share with it."""
    won = 0.0
    for e in range(cp[j], cp[j + 1]):
        c = ci[e]
        count[c] += 1
        if count[c] == 1:
            won += weight[c]
            for f in range(rp[c], rp[c + 1]):
                gain[rc[f]] -= weight[c]
    for e in range(op[j], op[j + 1]):
        room[ol[e]] -= ov[e]
    return won


@inner
def _close(j, cp, ci, rp, rc, weight, op, ol, ov, count, gain, room):
    """Close an option; return what that loses."""
    lost = 0.0
    for e in range(cp[j], cp[j + 1]):
        c = ci[e]
        count[c] -= 1
        if count[c] == 0:
            lost += weight[c]
            for f in range(rp[c], rp[c + 1]):
                gain[rc[f]] += weight[c]
    for e in range(op[j], op[j + 1]):
        room[ol[e]] += ov[e]
    return lost


@inner
def _over(room):
    total = 0.0
    for r in range(len(room)):
        if room[r] < -SLACK:
            total -= room[r]
    return total


@inner
def _best(opened, gain, price, noise, least, op, ol, ov, room, random):
    """Return the option that wins most for its price, more than ``least``, and fits; -1: none does.

    Where a limit is overrun, as one that asks for stations in an area, only those that help count, whatever they win.
    """
    short = _over(room) > 0.0
    best, best_score = -1, -1.0 if short else least
    for j in range(len(opened)):
        if opened[j]:
            continue
        score = gain[j] / price[j]
        if score <= best_score:
            continue
        if noise > 0.0:
            score *= 1.0 - noise * random.random()
            if score <= best_score:
                continue
        fits, helps = True, not short
        for e in range(op[j], op[j + 1]):
            if ov[e] > 0.0 and ov[e] > room[ol[e]] + SLACK:
                fits = False
                break
            helps = helps or (ov[e] < 0.0 and room[ol[e]] < -SLACK)
        if fits and helps:
            best, best_score = j, score
    return best


@compiled
def rebuilt(
    work, random, fewest, most, heat, cp, ci, rp, rc, weight, price, op, ol, ov, limit, start
):  # fmt: skip
    """Rebuild parts of the plan ``start`` until ``work`` is used up; return the best plan found, and how often one was.

    Each time, ``fewest`` to ``most`` open options around a random one close; what wins most for its price opens in
    their place, with some noise; then each new one is exchanged for a better one as long as there is one. The outcome
    stays unless it is worse by more than a random amount of mean ``heat``, which falls to 0 as the work is used up.
    """
    m = len(cp) - 1
    opened, count, gain, room = start.copy(), np.zeros(len(weight), np.int32), np.zeros(m), limit.copy()
    for j in range(m):
        for e in range(cp[j], cp[j + 1]):
            gain[j] += weight[ci[e]]
    value = 0.0
    for j in range(m):
        if opened[j]:
            value += _open(j, cp, ci, rp, rc, weight, op, ol, ov, count, gain, room)
    over = _over(room)
    best, best_value, best_over = opened.copy(), value, over
    seen, queue = np.full(m, -1, np.int64), np.empty(m, np.int32)
    old, new = np.empty(m, np.int32), np.empty(m, np.int32)
    breadth = len(ci) / max(1, m) * (1.0 + len(rc) / max(1, len(weight)))  # entries touched as one option changes
    done, turn = 0.0, 0
    while done < work:
        turn += 1
        # Outwards from an option taken at random, by way of some classes of each, until enough open ones are found.
        wanted = fewest + random.integers(0, most - fewest + 1)
        head, tail, n_old = 0, 1, 0
        queue[0] = random.integers(0, m)
        seen[queue[0]] = turn
        while head < tail and n_old < wanted:
            j = queue[head]
            head += 1
            if opened[j]:
                old[n_old] = j
                n_old += 1
            for _ in range(min(LOOKS, cp[j + 1] - cp[j])):
                c = ci[random.integers(cp[j], cp[j + 1])]
                for f in range(rp[c], rp[c + 1]):
                    k = rc[f]
                    if seen[k] != turn:
                        seen[k] = turn
                        queue[tail] = k
                        tail += 1
        before, over_before = value, over
        for i in range(n_old):
            opened[old[i]] = False
            value -= _close(old[i], cp, ci, rp, rc, weight, op, ol, ov, count, gain, room)
        noise = 0.3 * random.random()
        n_new, changes = 0, n_old
        while n_new < m:
            j = _best(opened, gain, price, noise, 0.0, op, ol, ov, room, random)
            if j < 0:
                break
            opened[j] = True
            new[n_new] = j
            n_new += 1
            value += _open(j, cp, ci, rp, rc, weight, op, ol, ov, count, gain, room)
        changes += n_new
        better = True
        for _ in range(4):
            if not better:
                break
            better = False
            for i in range(n_new):
                j = new[i]
                lost = _close(j, cp, ci, rp, rc, weight, op, ol, ov, count, gain, room)
                opened[j] = False
                k = _best(opened, gain, price, 0.0, lost / price[j] * (1.0 + 1e-12) + 1e-12, op, ol, ov, room, random)
                k = j if k < 0 else k
                new[i] = k
                opened[k] = True
                value += _open(k, cp, ci, rp, rc, weight, op, ol, ov, count, gain, room) - lost
                better = better or k != j
            changes += 2 * n_new
        done += TURN + (breadth + 2.0 * m) * (1 + changes)
        over = _over(room)
        warmth = heat * (1.0 - done / work)
        stays = over < over_before or (over == over_before and value >= before + warmth * np.log(1.0 - random.random()))
        if stays:
            if over < best_over or (over == best_over and value > best_value):
                best, best_value, best_over = opened.copy(), value, over
        else:
            for i in range(n_new):
                opened[new[i]] = False
                _close(new[i], cp, ci, rp, rc, weight, op, ol, ov, count, gain, room)
            for i in range(n_old):
                opened[old[i]] = True
                _open(old[i], cp, ci, rp, rc, weight, op, ol, ov, count, gain, room)
            value, over = before, over_before
    return best, turn
