"""NumPy on OpenBLAS: products and memory-bound operations. Only its matrix product has threads."""

import numpy as np

from draw import uniform
from measure import run


def mean_abs(x):
    return np.abs(x).mean(dtype=np.float64)


def matmul():
    for n in (64, 128, 256, 512, 1024, 2048):
        a, b = uniform("a", (n, n)), uniform("b", (n, n))
        calls = max(1, int(2e7 // n**3))

        def step():
            for _ in range(calls):
                a @ b

        work = {"calls": calls, "work": 2 * n**3 / 1e9, "unit": "GFLOP/s"}
        yield {"metric": f"matmul {n}", "step": step, "check": lambda: mean_abs(a @ b), **work}


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.float32(0.7978845608) * (x + np.float32(0.044715) * x * x * x)))


def softmax(m):
    e = np.exp(m - m.max(-1, keepdims=True))
    e /= e.sum(-1, keepdims=True)
    return e


def layer_norm(m):
    centred = m - m.mean(-1, keepdims=True)
    variance = np.mean(centred * centred, -1, keepdims=True)
    centred *= 1 / np.sqrt(variance + np.float32(1e-5))
    return centred


def bandwidth():
    n, shape = 10_000_000, (4096, 1024)
    a, b, m = uniform("a", (n,)), uniform("b", (n,)), uniform("a", shape)
    matrix = 8 * shape[0] * shape[1]
    operations = {
        "add": (lambda: a + b, 12 * n),
        "gelu": (lambda: gelu(a), 8 * n),
        "softmax": (lambda: softmax(m), matrix),
        "layer norm": (lambda: layer_norm(m), matrix),
        "sum": (lambda: a.sum(), 4 * n),
    }
    for metric, (f, size) in operations.items():
        work = {"work": size / 1e9, "unit": "GB/s"}
        yield {"metric": metric, "step": lambda: (f(), None)[1], "check": lambda: mean_abs(f()), **work}


def main():
    run({"W1": matmul, "W9": bandwidth}, {"numpy": np.__version__})
