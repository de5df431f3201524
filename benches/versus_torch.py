#!/usr/bin/env python3
"""Ours against PyTorch on the same cores, both sides in one run: builds, measures in turn, prints a table.

    python3 benches/versus_torch.py --data DIR --minilm DIR --python PYTHON

`--data` is a folder with the GLUE sets, `--minilm` one with all-MiniLM-L6-v2 (both for the row `real` alone),
`--python` an interpreter that has `torch` and `transformers`. `--only step,score` selects rows. Each measurement is a
process of its own; the sides take turns, round by round, so that what slows the machine down slows both; figures are
medians over all rounds. Where PyTorch can be run in several ways, the fastest counts.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NATIVE = "-C target-cpu=native"  # what `camtlc build --native` asks for; the default does not
ATTENTION = ["eager", "sdpa"]


def main():
    options = arguments()
    rows = []
    for name, row in ROWS.items():
        if name in options.only:
            print(f"measuring {name}", file=sys.stderr)
            rows += row(options)
            # after every row: the whole takes long, and what was measured should not be lost
            if options.json:
                Path(options.json).write_text(json.dumps(rows, indent=1) + "\n")
    rounds = "1 round" if options.rounds == 1 else f"{options.rounds} rounds"
    print(f"{options.threads} threads, medians of {rounds} of {options.repeats} repeats\n")
    print(table(rows))


# The rows: each gives one or more lines of the table.


def step(options):
    """A training step of MiniLM's size, and what it needs of memory."""
    sides = {"ours": ours(options, "step"), **peers(options, "step"), **peers(options, "step", "--bf16")}
    runs = in_turn(options, sides)
    mine = runs.pop("ours")
    bf16 = {name: run for name, run in runs.items() if "bf16" in name}
    fp32 = {name: run for name, run in runs.items() if "bf16" not in name}
    baseline = measure(peer(options, "baseline"))["peak_mib"]
    lean = min(fp32, key=lambda name: fp32[name]["peak_mib"])
    work = "training step, 32 x 128 tokens, all modules, nothing frozen"
    memory = {
        "work": "peak memory of this step",
        "ours": f"{mine['peak_mib']} MiB",
        "against": f"PyTorch {lean} ({baseline} MiB of them its libraries)",
        "theirs": f"{fp32[lean]['peak_mib']} MiB",
        "ratio": mine["peak_mib"] / fp32[lean]["peak_mib"],
        "must": "<= 0.5x",
    }
    return [against(work, mine, fp32, ">= 2.3x"), against("the same", mine, bf16, ">= 1.0x"), memory]


def score(options):
    """Scoring of candidates."""
    runs = in_turn(options, {"ours": ours(options, "score"), **peers(options, "score")})
    return [against("scoring of 8 x 32 candidates, 128 tokens", runs.pop("ours"), runs, ">= 2.5x")]


def real(options):
    """Whole steps on GLUE, the candidates' scoring included."""
    if not (options.data and options.minilm):
        sys.exit("the row `real` needs --data and --minilm")
    with tempfile.TemporaryDirectory() as folder:
        lengths = Path(folder) / "lengths.jsonl"
        where = ["--data", options.data, "--minilm", options.minilm, "--dump", str(lengths)]
        where += ["--cache", str(ROOT / "target" / "versus-tokens")]
        sides = {"ours": ours(options, "real", *where)}
        for attention in ATTENTION:
            for order in ([], ["--sorted"]):
                name = " ".join([attention, *(word.strip("-") for word in order)])
                sides[name] = peer(
                    options, "real", "--attention", attention, "--lengths", str(lengths), *order
                )
        runs = in_turn(options, sides)
    work = "training steps on GLUE's lengths, MT-Uncertainty included"
    return [against(work, runs.pop("ours"), runs, ">= 5x", unit="samples/s")]


def base(options):
    """A training step of BERT-base's size."""
    size = ["--size", "bert_base"]
    sides = {"ours": ours(options, "step", "--size", "bert-base"), **peers(options, "step", *size)}
    runs = in_turn(options, sides)
    return [against("BERT-base, training step, 32 x 128 tokens", runs.pop("ours"), runs, ">= 2.0x")]


def portable(options):
    """The same step for any processor."""
    sides = {"ours": ours(options, "step", flags=NATIVE), "ours, portable": ours(options, "step")}
    runs = in_turn(options, sides)
    native, anywhere = runs["ours"]["median_s"], runs["ours, portable"]["median_s"]
    return [
        {
            "work": "the step for any processor (the default)",
            "ours": seconds(anywhere),
            "against": "built with --native",
            "theirs": seconds(native),
            "ratio": anywhere / native,
            "must": "<= 1.15x",
        }
    ]


