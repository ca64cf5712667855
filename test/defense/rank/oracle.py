"""Scores of small random layers as numpy computes them: writes oracle.json beside this file. Needs python3-numpy and nothing else.

Numbers are multiples of 1/64, so that float32 and JSON hold them exactly.
"""
import json
import pathlib

import numpy as np

rng = np.random.default_rng(20220803)


def exact(*shape, low=-128, high=128):
    return rng.integers(low, high, shape) / 64


def listed(array):
    return {"dims": list(array.shape), "values": array.ravel().tolist()}


def clp(filters, scale, variance, epsilon):
    bounds = [np.linalg.svd(f.reshape(f.shape[0], -1), compute_uv=False)[0] for f in filters]
    return np.array(bounds) * np.abs(scale / np.sqrt(variance + epsilon))


def standard(scores):
    return (scores - scores.mean()) / scores.std(ddof=1)


kernels = {
    "conv": (exact(6, 4, 3, 3), 0),
    "wide conv": (exact(3, 20, 2, 2), 0),
    "pointwise conv": (exact(5, 7, 1, 1), 0),
    "depthwise conv": (exact(4, 1, 3, 3), 0),
    "transposed conv": (exact(4, 5, 2, 2), 1),
    "dense": (exact(8, 5), 1),
}
filters = []
for name, (kernel, axis) in kernels.items():
    each = np.moveaxis(kernel, axis, 0)
    scale = exact(len(each))
    variance = exact(len(each), low=1, high=200)
    epsilon = 1 / 64
    bounds = clp(each, scale, variance, epsilon)
    filters.append({
        "name": name, "axis": axis, "kernel": listed(kernel),
        "scale": scale.tolist(), "variance": variance.tolist(), "epsilon": epsilon,
        "l1": np.abs(each).reshape(len(each), -1).sum(1).tolist(),
        "spectral": clp(each, np.ones(len(each)), np.ones(len(each)), 0).tolist(),
        "clp": bounds.tolist(), "u": standard(bounds).tolist(),
    })

activations = exact(10, 4, 5, 3)
activations[:, 2] = 0
relu = np.maximum(activations, 0)
mean, variance, epsilon = exact(4), exact(4, low=1, high=200), 1 / 1024
s = activations.var((0, 2, 3), ddof=1) + epsilon
v = variance + epsilon
m = activations.mean((0, 2, 3))
images = {
    "activations": listed(activations), "mean": mean.tolist(), "variance": variance.tolist(), "epsilon": epsilon,
    "expected": {
        "mean": m.tolist(),
        "max": activations.max((0, 2, 3)).tolist(),
        "apoz": (relu == 0).mean((0, 2, 3)).tolist(),
        "bnp": (np.log(np.sqrt(v) / np.sqrt(s)) + (s + (m - mean) ** 2) / (2 * v) - 0.5).tolist(),
    },
}

path = pathlib.Path(__file__).with_name("oracle.json")
path.write_text(json.dumps({"numpy": np.__version__, "filters": filters, "images": images}) + "\n")
