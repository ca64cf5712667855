#!/usr/bin/python3
"""Losses and final weights of the net of test/train/torch-training.py, tuned by FT-SAM and by NAD in PyTorch, for torch.test.ts beside this script. Writes torch-tuning.json.

FT-SAM: both passes of adaptive SAM as github.com/davda54/sam has them (adaptive=True), which BackdoorBench's defense/ft-sam uses: the running statistics are those of the first pass.
NAD: attention loss of github.com/bboylyg/NAD, at.py (p = 2), at the pooling's output. The teacher has other weights and statistics and runs in eval mode.
Made with PyTorch 1.13.1:
    /usr/bin/python3 test/defense/repair/torch-tuning.py
"""
import json
import pathlib

import torch
from torch import nn
from torch.nn import functional as F

STEPS = 6
PIXELS = (37 * torch.arange(8 * 6 * 6 * 3) % 256).reshape(8, 6, 6, 3).permute(0, 3, 1, 2).float() / 255
LABELS = torch.arange(8) % 3


def wave(parameter, phase):
    values = 0.3 * torch.sin(1.3 * torch.arange(parameter.numel(), dtype=torch.float64) + phase)
    parameter.data = values.float().reshape(parameter.shape)


def net(shift=0):
    made = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 3))
    wave(made[0].weight, shift)
    wave(made[5].weight, 2 + shift)
    wave(made[5].bias, 3 + shift)
    return made


def result(made, losses):
    values = {"conv": made[0].weight, "gamma": made[1].weight, "mean": made[1].running_mean, "dense": made[5].weight}
    return {"losses": losses, **{name: [float(f"{v:.7g}") for v in value.reshape(-1).tolist()] for name, value in values.items()}}


def ft_sam(rho, lr):
    made = net()
    parameters = list(made.parameters())
    optimizer = torch.optim.SGD(parameters, lr=lr, momentum=0.9)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = F.cross_entropy(made(PIXELS), LABELS)
        loss.backward()
        losses.append(loss.item())
        norm = torch.norm(torch.stack([(p.abs() * p.grad).norm(p=2) for p in parameters]), p=2)
        old = [p.data.clone() for p in parameters]
        for p in parameters:
            p.data.add_(p.data.pow(2) * p.grad * (rho / (norm + 1e-12)))
        optimizer.zero_grad()
        made[1].momentum = 0
        F.cross_entropy(made(PIXELS), LABELS).backward()
        made[1].momentum = 0.1
        for p, before in zip(parameters, old):
            p.data = before
        optimizer.step()
    return result(made, losses)


def attention(activation):
    summed = activation.abs().pow(2).sum(dim=1, keepdim=True)
    return summed / (summed.norm(dim=(2, 3), keepdim=True) + 1e-6)


def nad(beta, lr):
    made, teacher = net(), net(shift=1)
    teacher[1].running_mean.fill_(0.1)
    teacher[1].running_var.fill_(2)
    teacher.eval()
    optimizer = torch.optim.SGD(made.parameters(), lr=lr, momentum=0.9)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        own = made[:4](PIXELS)
        taught = teacher[:4](PIXELS).detach()
        loss = F.cross_entropy(made[4:](own), LABELS) + beta * F.mse_loss(attention(own), attention(taught))
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
    return result(made, losses)


stored = {"ft-sam": ft_sam(rho=0.5, lr=0.1), "nad": nad(beta=20, lr=0.05)}
pathlib.Path(__file__).with_suffix(".json").write_text("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in stored.items()) + "\n}\n")
