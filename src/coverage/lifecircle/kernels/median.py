"""Searches over who walks how far: what walks save, steps to a bound, plans rebuilt in part.

Home i has the sites ``ls[lp[i]:lp[i + 1]]`` at ``lt`` seconds, ascending; whom none of its sites serves walks
``otherwise[i]``, which is no less than any of them. Site j is on the lists of ``sh[sp[j]:sp[j + 1]]``, there as the
entries ``se``.
"""

from __future__ import annotations

import numpy as np
from numba import njit

compiled = njit(cache=True, nogil=True, error_model="numpy")
inner = njit(  # type: ignore[call-overload]
    nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
)

LOOKS = 8
"""Homes of a site by way of which other open sites near it are found."""

TURN = 1000.0
"""What a turn takes beside the entries it touches, in entries."""


# ------------------------------------------------------------------------------------------------ towards a bound


@compiled
def site_savings(lp, ls, lt, weight, u, n_sites):
    """Return what each site saves where a home pays ``u``: the sum of weight (u - seconds) over who is nearer."""
    saved = np.zeros(n_sites)
    for i in range(len(u)):
        for e in range(lp[i], lp[i + 1]):
            if lt[e] >= u[i]:
                break
            saved[ls[e]] += weight[i] * (u[i] - lt[e])
    return saved


@compiled
def filled(lp, ls, lt, weight, otherwise, x):
    """Return the seconds walked where every site j serves x[j] of a home, the nearest first, and the last of each."""
    total, last = 0.0, np.empty(len(weight))
    for i in range(len(weight)):
        left, walked, at = 1.0, 0.0, otherwise[i]
        for e in range(lp[i], lp[i + 1]):
            part = min(left, x[ls[e]])
            walked += part * lt[e]
            left -= part
            if left <= 1e-12:
                at = lt[e]
                break
        total += weight[i] * (walked + left * otherwise[i])
        last[i] = at
    return total, last


@compiled
def step_sizes(lp, ls, lt, weight, u, n_sites):
    """Return per site the weight, and per home the number of sites, of the pairs nearer than ``u``."""
    pulled, degree = np.zeros(n_sites), np.zeros(len(u))
    for i in range(len(u)):
        for e in range(lp[i], lp[i + 1]):
            if lt[e] >= u[i]:
                break
            pulled[ls[e]] += weight[i]
            degree[i] += 1.0
    return pulled, degree


@compiled
def median_steps(
    n_steps, omega, n_new, lp, ls, lt, weight, most, tau, degree, x, u, saved, before, x_sum, u_sum
):  # fmt: skip
    """Take steps towards the saddle point of min over x, max over u of the Lagrangian of a median; add up the path.

    With 0 <= x <= 1, at most ``n_new`` in sum, and 0 <= u <= ``most``: sum of weight u - sum over pairs of
    x weight max(0, u - seconds). One step in x along what the sites save, extrapolated, and projected; one in u,
    exactly. ``saved`` is what the sites save at u and ``before`` at the u of a step ago. All are brought up to date;
    the entries touched are returned.
    """
    m, touched = len(x), 0
    target = np.empty(m)
    for _ in range(n_steps):
        for j in range(m):
            target[j] = x[j] + tau[j] / omega * (2.0 * saved[j] - before[j])
        price = _price(target, tau, n_new)
        for j in range(m):
            x[j] = min(max(target[j] - tau[j] * price, 0.0), 1.0)
            x_sum[j] += x[j]
            before[j] = saved[j]
            saved[j] = 0.0
        for i in range(len(u)):
            step, open_part = omega / degree[i], 0.0
            at = u[i] + step
            for e in range(lp[i], lp[i + 1]):
                if at <= lt[e]:
                    break
                open_part += x[ls[e]]
                if u[i] + step * (1.0 - open_part) <= lt[e]:
                    at = lt[e]
                    break
                at = u[i] + step * (1.0 - open_part)
            u[i] = min(max(at, 0.0), most[i])
            u_sum[i] += u[i]
            end = lp[i]
            while end < lp[i + 1] and lt[end] < u[i]:
                saved[ls[end]] += weight[i] * (u[i] - lt[end])
                end += 1
            touched += end - lp[i] + 1
    return touched


