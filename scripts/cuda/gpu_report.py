#!/usr/bin/env python3
"""Everything that is claimed of a GPU, in one command: what it has, right numbers, training, speed against PyTorch.

    python3 scripts/cuda/gpu_report.py --python PYTHON --data GLUE --minilm FOLDER --out report

| part | does |
|---|---|
| doctor | what this machine has |
| compare | a network against the numbers of the authors' code, at 1e-4, on the CPU and on the GPU |
| quickstart | trains models/quickstart.cam on both; the means on its development sets |
| glue | the same for models/camtl_minilm_glue.cam; needs `--data`, a folder with the GLUE sets, and `--minilm` |
| speed | training steps of MiniLM's and BERT-base's size, scoring, memory, against PyTorch on the same GPU |
| profile | where the time of a step goes: phases and operations, and with `nsys` on the PATH the GPU's kernels |

`--python` is an interpreter with `torch` and `transformers`. Every part goes on where one before it failed; the report is
written after each, as `OUT.md` and `OUT.json`. `--device cpu --tiny` tries all of it without a GPU, in minutes.

The steps that are measured are those of the programs that camtlc builds, on texts of 128 word pieces that are made
here, all modules attached and nothing frozen; PyTorch's are of plain BERT from `transformers`, with its fused AdamW, in
the faster of its two attentions. The authors' code is that with their modules, about 1.15 times as slow.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
AUTHORS = 1.15  # their code, over plain BERT
WARM_UP = 5  # steps that do not count: kernels are loaded, buffers allocated
TASKS, EXAMPLES = 8, 64
# layers, hidden, heads, ffn, blocks, bottleneck
SIZES = {"minilm": (6, 384, 12, 1536, 4, 128), "bert_base": (12, 768, 12, 3072, 8, 256), "tiny": (2, 32, 2, 64, 4, 8)}
PRECISIONS = {"f32": "f32", "tf32": "tf32", "bf16": None}  # PyTorch's, and ours beside it
BATCH, SEQUENCE, VOCAB = 32, 128, 30522


def main():
    options = arguments()
    if options.peer:
        return peer(options)
    report = {"options": {key: str(value) for key, value in vars(options).items()}, "parts": {}}
    for name, part in PARTS.items():
        if options.only and name not in options.only:
            continue
        print(f"== {name}", file=sys.stderr, flush=True)
        try:
            lines = part(options, report)
        except Exception as error:  # the parts do not depend on each other
            lines = [f"**failed**: {error}"]
            report["failed"] = [*report.get("failed", []), name]
        report["parts"][name] = lines
        text = "\n\n".join(f"## {name}\n\n" + "\n".join(lines) for name, lines in report["parts"].items())
        Path(f"{options.out}.md").write_text(f"# camtl on {options.device}\n\n{text}\n")
        Path(f"{options.out}.json").write_text(json.dumps(report, indent=1) + "\n")
    print(Path(f"{options.out}.md").read_text())
    return 1 if report.get("failed") else 0


# The parts: each gives the lines of its section.


def doctor(options, report):
    done = run([camtlc(options), "doctor", "--device", options.device], check=False)
    return ["```", done.stdout.rstrip(), "```"]


def compare(options, report):
    lines = ["| numbers | device | verdict |", "|---|---|---|"]
    sets = [("tests/reference/small_base.cam", "tests/golden/reference/base")]
    sets += [("tests/reference/small_large.cam", "tests/golden/reference/large")]
    wrong = []
    for model, golden in sets:
        for device in devices(options):
            arguments = ["compare", model, "--golden", golden, "--tolerance", "1e-4", "--json", "--device", device]
            done = run([camtlc(options), *arguments], check=False)
            verdict = "within 1e-4" if done.returncode == 0 else f"not within 1e-4: {last(done.stderr)}"
            wrong += [] if done.returncode == 0 else [f"{model} on {device}"]
            lines.append(f"| {golden} | {device} | {verdict} |")
            report.setdefault("compare", {})[f"{golden} {device}"] = parsed(done.stdout)
    if wrong:
        raise RuntimeError("; ".join(wrong) + "\n\n" + "\n".join(lines))
    return lines


def quickstart(options, report):
    more = ["--steps", "40"] if options.tiny else []
    return trained(options, report, "models/quickstart.cam", more)


def glue(options, report):
    if not (options.data and options.minilm):
        return ["left out: it needs `--data` and `--minilm`"]
    more = ["--data", options.data, "--backbone", options.minilm, "--steps", "4" if options.tiny else "2000"]
    return trained(options, report, "models/camtl_minilm_glue.cam", more)


def trained(options, report, model, more):
    lines = ["| device | precision | dev mean | seconds |", "|---|---|---|---|"]
    for device, precision in placements(options):
        with scratch() as folder:
            out = Path(folder) / "run"
            command = [camtlc(options), "train", model, "--device", device, "--precision", precision]
            run([*command, "--out", str(out), *more])
            finished = json.loads((out / "run.json").read_text())["finished"]
            evaluations = (out / "eval.jsonl").read_text().splitlines()
            report.setdefault(model, {})[f"{device} {precision}"] = [json.loads(line) for line in evaluations]
            best = finished["best"]["mean"]
            lines.append(f"| {device} | {precision} | {best:.4f} | {finished['seconds']:.1f} |")
    return lines


def speed(options, report):
    lines = ["| work | ours | PyTorch | ratio |", "|---|---|---|---|"]
    for size in ["tiny"] if options.tiny else ["minilm", "bert_base"]:
        for precision, own in PRECISIONS.items():
            if options.device == "cpu" and precision != "f32":
                continue
            theirs = fastest(options, size, precision, "step")
            report.setdefault("speed", {})[f"{size} {precision} theirs"] = theirs
            # there is no bf16 of ours: the fastest that we have stands beside it
            mine = ours(options, size, own or "tf32", "proportional")
            report["speed"][f"{size} {precision} ours"] = mine
            work = f"{size}, training step, {BATCH} x {SEQUENCE}, {precision}" + ("" if own else " (ours tf32)")
            lines.append(row(work, mine["median_s"], theirs["median_s"]))
            if size == "bert_base" and precision == "f32":
                target = theirs["median_s"] * AUTHORS
                lines.append(row("the same against the authors' code, 1.15 x PyTorch", mine["median_s"], target))
            if own:
                lines.append(f"| memory of it | {mine['memory_mib']} MiB | {theirs['memory_mib']} MiB | |")
            if precision == "f32":
                # what MT-Uncertainty adds to a step is its scoring of 8 x 32 candidates
                both = ours(options, size, own, "mt_uncertainty")
                scoring = both["median_s"] - mine["median_s"]
                scored = fastest(options, size, precision, "score")
                report["speed"][f"{size} scoring"] = {"ours": scoring, "theirs": scored}
                candidates = f"{TASKS * BATCH} candidates of {SEQUENCE}"
                lines.append(row(f"{size}, scoring of {candidates}", scoring, scored["median_s"]))
    return lines


def profile(options, report):
    lines = []
    size = "tiny" if options.tiny else "bert_base"
    with scratch() as folder:
        command = training(options, Path(folder), size, "f32", "mt_uncertainty", 12)
        # kernels run behind the program's back: made to wait, each phase has its own time, and all a longer one
        environment = {"CUDA_LAUNCH_BLOCKING": "1"}
        done = run([*command, "--profile"], environment=environment)
        lines += ["Each launch waits for the GPU here: shares count, seconds do not.", "", "```", done.stderr.strip(), "```"]
    if options.device == "cpu":
        return lines
    nsys = shutil.which("nsys")
    if not nsys:
        return [*lines, "", "Kernel by kernel: left out, `nsys` (Nsight Systems) is not on the PATH."]
    with scratch() as folder:
        command = training(options, Path(folder), size, "f32", "proportional", 12)
        trace = str(Path(folder) / "trace")
        run([nsys, "profile", "--trace", "cuda,cublas", "--output", trace, *command])
        done = run([nsys, "stats", "--report", "cuda_gpu_kern_sum,cuda_api_sum", f"{trace}.nsys-rep"])
        kept = [line for line in done.stdout.splitlines() if line.strip()][:60]
        return [*lines, "", "Kernel by kernel:", "", "```", *kept, "```"]


PARTS = {
    "doctor": doctor,
    "compare": compare,
    "quickstart": quickstart,
    "glue": glue,
    "speed": speed,
    "profile": profile,
}


# Our side: programs that camtlc builds, on texts made here.


def training(options, folder, size, precision, sampler, steps):
    """The command that trains a network of this size on texts of SEQUENCE word pieces; `folder/run` is the run."""
    layers, hidden, heads, ffn, blocks, width = SIZES[size]
    tasks = "\n".join(f'    t{n} {{ classify 3   data tsv "t{n}" }}' for n in range(TASKS))
    model = folder / f"speed_{size}.cam"
    model.write_text(
        f"""model speed_{size}
