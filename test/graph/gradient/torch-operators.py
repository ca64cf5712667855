"""Gradients of the examples in cases.ts, by PyTorch in float64. Run with /usr/bin/python3; writes torch-operators.json beside itself."""
import json, os
import numpy as np
import torch
import torch.nn.functional as F

def wave(dims, phase=0.0, scale=1.0, offset=0.0):
    n = int(np.prod(dims)) if len(dims) else 1
    return (offset + scale * np.sin(1.3 * np.arange(n) + phase)).reshape(dims)

def away(array, kinks, distance=0.05):
    out = array.copy()
    for kink in kinks:
        near = np.abs(out - kink) < distance
        out = np.where(near, np.where(out < kink, kink - distance, kink + distance), out)
    return out

def scattered(dims):
    n = int(np.prod(dims))
    return ((2 * ((np.arange(n) * 7919) % n) + 1) / n - 1).reshape(dims)

S = [2, 3, 4]
x = wave(S)
pos = wave(S, 0, 1, 2)
abc = dict(a=wave(S), b=wave([4], 1), c=wave([3, 1], 2))
long = lambda values: torch.tensor(values)

def reverse_slice(x):
    return x[:, :, [5, 3, 1]][:, [4, 3, 2, 1]]

CASES = {
    'Add': (lambda a, b: a + b, dict(a=wave([2, 1, 4]), b=wave([3, 1], 1))),
    'Sub': (lambda a, b: a - b, dict(a=wave([3, 4]), b=wave(S, 1))),
    'Mul': (lambda a, b: a * b, dict(a=wave([2, 1, 4]), b=wave([3, 1], 1))),
    'Div': (lambda a, b: a / b, dict(a=wave([2, 1, 4]), b=wave([3, 1], 1, 1, 2))),
    'Neg': (lambda x: -x, dict(x=x)),
    'Sum': (lambda a, b, c: a + b + c, abc),
    'Mean': (lambda a, b, c: (a + b + c) / 3, abc),
    'Pow': (lambda a, b: a ** b, dict(a=pos, b=wave([3, 1], 1, 2))),
    'Pow 2': (lambda a: a ** 2, dict(a=x)),
    'Pow 0.5': (lambda a: a ** 0.5, dict(a=pos)),
    'Pow 3, an integer': (lambda a: a ** 3, dict(a=x)),
    'Pow of integers that are fed': (lambda a: a ** long([1, 2, 3, 4]), dict(a=x)),
    'Sqrt': (torch.sqrt, dict(x=pos)),
    'Exp': (torch.exp, dict(x=x)),
    'Log': (torch.log, dict(x=pos)),
    'Abs': (torch.abs, dict(x=away(x, [0]))),
    'Reciprocal': (torch.reciprocal, dict(x=pos)),
    'Erf': (torch.erf, dict(x=x)),
    'Sin': (torch.sin, dict(x=x)),
    'Cos': (torch.cos, dict(x=x)),
    'Relu': (F.relu, dict(x=away(x, [0]))),
    'LeakyRelu': (lambda x: F.leaky_relu(x, 0.1), dict(x=away(x, [0]))),
    'PRelu': (lambda x, slope: torch.where(x > 0, x, slope * x), dict(x=away(x, [0]), slope=wave([3, 1], 1))),
    'Elu': (lambda x: F.elu(x, 0.7), dict(x=away(x, [0]))),
    'Selu': (F.selu, dict(x=away(x, [0]))),
    'Sigmoid': (torch.sigmoid, dict(x=x)),
    'Tanh': (torch.tanh, dict(x=x)),
    'Softplus': (F.softplus, dict(x=x)),
    'Softsign': (F.softsign, dict(x=away(x, [0]))),
    'HardSigmoid': (lambda x: torch.clamp(0.2 * x + 0.5, 0, 1), dict(x=away(wave(S, 0, 4), [-2.5, 2.5]))),
    'HardSwish': (F.hardswish, dict(x=away(wave(S, 0, 5), [-3, 3]))),
    'Gelu': (F.gelu, dict(x=wave(S, 0, 2))),
    'Gelu by tanh': (lambda x: F.gelu(x, approximate='tanh'), dict(x=wave(S, 0, 2))),
    'Mish': (F.mish, dict(x=wave(S, 0, 2))),
    'Softmax': (lambda x: F.softmax(x, -1), dict(x=x)),
    'Softmax over the middle axis': (lambda x: F.softmax(x, 1), dict(x=x)),
    'LogSoftmax': (lambda x: F.log_softmax(x, -1), dict(x=x)),
    'LogSoftmax over the first axis': (lambda x: F.log_softmax(x, 0), dict(x=x)),
    'Min': (lambda a, b, c: torch.minimum(torch.minimum(a, b), c), dict(a=wave(S), b=wave([4], 2.6), c=wave([3, 1], 1))),
    'Max': (torch.maximum, dict(a=wave(S), b=wave([3, 1], 1))),
    'Where': (lambda a, b: torch.where(torch.tensor([[True], [False], [True]]), a, b), dict(a=wave([2, 1, 4]), b=wave([4], 1))),
    'Clip': (lambda x, low, high: torch.clamp(x, low, high), dict(x=away(x, [-0.5, 0.5]), low=np.array(-0.5), high=np.array(0.5))),
    'Gemm': (lambda a, b, c: 0.5 * a.T @ b.T + 2 * c, dict(a=wave([4, 3]), b=wave([5, 4], 1), c=wave([5], 2))),
    'MatMul': (torch.matmul, dict(a=wave([2, 1, 3, 4]), b=wave([3, 4, 2], 1))),
    'MatMul with one matrix': (torch.matmul, dict(a=wave(S), b=wave([4, 5], 1))),
    'MatMul with a vector': (torch.matmul, dict(a=wave(S), b=wave([4], 1))),
    'Reshape': (lambda x: x.reshape(4, -1), dict(x=x)),
    'Flatten': (lambda x: x.reshape(6, 4), dict(x=x)),
    'Squeeze': (lambda x: x.reshape(2, 3), dict(x=wave([2, 1, 3, 1]))),
    'Unsqueeze': (lambda x: x[None, ..., None], dict(x=x)),
    'Transpose': (lambda x: x.permute(2, 0, 1), dict(x=x)),
    'Transpose, reversed': (lambda x: x.permute(2, 1, 0), dict(x=x)),
    'Concat': (lambda a, b, c: torch.cat([a, b, c], 1), dict(a=wave([2, 1, 4]), b=wave(S, 1), c=wave([2, 2, 4], 2))),
    'Split': (lambda x: torch.split(x, [1, 3], -1), dict(x=x)),
    'Expand': (lambda x: x.expand(2, 3, 4), dict(x=wave([3, 1]))),
    'Tile': (lambda x: x.repeat(2, 1, 3), dict(x=x)),
    'Identity': (lambda x: x * 1, dict(x=x)),
    'Cast': (lambda x: x.double() * 1, dict(x=x)),
    'Dropout': (lambda x: F.dropout(x, 0.5, False) * 1, dict(x=x)),
    'Slice': (lambda x: x[1:3, :, ::2], dict(x=wave([4, 5, 6]))),
    'Slice in reverse': (reverse_slice, dict(x=wave([4, 5, 6]))),
    'Slice with bounds that are fed': (lambda x: x[[3, 2, 1]][:, :, 1:6:2], dict(x=wave([4, 5, 6]))),
    'Gather': (lambda x: x[long([[0, 3], [3, 0]])], dict(x=wave([4, 3]))),
    'Gather one': (lambda x: x[:, -1], dict(x=wave([2, 3, 4]))),
    'Gather what is fed': (lambda x: x[:, :, [2, 2, 0]], dict(x=wave([2, 3, 4]))),
    'GatherElements': (lambda x: torch.gather(x, 0, long([[0, 1, 2], [0, 2, 0]])), dict(x=wave([3, 3]))),
    'ReduceSum': (lambda x: x.sum((0, 2)), dict(x=scattered(S))),
    'ReduceMean': (lambda x: x.mean((1, 2), keepdim=True), dict(x=scattered(S))),
    'ReduceMean, opset 18': (lambda x: x.mean(1), dict(x=scattered(S))),
    'ReduceMean of everything': (lambda x: x.mean(), dict(x=x)),
    'ReduceMax': (lambda x: x.amax(1), dict(x=scattered(S))),
    'ReduceMin': (lambda x: x.amin((0, 1), keepdim=True), dict(x=scattered(S))),
    'ReduceL1': (lambda x: x.abs().sum(2), dict(x=scattered(S))),
    'ReduceL2': (lambda x: x.norm(dim=(0, 2), keepdim=True), dict(x=scattered(S))),
    'ReduceSumSquare': (lambda x: (x * x).sum(1), dict(x=scattered(S))),
    'ReduceLogSumExp': (lambda x: x.logsumexp((1, 2)), dict(x=scattered(S))),
}

stored = {}
for name, (function, inputs) in CASES.items():
    tensors = {key: torch.tensor(value.astype(np.float32).astype(np.float64), requires_grad=True) for key, value in inputs.items()}
    outputs = function(*tensors.values())
    flat = torch.cat([each.reshape(-1) for each in (outputs if isinstance(outputs, tuple) else (outputs,))])
    weights = torch.tensor(np.cos(0.7 * np.arange(flat.numel()) + 0.3))
    (flat * weights).sum().backward()
    stored[name] = {key: [float(f'{v:.7g}') for v in tensor.grad.reshape(-1)] for key, tensor in tensors.items()}

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'torch-operators.json')
with open(path, 'w') as file:
    file.write('{\n' + ',\n'.join(f'{json.dumps(k)}: {json.dumps(v)}' for k, v in stored.items()) + '\n}\n')
