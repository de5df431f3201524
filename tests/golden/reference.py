#!/usr/bin/env python3
"""Golden numbers of `fidelity reference`: CA-MTL as its authors' published code computes it, written anew from formulas.

    pip install torch safetensors
    python tests/golden/reference.py tests/golden/reference        # makes base/ and large/
    python tests/golden/reference.py --check DIR                   # holds the formulas against a folder of numbers

A folder holds, in the layout of the authors' own numbers (`--check` reads those too): params, inputs, acts, grads, mtu
and traj.safetensors, meta.json. Base has a bottleneck in its last layer, large a ladder of them. Every parameter is
random, so that none of the conditional parts is the identity. Eval mode, fp32. Seed 5.
Tolerances: 1e-5 of a tensor's largest value, 1e-4 after five steps; gradients of key biases are zero but for rounding.
"""
import json, math, pathlib, sys

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

SIZES = dict(vocab_size=30, hidden_size=12, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16,
             max_position_embeddings=10, layer_norm_eps=1e-12)
LENGTH, BLOCKS = 8, 3
TASKS, LABELS = ["cola", "mnli", "sts-b", "mrpc"], [2, 3, 1, 2]
REGRESSES, DONOR = "sts-b", "mrpc"
SCHEDULE = dict(lr=1e-3, total=20, warmup=2, decay=0.01, clip=1.0, steps=5)


class Net:
    """The network as functions of `p`, its parameters by the authors' names."""

    def __init__(self, params, heads, length, block, layers):
        self.p, self.heads, self.length, self.block, self.layers = params, heads, length, block, layers
        self.acts = {}

    def linear(self, x, name):
        return x @ self.p[name + ".weight"].T + self.p[name + ".bias"]

    def film(self, z, name):
        """1 + gamma(z), beta(z)"""
        gamma, beta = self.linear(z, name + ".gb_weights").chunk(2, dim=-1)
        return 1 + gamma, beta

    def norm(self, x, name, z=None):
        weight = self.p[name + ".weight"]
        if name + ".ln_weight_modulation.gb_weights.weight" in self.p:
            gamma, beta = self.film(z, name + ".ln_weight_modulation")
            weight = (gamma * weight + beta)[:, None]  # the bias is left alone
        return F.layer_norm(x, x.shape[-1:], eps=1e-12) * weight + self.p[name + ".bias"]

    def attention_bias(self, z, name):
        """M(z): a row of a block is multiplied and shifted column by column, and cut at the last position."""
        rows = self.p[name + ".random_weight_matrix"]  # [length, block]
        gamma, beta = self.film(z, name + ".cond_block_diag_attn")
        rows = gamma[:, None] * rows + beta[:, None]
        bias = torch.zeros(len(z), self.length, self.length)
        for row in range(self.length):
            first = row // self.block * self.block
            last = min(first + self.block, self.length)
            bias[:, row, first:last] = rows[:, row, :last - first]
        return bias

    def bottleneck(self, h, z, name):
        gamma, beta = self.film(self.linear(z, name + ".emb_transf"), name + ".hidden_modulation")
        h = gamma[:, None] * h + beta[:, None]
        return self.linear(self.linear(h, name + ".down_proj_layer"), name + ".up_proj_layer")

    def pooled(self, ids, types, mask, tasks):
        emb = "bert.embeddings."
        x = self.p[emb + "word_embeddings.weight"][ids] + self.p[emb + "token_type_embeddings.weight"][types]
        x = self.norm(x + self.p[emb + "position_embeddings.weight"][:ids.shape[1]], emb + "LayerNorm")
        z = self.p["bert.task_type_embeddings.weight"][tasks]
        self.acts.update(embeddings=x, task_embedding=z)
        gamma, beta = self.film(z, "bert.conditional_alignment")  # sees z itself
        x = self.acts["embeddings_aligned"] = gamma[:, None] * x + beta[:, None]
        z = self.acts["task_embedding_transformed"] = self.linear(z, "bert.encoder.task_transformation")
        f = None
        for i in range(self.layers):
            x = self.layer(i, x, z, mask)
            if f"bert.encoder.adapter_layer.{i}.up_proj_layer.weight" in self.p:
                f = self.bottleneck(x if f is None else x + f, z, f"bert.encoder.adapter_layer.{i}")
                self.acts[f"hidden_film.{i}"] = f
        top = x if f is None else f
        pooled = self.acts["pooled"] = torch.tanh(self.linear(top[:, 0], "bert.pooler.dense"))
        return pooled

    def layer(self, i, x, z, mask):
        path = f"bert.encoder.layer.{i}."
        new = "new_" if path + "new_output.dense.weight" in self.p else ""
        attention = path + new + "attention."
        split = lambda t: t.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        q, k, v = (split(self.linear(x, f"{attention}self.{part}")) for part in ("query", "key", "value"))
        bias = self.acts[f"layer.{i}.attn_bias"] = self.attention_bias(z, attention + "self")
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) + bias[:, None]
        scores = scores + (1.0 - mask.float())[:, None, None] * -10000.0
        context = (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)
        a = self.norm(self.linear(context, attention + "output.dense") + x, attention + "output.LayerNorm", z)
        h = F.gelu(self.linear(a, path + new + "intermediate.dense"))
        y = self.norm(self.linear(h, path + new + "output.dense") + a, path + new + "output.LayerNorm", z)
        self.acts[f"layer.{i}.attention_output"] = a
        if path + "adapter.bottleneck.up_proj_layer.weight" in self.p:
            self.acts[f"layer.{i}.pre_adapter"] = y
            narrow = self.acts[f"layer.{i}.bottleneck"] = self.bottleneck(y, z, path + "adapter.bottleneck")
            y = self.norm(narrow + a, path + "adapter.condlayernorm", z)
        self.acts[f"layer.{i}"] = y
        return y

    def logits(self, pooled, tasks):
        """(task, which examples, their logits) of every task that is present"""
        present = sorted(set(tasks.tolist()))
        return [(t, tasks == t, self.linear(pooled[tasks == t], f"decoders.{t}.model")) for t in present]


