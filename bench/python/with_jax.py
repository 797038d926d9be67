"""JAX on CPU: a whole step is one jit with donated parameters. Images are NHWC, kernels HWIO, dense weights [inputs, outputs]."""

import os

from measure import run, threads

if threads() == 1:
    # the pool is as large as the set of cores that the process may use
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
from jax import lax, nn

from draw import integers, uniform, weights


def dense(name, inputs, outputs):
    return jnp.asarray(weights(name, (outputs, inputs), inputs).T.copy())


def bias(name, outputs, fan_in):
    return jnp.asarray(weights(name, (outputs,), fan_in))


def linear(name, inputs, outputs):
    return [dense(name, inputs, outputs), bias(name + "b", outputs, inputs)]


def kernel(name, outputs, inputs, size, fan_in=None):
    drawn = weights(name, (outputs, inputs, size, size), fan_in or inputs * size * size)
    return jnp.asarray(drawn.transpose(2, 3, 1, 0).copy())


def images(name, shape, low=-1.0, high=1.0):
    return jnp.asarray(uniform(name, shape, low, high).transpose(0, 2, 3, 1).copy())


def labels(name, shape, high):
    return jnp.asarray(integers(name, shape, high).astype("int32"))


def conv(x, w, stride=1, padding=0):
    sides = [(padding, padding)] * 2
    return lax.conv_general_dilated(x, w, (stride, stride), sides, dimension_numbers=("NHWC", "HWIO", "NHWC"))


def max_pool(x, window, stride, padding=0):
    sides = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, window, window, 1), (1, stride, stride, 1), sides)


def even_pool(x):
    n, h, w, c = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2, c).max((2, 4))


def cross_entropy(logits, y):
    return -jnp.take_along_axis(nn.log_softmax(logits), y[:, None], 1).mean()


def adam(rate, decay=0.0, b1=0.9, b2=0.999, epsilon=1e-8):
    def init(p):
        zeros = jax.tree.map(jnp.zeros_like, p)
        return zeros, jax.tree.map(jnp.zeros_like, p), jnp.float32(0)

    def update(p, g, state):
        m, v, t = state
        t = t + 1
        m = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, m, g)
        v = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, v, g)
        first, second = rate / (1 - b1**t), 1 / (1 - b2**t)
        p = jax.tree.map(
            lambda p, m, v: p * (1 - rate * decay) - first * m / (jnp.sqrt(v * second) + epsilon), p, m, v
        )
        return p, (m, v, t)

    return init, update


def sgd(rate, momentum=0.0):
    def init(p):
        return jax.tree.map(jnp.zeros_like, p) if momentum else None

    def update(p, g, state):
        if momentum:
            g = state = jax.tree.map(lambda m, g: momentum * m + g, state, g)
        return jax.tree.map(lambda p, g: p - rate * g, p, g), state

    return init, update


def trainer(optimizer, p, loss, data, work, unit, statistics=None):
    """loss(p, statistics, *data) gives (value, statistics)."""
    init, update = optimizer
    now = [p, init(p), statistics]

    def whole(p, state, statistics, *data):
        (value, statistics), g = jax.value_and_grad(loss, has_aux=True)(p, statistics, *data)
        p, state = update(p, g, state)
        return value, p, state, statistics

    compiled = jax.jit(whole, donate_argnums=(0, 1, 2))

    def step():
        value, *now[:] = compiled(*now, *data)
        jax.block_until_ready(now[0])
        return float(value)

    return {"metric": "step", "step": step, "work": work, "unit": unit}


def mean_abs(x):
    return float(jnp.abs(x).mean())


