"""AUROC by counting pairs, and the ends of its interval by root finding (scipy), for test/metrics/auroc.test.ts.

SE as in Hanley & McNeil, Radiology 143 (1982), taken at the area that is asked about. Run: python3 auroc-oracle.py > auroc-oracle.json
"""
import json

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm


def variance(a, n, m):
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    return (a * (1 - a) + (n - 1) * (q1 - a * a) + (m - 1) * (q2 - a * a)) / (n * m)


def end(observed, n, m, toward):
    z = norm.ppf(0.975)
    if observed == toward:
        return toward
    away = lambda a: abs(a - observed) - z * np.sqrt(variance(a, n, m))
    nudge = 1e-9 if toward == 0 else -1e-9
    return brentq(away, toward + nudge, observed - nudge, xtol=1e-14)


def case(positives, negatives):
    p, q = np.array(positives, float)[:, None], np.array(negatives, float)[None, :]
    area = float(np.mean((p > q) + 0.5 * (p == q)))
    n, m = len(positives), len(negatives)
    return {"positives": positives, "negatives": negatives, "value": area,
            "low": end(area, n, m, 0), "high": end(area, n, m, 1)}


random = np.random.RandomState(7)
draw = lambda mean, size, digits: [round(float(x), digits) for x in random.normal(mean, 1, size)]
cases = [
    case(draw(1, 30, 3), draw(0, 40, 3)),
    case(draw(1, 50, 0), draw(0, 20, 0)),
    case(draw(-0.3, 12, 1), draw(0, 60, 1)),
    case(draw(30, 52, 2), draw(0, 52, 2)),
    case([0, 0, 1, 1, 1], [0, 0, 0, 0, 1, 0]),
    case([2], [1, 3]),
]
print(json.dumps(cases))