def entropies(heads, count, regresses):
    """Hn of every example, 0 for a regression; its task's mean; the largest of these."""
    own, means = torch.zeros(count), torch.zeros(count)
    for t, which, logits in heads:
        if t != regresses:
            p = logits.softmax(-1)
            own[which] = -(p * p.log()).sum(-1) / (math.log(logits.shape[1]) + 1e-5)
            means[which] = own[which].mean()
    return own.detach(), means.detach(), means.max().detach()


def objective(heads, labels, regresses):
    """The mean over the tasks that are present, and each one's loss."""
    losses = {}
    for t, which, logits in heads:
        own = labels[which]
        losses[t] = F.mse_loss(logits.view(-1), own) if t == regresses else F.cross_entropy(logits, own.long())
    return sum(losses.values()) / len(losses), losses


def run(net, inputs, tasks):
    net.acts = {}
    ids = inputs["task_id"]
    regresses = tasks.index(REGRESSES)
    pooled = net.pooled(inputs["input_ids"], inputs["token_type_ids"], inputs["attention_mask"], ids)
    heads = net.logits(pooled, ids)
    loss, losses = objective(heads, inputs["labels"], regresses)
    own, means, largest = entropies(heads, len(ids), regresses)
    acts = dict(net.acts, logits_returned=heads[-1][2], entropy_per_sample=own, loss=loss[None],
                entropy_task_mean_per_sample=means, entropy_max_task_mean=largest[None])
    acts.update({f"logits.{tasks[t]}": logits for t, _, logits in heads})
    acts["loss_per_task"] = torch.tensor([losses[t].item() if t in losses else 0.0 for t in range(len(tasks))])
    return loss, {name: value.detach().contiguous() for name, value in acts.items()}


def gradients(net, inputs, tasks):
    for p in net.p.values():
        p.grad = None
    loss, acts = run(net, inputs, tasks)
    loss.backward()
    return loss, acts, {name: p.grad.clone() for name, p in net.p.items() if p.grad is not None}