def products(options):
    """The matrix products, and the whole steps, against gemm alone."""
    runs = in_turn(options, {"products": ours(options, "products"), "step": ours(options, "step")})
    figures = runs["products"]
    rows = []
    for half, name in [("forward", "forward"), ("both", "forward and backward")]:
        ratios = []
        for size in figures["sizes"]:
            ratio = size[f"gemm_{half}_s"] / size[f"{half}_s"]
            ratios.append((ratio, f"{size['in']} -> {size['out']}"))
        least, size = min(ratios)
        products_of_it = 1 if half == "forward" else 3
        worst = next(s for s in figures["sizes"] if f"{s['in']} -> {s['out']}" == size)
        flops = products_of_it * worst["flops"]
        rows.append(
            {
                "work": f"linear layer, 4096 rows, {name}; the slowest size, {size}",
                "ours": gflops(flops / worst[f"{half}_s"]),
                "against": "gemm alone",
                "theirs": gflops(flops / worst[f"gemm_{half}_s"]),
                "ratio": least,
                "must": ">= 0.85x",
            }
        )
    # The rate over a layer's products, each as often as it occurs.
    flops = sum(3 * size["flops"] * size["times_a_layer"] for size in figures["sizes"])
    time = sum(size["gemm_both_s"] * size["times_a_layer"] for size in figures["sizes"])
    rate = flops / time
    mine = runs["step"]["median_s"]
    floor = figures["minilm"]["flops"] / rate
    rows.append(
        {
            "work": f"training step, its {figures['minilm']['flops'] / 1e9:.0f} GFLOP",
            "ours": seconds(mine),
            "against": f"gemm's rate, {gflops(rate)}",
            "theirs": seconds(floor),
            "ratio": floor / mine,
            "must": ">= 0.70x",
        }
    )
    return rows


ROWS = {
    "step": step,
    "score": score,
    "real": real,
    "base": base,
    "portable": portable,
    "products": products,
}


def against(work, mine, theirs, must, unit="s"):
    """A line of the table: ours against the fastest of theirs."""
    name = min(theirs, key=lambda name: theirs[name]["median_s"])
    best = theirs[name]
    show = rate if unit == "samples/s" else lambda run: seconds(run["median_s"])
    return {
        "work": work,
        "ours": show(mine),
        "against": f"PyTorch {name}",
        "theirs": show(best),
        "ratio": best["median_s"] / mine["median_s"],
        "must": must,
        "runs": {"ours": mine, **theirs},
    }


def rate(run):
    return f"{run['samples'] / run['median_s']:.1f} samples/s"


def seconds(value):
    return f"{value:.3f} s"


def gflops(value):
    return f"{value / 1e9:.0f} GFLOP/s"


def table(rows):
    lines = ["| work | ours | against | there | ratio | must be |", "|---|---|---|---|---|---|"]
    for row in rows:
        cells = [row["work"], row["ours"], row["against"], row["theirs"], f"{row['ratio']:.2f}x", row["must"]]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


# Commands, and running them.


def ours(options, what, *more, flags=""):
    """The command that measures our side. A first call builds it."""
    repeats = ["--repeats", str(options.repeats)]
    return [build(flags), what, *repeats, *more], {"RAYON_NUM_THREADS": str(options.threads)}


def peer(options, what, *more):
    script = str(ROOT / "benches" / "peer_torch.py")
    count = ["--repeats", str(options.repeats), "--threads", str(options.threads)]
    return [options.python, script, what, *count, *more], {}


def peers(options, what, *more):
    """PyTorch with either attention."""
    name = " bf16" if "--bf16" in more else ""
    return {
        attention + name: peer(options, what, "--attention", attention, *more) for attention in ATTENTION
    }


BUILT = {}


def build(flags):
    """The program built with these flags of rustc."""
    if flags not in BUILT:
        command = ["cargo", "bench", "--no-run", "--bench", "versus", "--message-format", "json"]
        command += ["--no-default-features", "--features", "runtime"]
        environment = {**os.environ, "RUSTFLAGS": flags}
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
        messages = map(json.loads, done.stdout.splitlines())
        BUILT[flags] = next(
            m["executable"]
            for m in messages
            if m["reason"] == "compiler-artifact" and m["target"]["name"] == "versus" and m["executable"]
        )
    return BUILT[flags]


def in_turn(options, sides):
    """Runs every side once a round, and joins what each of them said."""
    said = {name: [] for name in sides}
    for number in range(options.rounds):
        for name, side in sides.items():
            print(f"  round {number + 1}, {name}", file=sys.stderr, flush=True)
            said[name].append(measure(side))
    return {name: join(runs) for name, runs in said.items()}


def measure(side):
    command, environment = side
    done = subprocess.run(
        command, env={**os.environ, **environment}, stdout=subprocess.PIPE, check=True, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def join(runs):
    """Times of all rounds with their median, the median of memory, and the rest from the last round."""
    joined = dict(runs[-1])
    if "times" in joined:
        joined["times"] = [time for run in runs for time in run["times"]]
        joined["median_s"] = statistics.median(joined["times"])
        joined["min_s"] = min(joined["times"])
    if joined.get("peak_mib"):
        joined["peak_mib"] = round(statistics.median(run["peak_mib"] for run in runs))
    if "sizes" in joined:
        for number, size in enumerate(joined["sizes"]):
            for key in [key for key in size if key.endswith("_s")]:
                size[key] = statistics.median(run["sizes"][number][key] for run in runs)
    return joined


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help="a folder with the GLUE sets")
    parser.add_argument("--minilm", help="a folder with all-MiniLM-L6-v2")
    parser.add_argument("--python", default=sys.executable, help="an interpreter with torch and transformers")
    parser.add_argument("--only", default=",".join(ROWS), type=lambda text: text.split(","), help="rows to measure")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=7, help="of each measurement in a round")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--json", metavar="FILE", help="everything that was measured")
    options = parser.parse_args()
    unknown = [name for name in options.only if name not in ROWS]
    if unknown:
        parser.error(f"there is no row {unknown[0]}; there are {', '.join(ROWS)}")
    return options


if __name__ == "__main__":
    main()