@inner
def _price(target, step, n_new):
    """Return the price, 0 or more, at which the clipped ``target - step * price`` adds up to at most ``n_new``."""
    low, high, at = 0.0, np.inf, 0.0
    for _ in range(100):
        over, slope = -float(n_new), 0.0
        for j in range(len(target)):
            v = target[j] - step[j] * at
            if v >= 1.0:
                over += 1.0
            elif v > 0.0:
                over += v
                slope += step[j]
        if over > 0.0:
            low = at
        else:
            high = at
        if abs(over) <= 1e-9 * (1.0 + n_new) or (over <= 0.0 and at == 0.0):
            break
        # Newton's step, kept inside of what is known; where nothing moves, outwards.
        new = at + over / slope if slope > 0.0 else np.inf
        if not low < new < high:
            new = 0.5 * (low + high) if high < np.inf else max(1.0, 2.0 * at) / max(1e-12, step.max())
        if new == at:
            break
        at = new
    return at


# --------------------------------------------------------------------------------------------------- better plans


@inner
def _open(j, lp, ls, lt, otherwise, weight, sp, sh, se, first, second, gain):
    """Open a site; return the seconds that saves. ``gain`` is what each would save of what is walked then."""
    won = 0.0
    for k in range(sp[j], sp[j + 1]):
        i, e = sh[k], se[k]
        if e < first[i]:
            now, was = lt[e], lt[first[i]] if first[i] < lp[i + 1] else otherwise[i]
            won += weight[i] * (was - now)
            for f in range(lp[i], first[i]):
                gain[ls[f]] -= weight[i] * (was - max(lt[f], now))
            first[i], second[i] = e, first[i]
        elif e < second[i]:
            second[i] = e
    return won


@inner
def _close(j, lp, ls, lt, otherwise, weight, sp, sh, se, first, second, gain, opened):
    """Close a site, no longer among the ``opened``; return the seconds that loses."""
    lost = 0.0
    for k in range(sp[j], sp[j + 1]):
        i, e = sh[k], se[k]
        if e > second[i]:
            continue
        if e == first[i]:
            was, now = lt[e], lt[second[i]] if second[i] < lp[i + 1] else otherwise[i]
            lost += weight[i] * (now - was)
            for f in range(lp[i], second[i]):
                gain[ls[f]] += weight[i] * (now - max(lt[f], was))
            first[i] = second[i]
        f = second[i] + 1
        while f < lp[i + 1] and not opened[ls[f]]:
            f += 1
        second[i] = min(f, lp[i + 1])
    return lost


@inner
def _best(opened, gain, noise, least, random):
    """Return the closed site that saves most, more than ``least``; -1: none does."""
    best, best_gain = -1, least
    for j in range(len(opened)):
        if gain[j] <= best_gain or opened[j]:
            continue
        score = gain[j]
        if noise > 0.0:
            score *= 1.0 - noise * random.random()
            if score <= best_gain:
                continue
        best, best_gain = j, score
    return best