def trajectory(net, inputs, tasks):
    """AdamW of transformers 2.11: epsilon outside of the correction, decay after the step; warm-up from 0."""
    s, state, told = SCHEDULE, {}, dict(losses=[], lrs=[], grad_norms=[])
    no_decay = [name for name in net.p if "bias" in name or "LayerNorm.weight" in name]
    for step in range(s["steps"]):
        loss, _, grads = gradients(net, inputs, tasks)
        rest = (s["total"] - step) / (s["total"] - s["warmup"])
        lr = s["lr"] * (step / s["warmup"] if step < s["warmup"] else rest)
        size = math.sqrt(sum((g.double() ** 2).sum().item() for g in grads.values()))
        scale = min(1.0, s["clip"] / (size + 1e-6))
        told["losses"].append(loss.item()), told["lrs"].append(lr), told["grad_norms"].append(size)
        with torch.no_grad():
            for name, g in grads.items():
                m, v = state.setdefault(name, [torch.zeros_like(g), torch.zeros_like(g)])
                g = g * scale
                m.mul_(0.9).add_(g, alpha=0.1), v.mul_(0.999).addcmul_(g, g, value=0.001)
                size = lr * math.sqrt(1 - 0.999 ** (step + 1)) / (1 - 0.9 ** (step + 1))
                net.p[name].addcdiv_(m, v.sqrt() + 1e-8, value=-size)
                if name not in no_decay:
                    net.p[name].add_(net.p[name], alpha=-lr * s["decay"])
    return told, no_decay


def mtu(net, cand, tasks, count):
    """The candidates' scores, by the code and by the paper, and the `count` best of each."""
    ids = cand["task_id"]
    with torch.no_grad():
        pooled = net.pooled(cand["input_ids"], cand["token_type_ids"], cand["attention_mask"], ids)
        own, means, largest = entropies(net.logits(pooled, ids), len(ids), tasks.index(REGRESSES))
    code = own * means / largest
    lent, taker = code[ids == tasks.index(DONOR)], (ids == tasks.index(REGRESSES)).nonzero().view(-1)
    for place, at in enumerate(taker):
        code[at] = lent[place] if place < len(lent) else 0.0
    best = lambda scores: scores.topk(count).indices
    return dict(entropy=own, entropy_task_mean=means, entropy_max_task_mean=largest[None], score_code=code,
                score_paper=own / largest, selected_code=best(code), selected_paper=best(own / largest))


def shapes(variant):
    d, ffn, layers = SIZES["hidden_size"], SIZES["intermediate_size"], SIZES["num_hidden_layers"]
    block, width = math.ceil(LENGTH / BLOCKS), d // 3
    out = {}

    def linear(name, a, b):
        out[name + ".weight"], out[name + ".bias"] = (b, a), (b,)

    def norm(name, conditional=False):
        out[name + ".weight"], out[name + ".bias"] = (d,), (d,)
        if conditional:
            linear(name + ".ln_weight_modulation.gb_weights", d, 2 * d)

    def narrow(name):
        linear(name + ".emb_transf", d, d), linear(name + ".hidden_modulation.gb_weights", d, 2 * d)
        linear(name + ".down_proj_layer", d, width), linear(name + ".up_proj_layer", width, d)

    tables = dict(word=SIZES["vocab_size"], position=SIZES["max_position_embeddings"], token_type=2)
    for table, rows in tables.items():
        out[f"bert.embeddings.{table}_embeddings.weight"] = (rows, d)
    norm("bert.embeddings.LayerNorm")
    out["bert.task_type_embeddings.weight"] = (len(TASKS), d)
    linear("bert.conditional_alignment.gb_weights", d, 2 * d), linear("bert.encoder.task_transformation", d, d)
    for i in range(layers):
        last = variant == "base" and i == layers - 1
        path, new, cond = f"bert.encoder.layer.{i}.", "new_" if last else "", i >= layers // 2
        for part in ("query", "key", "value"):
            linear(f"{path}{new}attention.self.{part}", d, d)
        out[f"{path}{new}attention.self.random_weight_matrix"] = (LENGTH, block)
        linear(f"{path}{new}attention.self.cond_block_diag_attn.gb_weights", d, 2 * block)
        linear(f"{path}{new}attention.output.dense", d, d), norm(f"{path}{new}attention.output.LayerNorm", cond)
        linear(f"{path}{new}intermediate.dense", d, ffn), linear(f"{path}{new}output.dense", ffn, d)
        norm(f"{path}{new}output.LayerNorm", cond)
        if last:
            narrow(path + "adapter.bottleneck"), norm(path + "adapter.condlayernorm", True)
        if variant == "large":
            narrow(f"bert.encoder.adapter_layer.{i}")
    linear("bert.pooler.dense", d, d)
    for t, labels in enumerate(LABELS):
        linear(f"decoders.{t}.model", d, labels)
    return out


