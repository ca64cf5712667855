#!/usr/bin/python3
"""Losses and final weights of a small net trained by PyTorch, for test/train/torch.test.ts. Writes torch-training.json beside this script.

Net: conv 3->4 3x3 padding 1 without bias (in front of a normalization its gradient is rounding noise, which Adam would blow up), batch normalization, ReLU, max pooling 2, dense 36->3. First weights are waves 0.3 sin(1.3 i + phase). All 8 images
of 6x6 are one batch: pixel i is (37 i mod 256) / 255 in NHWC order, label i mod 3. Made with PyTorch 1.13.1:
    /usr/bin/python3 test/train/torch-training.py
"""
import json
import pathlib

import torch
from torch import nn

STEPS = 6


def wave(parameter, phase):
    values = 0.3 * torch.sin(1.3 * torch.arange(parameter.numel(), dtype=torch.float64) + phase)
    parameter.data = values.float().reshape(parameter.shape)


def run(make_optimizer, smoothing=0.0, clip=None, rates=None):
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 3))
    wave(net[0].weight, 0)
    wave(net[5].weight, 2)
    wave(net[5].bias, 3)
    pixels = (37 * torch.arange(8 * 6 * 6 * 3) % 256).reshape(8, 6, 6, 3).permute(0, 3, 1, 2).float() / 255
    labels = torch.arange(8) % 3
    kernels = [net[0].weight, net[5].weight]
    others = [net[1].weight, net[1].bias, net[5].bias]
    optimizer = make_optimizer(kernels, others)
    loss_of = nn.CrossEntropyLoss(label_smoothing=smoothing)
    losses = []
    for step in range(STEPS):
        if rates:
            for group in optimizer.param_groups:
                group["lr"] = rates[step]
        optimizer.zero_grad()
        loss = loss_of(net(pixels), labels)
        loss.backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(net.parameters(), clip)
        optimizer.step()
        losses.append(loss.item())
    values = {"conv": net[0].weight, "gamma": net[1].weight, "mean": net[1].running_mean, "dense": net[5].weight}
    return {"losses": losses, **{name: [float(f"{v:.7g}") for v in value.reshape(-1).tolist()] for name, value in values.items()}}


def decayed(optimizer, decay, **options):
    """Weight decay on kernels only, as goodnet has it."""
    return lambda kernels, others: optimizer([{"params": kernels, "weight_decay": decay}, {"params": others, "weight_decay": 0}], **options)


def one_cycle():
    parameter = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=20, cycle_momentum=False)
    rates = []
    for _ in range(20):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        if len(rates) < 20:
            schedule.step()
    return rates


stored = {
    "sgd": run(decayed(torch.optim.SGD, 0, lr=0.1)),
    "sgd with momentum": run(decayed(torch.optim.SGD, 0, lr=0.1, momentum=0.9)),
    "sgd with nesterov momentum and weight decay": run(decayed(torch.optim.SGD, 0.05, lr=0.1, momentum=0.9, nesterov=True)),
    "sgd with label smoothing and clipping": run(decayed(torch.optim.SGD, 0, lr=0.5, momentum=0.9), smoothing=0.2, clip=0.25),
    "adam": run(decayed(torch.optim.Adam, 0, lr=0.01)),
    "adam with weight decay": run(decayed(torch.optim.Adam, 0.05, lr=0.01)),
    "adamw": run(decayed(torch.optim.AdamW, 0.05, lr=0.01)),
    "one cycle": {"rates": one_cycle()},
}
pathlib.Path(__file__).with_suffix(".json").write_text("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in stored.items()) + "\n}\n")