@compiled
def rebuilt_median(
    work, random, fewest, most, heat, n_new, lp, ls, lt, otherwise, weight, sp, sh, se, start
):  # fmt: skip
    """Rebuild parts of the plan ``start`` until ``work`` is used up; return the best plan found, and how often one was.

    What ``start`` lacks of ``n_new`` sites opens first, whatever saves most. Then, each time, ``fewest`` to ``most``
    open sites near a random one close; what saves most opens in their place, with some noise; then each new one is
    exchanged for a better one as long as there is one (M. Resende, R. Werneck, 2004, A hybrid heuristic for the
    p-median problem, has the gains kept up to date). The outcome stays unless it is worse by more than a random
    amount of mean ``heat``, which falls to 0 as the work is used up.
    """
    m = len(sp) - 1
    opened, gain = np.zeros(m, np.bool_), np.zeros(m)
    first, second = lp[1:].copy(), lp[1:].copy()
    for i in range(len(weight)):
        for e in range(lp[i], lp[i + 1]):
            gain[ls[e]] += weight[i] * (otherwise[i] - lt[e])
    where, n_open = np.empty(max(n_new, start.sum()), np.int32), 0
    saved = 0.0
    for j in range(m):
        if start[j]:
            opened[j] = True
            where[n_open] = j
            n_open += 1
            saved += _open(j, lp, ls, lt, otherwise, weight, sp, sh, se, first, second, gain)
    while n_open < n_new:
        j = _best(opened, gain, 0.0, 0.0, random)
        if j < 0:
            break
        opened[j] = True
        where[n_open] = j
        n_open += 1
        saved += _open(j, lp, ls, lt, otherwise, weight, sp, sh, se, first, second, gain)
    best, best_saved = opened.copy(), saved
    if n_open == 0:
        return best, 0
    seen, slots, new = np.full(m, -1, np.int64), np.empty(n_open, np.int32), np.empty(n_open, np.int32)
    slot_of = np.full(m, -1, np.int32)
    for slot in range(n_open):
        slot_of[where[slot]] = slot
    breadth = 2.0 * len(ls) / max(1, m) * (1.0 + len(ls) / max(1, len(weight)) / max(1.0, n_open / 8.0))
    done, turn = 0.0, 0
    while done < work:
        turn += 1
        # Outwards from an open site taken at random, by way of some homes of each, until enough are found.
        wanted = min(n_open, fewest + random.integers(0, most - fewest + 1))
        slots[0] = random.integers(0, n_open)
        seen[where[slots[0]]] = turn
        head, n_old = 0, 1
        while head < n_old and n_old < wanted:
            j = where[slots[head]]
            head += 1
            for _ in range(min(LOOKS, sp[j + 1] - sp[j])):
                i = sh[random.integers(sp[j], sp[j + 1])]
                for e in (first[i], second[i]):
                    if e < lp[i + 1] and seen[ls[e]] != turn and n_old < wanted:
                        seen[ls[e]] = turn
                        slots[n_old] = slot_of[ls[e]]
                        n_old += 1
        before = saved
        for a in range(n_old):
            j = where[slots[a]]
            opened[j] = False
            saved -= _close(j, lp, ls, lt, otherwise, weight, sp, sh, se, first, second, gain, opened)
        noise, changes = 0.3 * random.random(), 2 * n_old
        for a in range(n_old):
            j = _best(opened, gain, noise, -1.0, random)
            opened[j] = True
            new[a] = j
            saved += _open(j, lp, ls, lt, otherwise, weight, sp, sh, se, first, second, gain)
        better = True
        for _ in range(4):
            if not better:
                break
            better = False
            for a in range(n_old):
                j = new[a]
                opened[j] = False
                lost = _close(j, lp, ls, lt, otherwise, weight, sp, sh, se, first, second, gain, opened)
                k = _best(opened, gain, 0.0, lost * (1.0 + 1e-12) + 1e-12, random)
                k = j if k < 0 else k
                opened[k] = True
                new[a] = k
                saved += _open(k, lp, ls, lt, otherwise, weight, sp, sh, se, first, second, gain) - lost
                better = better or k != j
            changes += 2 * n_old
        done += TURN + (breadth + 0.5 * m) * changes
        warmth = heat * max(0.0, 1.0 - done / work)
        if saved >= before + warmth * np.log(1.0 - random.random()):
            for a in range(n_old):
                where[slots[a]] = new[a]
            for a in range(n_old):
                slot_of[new[a]] = slots[a]
            if saved > best_saved:
                best, best_saved = opened.copy(), saved
        else:
            for a in range(n_old):
                opened[new[a]] = False
                _close(new[a], lp, ls, lt, otherwise, weight, sp, sh, se, first, second, gain, opened)
            for a in range(n_old):
                j = where[slots[a]]
                opened[j] = True
                _open(j, lp, ls, lt, otherwise, weight, sp, sh, se, first, second, gain)
            saved = before
    return best, turn