def sequences(tasks):
    count = len(tasks)
    lengths = torch.randint(3, LENGTH + 1, (count,))
    lengths[0] = LENGTH
    mask = (torch.arange(LENGTH)[None] < lengths[:, None]).long()
    ids = torch.randint(1, SIZES["vocab_size"], (count, LENGTH)) * mask
    types = (torch.arange(LENGTH)[None] >= (lengths[:, None] // 2)).long() * mask
    return dict(input_ids=ids, token_type_ids=types, attention_mask=mask, task_id=torch.tensor(tasks))


def make(folder, variant):
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(5)
    params = {}
    for name, shape in shapes(variant).items():
        is_norm = name.endswith(("LayerNorm.weight", "condlayernorm.weight"))
        scale = 0.6 if name.startswith(("decoders", "bert.pooler")) else 0.3
        params[name] = (torch.randn(shape) * scale + is_norm).requires_grad_()
    net = Net(params, SIZES["num_attention_heads"], LENGTH, math.ceil(LENGTH / BLOCKS), SIZES["num_hidden_layers"])
    # the last task is absent: its head has no gradient
    inputs = sequences([1, 0, 2, 1, 0, 2])
    inputs["labels"] = torch.tensor([2.0, 1.0, 3.8, 0.0, 0.0, 0.5])
    save = lambda name, tensors: save_file({k: v.detach().clone().contiguous() for k, v in tensors.items()},
                                           folder / f"{name}.safetensors")
    save("params", params), save("inputs", inputs)
    _, acts, grads = gradients(net, inputs, TASKS)
    save("acts", acts), save("grads", grads)
    cand = sequences([0] * 4 + [1] * 4 + [2] * 4 + [3] * 3)
    ranked = mtu(net, cand, TASKS, 1)["score_code"].sort(descending=True).values
    # a lent score is there twice: the last pick must not be one of such two
    count = next(n for n in range(4, len(ranked)) if ranked[n - 1] - ranked[n] > 1e-4)
    save("mtu", dict({f"cand.{k}": v for k, v in cand.items()}, **mtu(net, cand, TASKS, count)))
    told, no_decay = trajectory(net, inputs, TASKS)
    save("traj", net.p)
    meta = dict(config=SIZES, max_seq_length=LENGTH, tasks=TASKS, variant=variant, traj=told)
    (folder / "meta.json").write_text(json.dumps(meta, indent=1) + "\n")


def difference(found, expected):
    largest = expected.abs().max().item()
    return (found - expected).abs().max().item() / (largest or 1.0)


def check(folder):
    """The largest differences from a folder's activations, gradients, scores and steps."""
    read = lambda name: load_file(folder / f"{name}.safetensors")
    meta, params, inputs = json.loads((folder / "meta.json").read_text()), read("params"), read("inputs")
    attention = next(v for k, v in params.items() if k.endswith("random_weight_matrix"))
    net = Net({k: v.clone().requires_grad_() for k, v in params.items()}, meta["config"]["num_attention_heads"],
              len(attention), attention.shape[1], meta["config"]["num_hidden_layers"])
    _, acts, grads = gradients(net, inputs, meta["tasks"])
    used = inputs["attention_mask"].bool()
    cut = lambda t: t[used] if t.dim() == 3 and t.shape[-1] == meta["config"]["hidden_size"] else t
    worst = {"activations": max(difference(cut(acts[k]), cut(v)) for k, v in read("acts").items()),
             "gradients": max(difference(grads[k], v) for k, v in read("grads").items() if "key.bias" not in k)}
    golden = read("mtu")
    cand = {k[len("cand."):]: v for k, v in golden.items() if k.startswith("cand.")}
    found = mtu(net, cand, meta["tasks"], len(golden["selected_code"]))
    worst["scores"] = max(difference(found[k], golden[k]) for k in ("entropy", "score_code", "score_paper"))
    for key in ("selected_code", "selected_paper"):
        assert set(found[key].tolist()) == set(golden[key].tolist()), key
    told, _ = trajectory(net, inputs, meta["tasks"])
    worst["learning rates"] = max(abs(a - b) for a, b in zip(told["lrs"], meta["traj"]["lrs"]))
    worst["after five steps"] = max(difference(net.p[k], v) for k, v in read("traj").items() if "key.bias" not in k)
    for what, value in worst.items():
        print(f"{folder.name:12} {what:17} {value:.1e}")


def main():
    torch.set_num_threads(1)
    if sys.argv[1] == "--check":
        return check(pathlib.Path(sys.argv[2]))
    for variant in ("base", "large"):
        make(pathlib.Path(sys.argv[1]) / variant, variant)


if __name__ == "__main__":
    main()