def matmul():
    product = jax.jit(jnp.matmul)
    for n in (64, 128, 256, 512, 1024, 2048):
        a, b = jnp.asarray(uniform("a", (n, n))), jnp.asarray(uniform("b", (n, n)))
        calls = max(1, int(2e7 // n**3))

        def step():
            for _ in range(calls):
                product(a, b).block_until_ready()

        work = {"calls": calls, "work": 2 * n**3 / 1e9, "unit": "GFLOP/s"}
        yield {"metric": f"matmul {n}", "step": step, "check": lambda: mean_abs(product(a, b)), **work}


def mlp():
    p = linear("w0", 784, 256)[:1] + [bias("b0", 256, 784), dense("w1", 256, 128), bias("b1", 128, 256)]
    p += [dense("w2", 128, 10), bias("b2", 10, 128)]

    def loss(p, _, x, y):
        h = nn.relu(nn.relu(x @ p[0] + p[1]) @ p[2] + p[3])
        return cross_entropy(h @ p[4] + p[5], y), None

    data = jnp.asarray(uniform("x", (128, 784), 0, 1)), labels("y", (128,), 10)
    yield trainer(adam(1e-3), p, loss, data, 128, "samples/s")


def lenet():
    drawn = weights("w0", (120, 400), 400).reshape(120, 16, 5, 5)
    first = jnp.asarray(drawn.transpose(2, 3, 1, 0).reshape(400, 120).copy())
    p = [kernel("c1", 6, 1, 5), bias("c1b", 6, 25), kernel("c2", 16, 6, 5), bias("c2b", 16, 150), first]
    p += [bias("b0", 120, 400), dense("w1", 120, 84), bias("b1", 84, 120), dense("w2", 84, 10), bias("b2", 10, 84)]

    def loss(p, _, x, y):
        h = even_pool(nn.relu(conv(x, p[0], 1, 2) + p[1]))
        h = even_pool(nn.relu(conv(h, p[2]) + p[3])).reshape(64, 400)
        h = nn.relu(nn.relu(h @ p[4] + p[5]) @ p[6] + p[7])
        return cross_entropy(h @ p[8] + p[9], y), None

    yield trainer(adam(1e-3), p, loss, (images("x", (64, 1, 28, 28), 0, 1), labels("y", (64,), 10)), 64, "samples/s")


def resnet20():
    p, statistics = {}, {}

    def unit(name, inputs, outputs, size, stride):
        p[name] = kernel(name, outputs, inputs, size), jnp.ones(outputs), jnp.zeros(outputs)
        statistics[name] = jnp.zeros(outputs), jnp.ones(outputs)

        def run(h, p, old, new):
            w, gamma, beta = p[name]
            h = conv(h, w, stride, size // 2)
            mean, variance = h.mean((0, 1, 2)), h.var((0, 1, 2))
            n = h.size // h.shape[-1]
            new[name] = 0.9 * old[name][0] + 0.1 * mean, 0.9 * old[name][1] + 0.1 * n / (n - 1) * variance
            return (h - mean) * (gamma * lax.rsqrt(variance + 1e-5)) + beta

        return run

    stem, blocks, inputs = unit("stem", 3, 16, 3, 1), [], 16
    for stage, outputs in enumerate((16, 32, 64)):
        for k in range(3):
            name, stride = f"s{stage}b{k}", 2 if k == 0 and stage > 0 else 1
            first, second = unit(name + "c1", inputs, outputs, 3, stride), unit(name + "c2", outputs, outputs, 3, 1)
            shortcut = unit(name + "sc", inputs, outputs, 1, stride) if stride > 1 else (lambda h, *_: h)
            blocks.append((first, second, shortcut))
            inputs = outputs
    p["head"] = linear("fc", 64, 10)[0], bias("fcb", 10, 64)

    def loss(p, old, x, y):
        new = {}
        rest = p, old, new
        h = nn.relu(stem(x, *rest))
        for first, second, shortcut in blocks:
            h = nn.relu(second(nn.relu(first(h, *rest)), *rest) + shortcut(h, *rest))
        return cross_entropy(h.mean((1, 2)) @ p["head"][0] + p["head"][1], y), new

    data = images("x", (32, 3, 32, 32)), labels("y", (32,), 10)
    yield trainer(sgd(0.01, 0.9), p, loss, data, 32, "samples/s", statistics)


def vgg16():
    p, inputs, k = [], 3, 0
    for width, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(count):
            p.append((kernel(f"v{k}", width, inputs, 3, 3 * inputs), bias(f"v{k}b", width, 9 * inputs)))
            inputs, k = width, k + 1
    sizes = (25088, 4096, 4096, 1000)
    for i in range(3):
        w = weights(f"f{i}", (sizes[i + 1], sizes[i]), sizes[i] / 3)
        if i == 0:
            w = w.reshape(4096, 512, 7, 7).transpose(0, 2, 3, 1).reshape(4096, 25088)
        p.append((jnp.asarray(w.T.copy()), bias(f"f{i}b", sizes[i + 1], sizes[i])))

    def net(p, h):
        for i, (w, b) in enumerate(p[:13]):
            h = nn.relu(conv(h, w, 1, 1) + b)
            if i in (1, 3, 6, 9, 12):
                h = even_pool(h)
        h = nn.relu(h.reshape(1, -1) @ p[13][0] + p[13][1])
        return nn.relu(h @ p[14][0] + p[14][1]) @ p[15][0] + p[15][1]

    return p, net


def resnet50():
    p, plan, inputs = {}, [], 64

    def add(name, outputs, inputs, size):
        p[name] = kernel(name, outputs, inputs, size), bias(name + "_b", outputs, inputs * size * size)

    add("stem", 64, 3, 7)
    for stage, (width, count) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
        for k in range(count):
            name = f"r{stage}x{k}"
            add(name + "a", width, inputs, 1)
            add(name + "b", width, width, 3)
            add(name + "c", 4 * width, width, 1)
            if k == 0:
                add(name + "s", 4 * width, inputs, 1)
            plan.append((name, 2 if k == 0 and stage > 0 else 1, k == 0))
            inputs = 4 * width
    p["fc"] = dense("fc", 2048, 1000), bias("fcb", 1000, 2048)

    def net(p, x):
        def unit(h, name, stride=1):
            w, b = p[name]
            return conv(h, w, stride, w.shape[0] // 2) + b

        h = max_pool(nn.relu(unit(x, "stem", 2)), 3, 2, 1)
        for name, stride, changes in plan:
            r = nn.relu(unit(nn.relu(unit(h, name + "a")), name + "b", stride))
            h = nn.relu(unit(r, name + "c") + (unit(h, name + "s", stride) if changes else h))
        return h.mean((1, 2)) @ p["fc"][0] + p["fc"][1]

    return p, net


def inference():
    x = images("img", (1, 3, 224, 224))
    for metric, build, work in (("VGG-16", vgg16, 30.96), ("ResNet-50", resnet50, 8.18)):
        p, net = build()
        compiled = jax.jit(net)
        step = lambda: (compiled(p, x).block_until_ready(), None)[1]
        check = lambda: mean_abs(compiled(p, x))
        yield {"metric": metric, "step": step, "check": check, "work": work, "unit": "GFLOP/s"}


def lstm():
    symbols, embedding, hidden, time, batch = 64, 64, 256, 64, 32
    turned = lambda name, inputs: jnp.asarray(weights(name, (4 * hidden, inputs), hidden).T.copy())
    p = [jnp.asarray(weights("emb", (symbols, embedding), embedding)), turned("wih", embedding), turned("whh", hidden)]
    p += [bias("bih", 4 * hidden, hidden), *linear("ow", hidden, symbols)[:1], bias("ob", symbols, hidden)]

    def loss(p, _, x, y):
        table, wx, wh, b, w, c = p

        def cell(carry, slice):
            h, c = carry
            i, f, g, o = jnp.split(slice + h @ wh, 4, 1)
            c = nn.sigmoid(f) * c + nn.sigmoid(i) * jnp.tanh(g)
            h = nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        rest = jnp.zeros((batch, hidden))
        _, all = lax.scan(cell, (rest, rest), table[x] @ wx + b)
        return cross_entropy(all.reshape(-1, hidden) @ w + c, y), None

    data = labels("x", (time, batch), symbols), labels("y", (time * batch,), symbols)
    yield trainer(adam(1e-3), p, loss, data, time * batch, "tokens/s")


def gpt():
    blocks, width, heads, context, batch, symbols = 4, 128, 4, 128, 8, 64
    norm = lambda: [jnp.ones(width), jnp.zeros(width)]
    layers = [
        [*norm(), *linear(f"l{i}qkv", width, 3 * width), *linear(f"l{i}pr", width, width)]
        + [*norm(), *linear(f"l{i}f1", width, 4 * width), *linear(f"l{i}f2", 4 * width, width)]
        for i in range(blocks)
    ]
    tables = [jnp.asarray(weights(n, (s, width), width)) for n, s in (("te", symbols), ("pe", context))]
    mask = jnp.triu(jnp.full((context, context), -1e9), 1)

    def layer_norm(h, gamma, beta):
        return nn.standardize(h, -1, epsilon=1e-5) * gamma + beta

    def loss(p, _, x, y):
        tables, layers, last = p
        h = tables[0][x] + tables[1]
        for g1, b1, qkv, qkvb, pr, prb, g2, b2, f1, f1b, f2, f2b in layers:
            mixed = (layer_norm(h, g1, b1) @ qkv + qkvb).reshape(batch, context, 3, heads, width // heads)
            q, k, v = mixed.transpose(2, 0, 3, 1, 4)
            scores = q @ k.swapaxes(-1, -2) * (width // heads) ** -0.5 + mask
            attended = (nn.softmax(scores) @ v).transpose(0, 2, 1, 3).reshape(batch, context, width)
            h = h + attended @ pr + prb
            h = h + nn.gelu(layer_norm(h, g2, b2) @ f1 + f1b, approximate=True) @ f2 + f2b
        return cross_entropy((layer_norm(h, *last[:2]) @ last[2]).reshape(-1, symbols), y), None

    p = [tables, layers, [*norm(), dense("head", width, symbols)]]
    data = labels("x", (batch, context), symbols), labels("y", (batch * context,), symbols)
    yield trainer(adam(3e-4, 0.1), p, loss, data, batch * context, "tokens/s")


def skipgram():
    words, width, negatives, batch = 10000, 100, 5, 1024
    context = jnp.concatenate([labels("o", (batch, 1), words), labels("n", (batch, negatives), words)], 1)
    p = [jnp.asarray(weights(name, (words, width), width)) for name in ("ein", "eout")]

    def loss(p, _, centre, context):
        scores = jnp.einsum("bkw,bw->bk", p[1][context], p[0][centre])
        signs = jnp.where(jnp.arange(1 + negatives) == 0, 1.0, -1.0)
        return -nn.log_sigmoid(scores * signs).sum(1).mean(), None

    yield trainer(sgd(0.025), p, loss, (labels("c", (batch,), words), context), batch, "pairs/s")


def bandwidth():
    n, shape = 10_000_000, (4096, 1024)
    a, b, m = (jnp.asarray(uniform(name, s)) for name, s in (("a", (n,)), ("b", (n,)), ("a", shape)))
    matrix = 8 * shape[0] * shape[1]
    operations = {
        "add": (jnp.add, (a, b), 12 * n),
        "gelu": (lambda a: nn.gelu(a, approximate=True), (a,), 8 * n),
        "softmax": (nn.softmax, (m,), matrix),
        "layer norm": (lambda m: nn.standardize(m, -1, epsilon=1e-5), (m,), matrix),
        "sum": (jnp.sum, (a,), 4 * n),
    }
    for metric, (f, args, size) in operations.items():
        compiled = jax.jit(f)
        step = lambda: (compiled(*args).block_until_ready(), None)[1]
        work = {"work": size / 1e9, "unit": "GB/s"}
        yield {"metric": metric, "step": step, "check": lambda: mean_abs(compiled(*args)), **work}


programs = {
    "W1": matmul,
    "W2": mlp,
    "W3": lenet,
    "W4": resnet20,
    "W5": inference,
    "W6": lstm,
    "W7": gpt,
    "W8": skipgram,
    "W9": bandwidth,
}


def main():
    run(programs, {"jax": jax.__version__})
