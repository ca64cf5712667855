#!/usr/bin/python3
"""Gradients of the problems of anp, i-bau and trigger inversion by PyTorch, for the tests beside. Writes torch-minmax.json beside this script.

Net and images are those of test/train/torch-training.py. Made with PyTorch 1.13.1:
    /usr/bin/python3 test/defense/repair/torch-minmax.py
"""
import json
import pathlib

import torch
from torch.nn.functional import batch_norm, conv2d, cross_entropy, linear, max_pool2d, relu


def wave(shape, phase, scale=0.3, offset=0.0):
    count = torch.Size(shape).numel()
    return (offset + scale * torch.sin(1.3 * torch.arange(count, dtype=torch.float64) + phase)).float().reshape(shape)


X = (37 * torch.arange(8 * 6 * 6 * 3) % 256).reshape(8, 6, 6, 3).permute(0, 3, 1, 2).float() / 255
Y = torch.arange(8) % 3
CONV, DENSE, BIAS = wave([4, 3, 3, 3], 0), wave([3, 36], 2), wave([3], 3)


def logits(x, conv, gamma, beta, dense, bias, training):
    mean, variance = torch.zeros(4), torch.ones(4)
    z = relu(batch_norm(conv2d(x, conv, padding=1), mean, variance, gamma, beta, training=training))
    return linear(max_pool2d(z, 2).flatten(1), dense, bias)


def flat(tensor):
    return [float(f"{v:.7g}") for v in tensor.detach().reshape(-1).tolist()]


def inversion():
    mask, pattern = wave([1, 1, 6, 6], 1).requires_grad_(), wave([1, 3, 6, 6], 2, 1.0).requires_grad_()
    m = (torch.tanh(mask) + 1) / 2
    p = (torch.tanh(pattern) + 1) / 2
    out = logits((1 - m) * X + m * p, CONV, torch.ones(4), torch.zeros(4), DENSE, BIAS, False)
    loss = cross_entropy(out, torch.full([8], 2)) + 0.01 * m.sum()
    loss.backward()
    return {"loss": loss.item(), "mask": flat(mask.grad), "pattern": flat(pattern.grad)}


def neurons(epsilon, alpha):
    m = torch.ones(4, requires_grad=True)
    one = torch.ones(4, requires_grad=True)
    gamma, beta = torch.full([4], 0.8), torch.full([4], 0.3)
    clean = cross_entropy(logits(X, CONV, m * gamma, one * beta, DENSE, BIAS, True), Y)
    dm, db = torch.autograd.grad(clean, [m, one], retain_graph=True)
    scale, shift = (m + epsilon * dm.sign()) * gamma, (1 + epsilon * db.sign()) * beta
    worst = cross_entropy(logits(X, CONV, scale, shift, DENSE, BIAS, True), Y)
    loss = alpha * clean + (1 - alpha) * worst
    loss.backward()
    return {"loss": loss.item(), "mask": flat(m.grad)}


def hyper(iterations, rate):
    delta = wave([1, 3, 6, 6], 0.5, 0.1).requires_grad_()
    conv, dense, bias = CONV.clone().requires_grad_(), DENSE.clone().requires_grad_(), BIAS.clone().requires_grad_()
    gamma, beta = torch.ones(4, requires_grad=True), torch.zeros(4, requires_grad=True)
    theta = [conv, gamma, beta, dense, bias]
    chosen = (torch.arange(8) % 2).float().reshape(8, 1, 1, 1)
    outer = cross_entropy(logits(X + chosen * delta, *theta, False), Y)
    direct = torch.autograd.grad(outer, [delta, *theta])
    inner = -cross_entropy(logits(X + delta, *theta, False), Y) + 0.001 * delta.pow(2).sum()
    slope, = torch.autograd.grad(inner, delta, create_graph=True)
    v = direct[0]
    for _ in range(iterations):
        curved, = torch.autograd.grad(slope, delta, v, retain_graph=True)
        v = v - rate * curved + direct[0]
    mixed = torch.autograd.grad(slope, theta, v)
    total = [g - rate * h for g, h in zip(direct[1:], mixed)]
    names = ["conv.w", "gamma", "beta", "dense.w", "dense.b"]
    return {
        "loss": outer.item(),
        "direct": {name: flat(g) for name, g in zip(names, direct[1:])},
        "hyper": {name: flat(g) for name, g in zip(names, total)},
    }


result = {"inversion": inversion(), "neurons": neurons(0.4, 0.2), "hyper": hyper(1, 5.0)}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(result) + "\n")