backbone bert {{
    tokenizer "vocab.txt"
    layers {layers}   hidden {hidden}   heads {heads}   ffn {ffn}
    vocab {VOCAB}   positions 512
}}
sequence {SEQUENCE}
tasks {{
{tasks}
}}
attach alignment  after embeddings
attach attention  to layers 0..{layers} {{ blocks {blocks} }}
attach norm       to layers 0..{layers}
attach bottleneck to layer {layers - 1} {{ width {width} }}
train {{ sampler {sampler}   batch {BATCH}   steps {steps} }}
"""
    )
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{n}" for n in range(VOCAB - 5))]
    (folder / "data").mkdir()
    (folder / "data" / "vocab.txt").write_text("\n".join(words) + "\n")
    for task in range(TASKS):
        place = folder / "data" / f"t{task}"
        place.mkdir(parents=True)
        for split, count in [("train", EXAMPLES), ("dev", 2)]:
            lines = ["label\ttext_a"]
            for n in range(count):
                text = " ".join(f"w{(task * 7919 + n * 131 + i * 17) % (VOCAB - 5)}" for i in range(SEQUENCE - 2))
                lines.append(f"{n % 3}\t{text}")
            (place / f"{split}.tsv").write_text("\n".join(lines) + "\n")
    built = run([camtlc(options), "build", str(model), "--device", options.device])
    program = built.stdout.strip().split(": ", 1)[1]
    return [
        *[program, "train", "--device", options.device, "--precision", precision, "--model", str(model)],
        *["--data", str(folder / "data"), "--cache", str(folder / "cache")],
        *["--out", str(folder / "run"), "--set", f"evaluate_every={steps}"],
    ]


def ours(options, size, precision, sampler):
    with scratch() as folder:
        folder = Path(folder)
        command = training(options, folder, size, precision, sampler, WARM_UP + options.repeats)
        _, memory = watched(options, command)
        events = [json.loads(line) for line in (folder / "run" / "events.jsonl").read_text().splitlines()]
        tokens = {event["tokens"] for event in events}
        if tokens != {BATCH * SEQUENCE}:
            raise RuntimeError(f"steps of {tokens} tokens instead of {BATCH * SEQUENCE}")
        times = [event["tokens"] / event["time"]["tokens_per_s"] for event in events[WARM_UP:]]
        return {"median_s": statistics.median(times), "times": times, "memory_mib": memory}


# PyTorch's side, each measurement in a process of its own.


def fastest(options, size, precision, what):
    runs = {}
    for attention in ["eager", "sdpa"]:
        command = [options.python, __file__, "--peer", what, "--size", size, "--peer-precision", precision]
        command += ["--attention", attention, "--device", options.device, "--repeats", str(options.repeats)]
        text, memory = watched(options, command)
        runs[attention] = {**parsed(text), "memory_mib": memory, "attention": attention}
    return min(runs.values(), key=lambda one: one["median_s"])


def peer(options):
    import torch
    from transformers import BertConfig, BertModel

    layers, hidden, heads, ffn, *_ = SIZES[options.size]
    device = torch.device("cuda" if options.device.startswith("cuda") else "cpu")
    tf32 = options.peer_precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.manual_seed(0)
    shape = {"hidden_size": hidden, "num_hidden_layers": layers, "num_attention_heads": heads}
    shape |= {"intermediate_size": ffn, "vocab_size": VOCAB, "attn_implementation": options.attention}
    bert = BertModel(BertConfig(**shape)).to(device)
    head = torch.nn.Linear(hidden, 3).to(device)
    trained = [*bert.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(trained, lr=2e-5, fused=True)
    mixed = torch.autocast(device.type, torch.bfloat16, enabled=options.peer_precision == "bf16")

    def logits(count):
        ids = torch.randint(1000, 30000, (count, SEQUENCE), device=device)
        with mixed:
            return head(bert(input_ids=ids, attention_mask=torch.ones_like(ids)).pooler_output)

    def step():
        labels = torch.randint(0, 3, (BATCH,), device=device)
        loss = torch.nn.functional.cross_entropy(logits(BATCH).float(), labels)
        loss.backward()
        # ours clips by the norm and looks at the loss
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        return loss.item()

    @torch.no_grad()
    def score():
        for _ in range(TASKS):
            torch.distributions.Categorical(logits=logits(BATCH).float()).entropy().cpu()

    bert.train(options.peer == "step")
    times = []
    for _ in range(WARM_UP + options.repeats):
        began = time.perf_counter()
        step() if options.peer == "step" else score()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - began)
    print(json.dumps({"median_s": statistics.median(times[WARM_UP:]), "times": times[WARM_UP:], "torch": torch.__version__}))


# Running things.


def camtlc(options):
    if options.camtlc is None:
        run(["cargo", "build", "--release"])
        options.camtlc = str(ROOT / "target" / "release" / "camtlc")
    return options.camtlc


def run(command, check=True, environment=None):
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **(environment or {})}, capture_output=True, text=True
    )
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command[:4]))} ..: {done.returncode}\n{done.stderr[-2000:]}")
    return done


def watched(options, command):
    """What a command prints, and the most memory in MiB that it held on the GPU, or on the CPU in RAM."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    most = [0]

    def watch():
        while process.poll() is None:
            most[0] = max(most[0], held(options, process.pid))
            time.sleep(0.1)

    watcher = threading.Thread(target=watch)
    watcher.start()
    out, errors = process.communicate()
    watcher.join()
    if process.returncode:
        raise RuntimeError(f"{' '.join(map(str, command[:4]))} ..: {process.returncode}\n{errors[-2000:]}")
    return out, most[0]


def held(options, pid):
    try:
        if options.device == "cpu":
            status = Path(f"/proc/{pid}/status").read_text()
            return int(status.split("VmHWM:")[1].split()[0]) // 1024
        # in a container the process ids of nvidia-smi are others: the GPU is expected to be ours alone
        done = subprocess.run(
            ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"], capture_output=True, text=True
        )
        number = int(options.device.partition(":")[2] or 0)
        return int(done.stdout.splitlines()[number])
    except (OSError, IndexError, ValueError):
        return 0


def devices(options):
    return ["cpu"] if options.device == "cpu" else ["cpu", options.device]


def placements(options):
    """The CPU, and where there is a GPU that in either precision."""
    on_gpu = [] if options.device == "cpu" else [(options.device, "f32"), (options.device, "tf32")]
    return [("cpu", "f32"), *on_gpu]


def scratch():
    return tempfile.TemporaryDirectory(prefix="camtl-")


def row(work, mine, theirs):
    return f"| {work} | {1000 * mine:.1f} ms | {1000 * theirs:.1f} ms | {theirs / mine:.2f}x |"


def parsed(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


def last(text):
    return (text.strip().splitlines() or [""])[-1].strip()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--data", help="a folder with the GLUE sets")
    parser.add_argument("--minilm", help="a folder with all-MiniLM-L6-v2")
    parser.add_argument("--out", default="gpu_report")
    parser.add_argument("--only", nargs="*", choices=PARTS)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--camtlc", help="default: built here")
    parser.add_argument("--tiny", action="store_true", help="a small network, to try the script")
    parser.add_argument("--peer", choices=["step", "score"], help=argparse.SUPPRESS)
    parser.add_argument("--size", choices=SIZES, default="minilm", help=argparse.SUPPRESS)
    parser.add_argument("--peer-precision", choices=PRECISIONS, default="f32", help=argparse.SUPPRESS)
    parser.add_argument("--attention", default="sdpa", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
