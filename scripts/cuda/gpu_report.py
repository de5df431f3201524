#!/usr/bin/env python3
"""Everything that is claimed of a GPU, in one command: what it has, right numbers, training, speed against PyTorch.

    python3 scripts/cuda/gpu_report.py --python PYTHON --data GLUE --minilm FOLDER --out report

| part | does |
|---|---|
| doctor | what this machine has |
| compare | networks against the numbers of the authors' code, at 1e-4, on the CPU and on the GPU |
| quickstart | trains models/quickstart.cam on both; the means on its development sets |
| minilm | the same for models/camtl_minilm.cam, 400 steps; needs `--data`, a folder with the GLUE sets, and `--minilm` |
| glue | the same for models/camtl_minilm_glue.cam, 2000 steps; only where `--only` names it |
| speed | training steps of MiniLM's and BERT-base's size, scoring, memory, against PyTorch on the same GPU |
| profile | where the time of a step goes: phases and operations, and the GPU's kernels, ours and PyTorch's |

`--python` is an interpreter with `torch` and `transformers`. Every part goes on where one before it failed; the report is
written after each, as `OUT.md` and `OUT.json`. `--device cpu --tiny` tries all of it without a GPU, in minutes.
`--sizes`, `--precisions` and `--only` select, where a GPU's time is scarce.

A machine with a GPU need have neither cargo nor nvcc: `--prepare DIR` builds what the parts need, on another one (in a
shell of `toolchain.sh`), and `--programs DIR` uses it.

The steps that are measured are those of the programs that camtlc builds, on texts of 128 word pieces that are made
here, all modules attached and nothing frozen; PyTorch's are of plain BERT from `transformers`, with its fused AdamW, in
the faster of its two attentions, and beside our `amp` under autocast in the faster of its two half precisions. The
authors' code is that with their modules, about 1.15 times as slow.

Kernels are listed by `nsys`, or without it by trace.cpp beside this, which `--prepare` compiles.
"""

import argparse
import ctypes
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
AUTHORS = 1.15  # their code, over plain BERT
WARM_UP = 10  # steps that do not count: kernels are loaded, buffers allocated
TRACED = 8  # steps of a trace that count
TASKS, EXAMPLES = 8, 64
# layers, hidden, heads, ffn, blocks, bottleneck
SIZES = {"minilm": (6, 384, 12, 1536, 4, 128), "bert_base": (12, 768, 12, 3072, 8, 256), "tiny": (2, 32, 2, 64, 4, 8)}
# Ours, and what PyTorch has beside it.
PRECISIONS = {"f32": ["f32"], "tf32": ["tf32"], "amp": ["bf16", "f16"]}
BATCH, SEQUENCE, VOCAB = 32, 128, 30522
MODELS = {
    "compare": ["tests/reference/small_base.cam", "tests/reference/small_large.cam"],
    "quickstart": ["models/quickstart.cam"],
    "minilm": ["models/camtl_minilm.cam"],
    "glue": ["models/camtl_minilm_glue.cam"],
}
# Of numbers that lie elsewhere.
GOLDEN = {"tiny-base": "tests/reference/tiny_base.cam", "tiny-large": "tests/reference/tiny_large.cam"}
ASKED_FOR = ["glue"]


def main():
    options = arguments()
    if options.prepare:
        return prepare(options)
    report = {"options": {key: str(value) for key, value in vars(options).items()}, "parts": {}}
    for name in parts(options):
        print(f"== {name}", file=sys.stderr, flush=True)
        began = time.monotonic()
        lines = []
        try:
            for line in PARTS[name](options, report):
                lines.append(line)
                print(line, flush=True)
        except Exception as error:  # the parts do not depend on each other
            lines += ["", f"**failed**: {error}"]
            print(lines[-1], file=sys.stderr, flush=True)
            report["failed"] = [*report.get("failed", []), name]
        report["parts"][name] = lines
        report.setdefault("seconds", {})[name] = time.monotonic() - began
        text = "\n\n".join(f"## {name}\n\n" + "\n".join(lines) for name, lines in report["parts"].items())
        Path(f"{options.out}.md").write_text(f"# camtl on {options.device}\n\n{text}\n")
        Path(f"{options.out}.json").write_text(json.dumps(report, indent=1) + "\n")
    return 1 if report.get("failed") else 0


def parts(options):
    return options.only or [name for name in PARTS if name not in ASKED_FOR]


# The parts: each gives the lines of its section, as they come.


def doctor(options, report):
    yield "```"
    if not options.programs:
        yield run([camtlc(options), "doctor", "--device", options.device], check=False).stdout.rstrip()
    fields = "name,compute_cap,memory.total,driver_version,clocks.max.sm"
    for command in [["nvidia-smi", f"--query-gpu={fields}", "--format=csv"], [options.python, "--version"]]:
        try:
            yield run(command, check=False).stdout.strip()
        except OSError as error:
            yield str(error)
    yield "```"


def compare(options, report):
    yield "| numbers | device | precision | tensors | largest relative difference | of | verdict |"
    yield "|---|---|---|---|---|---|---|"
    sets = [(model, f"tests/golden/reference/{Path(model).stem.split('_')[1]}") for model in MODELS["compare"]]
    sets += [(model, str(Path(options.golden) / name)) for name, model in GOLDEN.items() if options.golden]
    wrong = []
    for model, golden in sets:
        for device, precision in placements(options, processor=True):
            command = [*program(options, model), "compare", "--golden", golden, "--tolerance", "1e-4", "--json"]
            command += ["--device", device, "--precision", precision]
            # a tile unit's products are not exact enough
            done = run(command, check=False, environment={"CAMTL_MATMUL": "gemm"}, limit=60)
            found = parsed(done.stdout) or {"tensors": [], "passed": False}
            report.setdefault("compare", {})[f"{golden} {device} {precision}"] = found
            worst = max(found["tensors"], key=lambda one: one.get("relative") or 0, default={})
            verdict = "within 1e-4" if found["passed"] else "**not within 1e-4**"
            if not found["tensors"]:
                verdict = last(done.stderr)
            elif precision != "f32":
                verdict = "f32 is what is held to it"
            if precision == "f32" and not found["passed"]:
                wrong.append(f"{golden} on {device}")
            largest = f"{worst['relative']:.2e} | {worst['name']}" if "relative" in worst else " | "
            name = "/".join(Path(golden).parts[-2:])
            yield f"| {name} | {device} | {precision} | {len(found['tensors'])} | {largest} | {verdict} |"
    if wrong:
        raise RuntimeError("; ".join(wrong))


def quickstart(options, report):
    more = ["--data", "models/quickstart", *(["--steps", "40"] if options.tiny else [])]
    yield from trained(options, report, MODELS["quickstart"][0], more)


def minilm(options, report):
    yield from on_glue(options, report, MODELS["minilm"][0], 400)


def glue(options, report):
    yield from on_glue(options, report, MODELS["glue"][0], 2000)


def on_glue(options, report, model, steps):
    if not (options.data and options.minilm):
        yield "left out: it needs `--data` and `--minilm`"
        return
    steps = options.steps or (4 if options.tiny else steps)
    more = ["--data", options.data, "--backbone", options.minilm, "--steps", str(steps)]
    yield from trained(options, report, model, [*more, "--set", f"evaluate_every={max(steps // 4, 1)}"])


def trained(options, report, model, more):
    yield "| device | precision | dev mean | best at step | loss at steps 1, 2, 10, the last | seconds |"
    yield "|---|---|---|---|---|---|"
    failed = []
    for device, precision in placements(options, processor=not options.gpu_only):
        with scratch() as folder:
            out = Path(folder) / "run"
            command = [*program(options, model), "train", "--device", device, "--precision", precision]
            done = run([*command, "--out", str(out), *more], check=False, limit=options.limit)
            if done.returncode:
                failed.append(f"{device} {precision}")
                yield f"| {device} | {precision} | {last(done.stderr)} | | | |"
                report.setdefault(model, {})[f"{device} {precision} failed"] = done.stderr[-3000:]
                continue
            finished = json.loads((out / "run.json").read_text())["finished"]
            events = lines_of(out / "events.jsonl")
            kept = {"evaluations": lines_of(out / "eval.jsonl"), "events": events, "finished": finished}
            report.setdefault(model, {})[f"{device} {precision}"] = kept
            shown = [f"{events[n]['loss']:.5f}" for n in [0, 1, min(9, len(events) - 1), -1]]
            best = finished["best"]
            row = f"| {device} | {precision} | {best['mean']:.4f} | {best['step']} | {', '.join(shown)} |"
            yield f"{row} {finished['seconds']:.1f} |"
    if failed:
        raise RuntimeError("; ".join(failed))


def speed(options, report):
    yield "| work | precision | ours | PyTorch | ratio |"
    yield "|---|---|---|---|---|"
    failed = []
    for size in options.sizes:
        try:
            theirs = peers(options, size)
        except RuntimeError as error:
            theirs = {}
            failed.append(f"PyTorch, {size}: {error}")
        report.setdefault("speed", {})[f"{size} theirs"] = theirs
        for precision in options.precisions:
            if options.device == "cpu" and precision != "f32":
                continue
            try:
                mine = ours(options, size, precision, "proportional")
                report["speed"][f"{size} {precision} ours"] = mine
                step = fastest(theirs, precision, "step")
                yield row(f"{size}, training step, {BATCH} x {SEQUENCE}", precision, mine["median_s"], step)
                if step and precision == "f32":
                    target = {**step, "median_s": step["median_s"] * AUTHORS}
                    yield row("against the authors' code, 1.15 x PyTorch", precision, mine["median_s"], target)
                share = f"{mine['memory_mib'] / max(step['memory_mib'], 1):.2f}x" if step else ""
                them = f"{step['memory_mib']} MiB, {step['name']}" if step else ""
                yield f"| memory of it | {precision} | {mine['memory_mib']} MiB | {them} | {share} |"
                # what MT-Uncertainty adds to a step is its scoring of 8 x 32 candidates
                both = ours(options, size, precision, "mt_uncertainty")
                report["speed"][f"{size} {precision} ours with scoring"] = both
                scoring = max(both["median_s"] - mine["median_s"], 1e-6)
                work = f"{size}, scoring of {TASKS * BATCH} candidates of {SEQUENCE}"
                yield row(work, precision, scoring, fastest(theirs, precision, "score"))
            except RuntimeError as error:
                failed.append(f"{size} {precision}: {error}")
                yield f"| {size} | {precision} | **failed**: {last(str(error))} | | |"
    if failed:
        raise RuntimeError("\n\n".join(failed))


def profile(options, report):
    steps = WARM_UP + TRACED
    for size in options.sizes:
        for precision in options.precisions[:1] if options.device == "cpu" else options.precisions:
            with scratch() as folder:
                command = training(options, Path(folder), size, precision, "proportional", steps)
                yield from traced(options, report, f"{size} {precision}, ours", command, steps)
            if options.device == "cpu":
                continue
            theirs = report.get("speed", {}).get(f"{size} theirs", {})
            best = fastest(theirs, precision, "step") or {"name": f"{PRECISIONS[precision][0]} sdpa"}
            autocast, attention = best["name"].split()
            command = peer_command(options, size) + ["--repeats", str(TRACED)]
            command += ["--works", "step", "--attentions", attention, "--precisions", autocast]
            yield from traced(options, report, f"{size} {best['name']}, PyTorch", command, steps)
    size = options.sizes[-1]
    with scratch() as folder:
        command = training(options, Path(folder), size, options.precisions[0], "mt_uncertainty", 12)
        # kernels run behind the program's back: made to wait, each phase has its own time, and all a longer one
        done = run([*command, "--profile"], environment={"CUDA_LAUNCH_BLOCKING": "1"}, limit=120)
        yield from [f"### {size}: phases and operations", ""]
        yield from ["Each launch waits for the GPU here: shares count, seconds do not.", "", "```", done.stderr.strip(), "```"]


def traced(options, report, title, command, steps):
    """The GPU's kernels of a command that takes so many steps, of which the last TRACED count."""
    yield from ["", f"### {title}", ""]
    nsys, library = shutil.which("nsys"), tracer(options)
    with scratch() as folder:
        try:
            if options.device == "cpu":
                run(command, limit=120)
                yield "There is no GPU to look at."
            elif nsys:
                trace = str(Path(folder) / "trace")
                run([nsys, "profile", "--trace", "cuda,cublas", "--output", trace, *command], limit=180)
                done = run([nsys, "stats", "--report", "cuda_gpu_kern_sum,cuda_api_sum", f"{trace}.nsys-rep"], limit=120)
                yield from ["```", *[line for line in done.stdout.splitlines() if line.strip()][:60], "```"]
            elif library:
                table = Path(folder) / "trace.tsv"
                environment = {"CUDA_INJECTION64_PATH": str(library), "TRACE_OUT": str(table)}
                environment |= {"TRACE_STEPS": f"{steps}:{TRACED}", "TRACE_API": "1"}
                done = run(command, environment=environment, limit=120)
                if not table.exists():
                    raise RuntimeError(f"no trace was written: {done.stderr[-500:]}")
                report.setdefault("traces", {})[title] = table.read_text()
                yield from kernels(table.read_text())
            else:
                yield "Left out: neither `nsys` is on the PATH nor could trace.cpp be compiled."
        except RuntimeError as error:
            yield f"**failed**: {error}"
            report["failed"] = [*report.get("failed", []), f"trace of {title}"]


def kernels(text):
    """A trace's table, for reading."""
    facts, gaps, rows = {}, [], []
    for line in text.splitlines():
        fields = line.split("\t")
        if fields[0] == "# gap":
            gaps.append(f"{fields[1]} us {fields[2]}")
        elif line.startswith("#"):
            facts[fields[0][2:]] = fields[1]
        else:
            kind, calls, total, longest, _, name = fields
            rows.append((kind, int(calls), float(total), float(longest), name))
    steps = int(facts["steps"]) or 1
    if "warning" in facts:
        yield facts["warning"]
    window, busy, idle = (1000 * float(facts[key]) / steps for key in ["window", "busy", "idle"])
    yield f"A step: {window:.3f} ms, of which the GPU is busy {busy:.3f} and idle {idle:.3f}."
    yield f"Gaps over 10 us: {int(facts['gaps over 10 us']) / steps:.1f} a step; the longest: {'; '.join(gaps[:3])}"
    for functions in [False, True]:
        kept = [one for one in rows if (one[0] == "function") == functions]
        if not kept:
            continue
        calls = sum(one[1] for one in kept) / steps
        what = "functions of the driver" if functions else "kernels, copies, sets"
        yield from ["", f"{calls:.0f} {what} a step:", "", "```"]
        yield f"{'ms/step':>9} {'share':>6} {'calls':>7} {'mean us':>9} {'max us':>9}  name"
        for kind, count, total, longest, name in kept[: 12 if functions else 40]:
            share = total / 1000 / steps / window if window else 0
            name = name if kind in ("kernel", "function") else f"({kind}) {name}"
            yield f"{total / 1000 / steps:9.4f} {share:6.1%} {count / steps:7.1f} {total / count:9.1f} {longest:9.1f}  {name[:110]}"
        yield "```"


PARTS = {
    "doctor": doctor,
    "compare": compare,
    "quickstart": quickstart,
    "minilm": minilm,
    "glue": glue,
    "speed": speed,
    "profile": profile,
}


# The programs: built here, or by `--prepare` on another machine.


def prepare(options):
    folder = Path(options.prepare)
    folder.mkdir(parents=True, exist_ok=True)
    wanted = []
    for part in parts(options):
        wanted += [ROOT / model for model in MODELS.get(part, [])]
        wanted += [ROOT / model for model in GOLDEN.values() if part == "compare"]
    with scratch() as sizes:
        if {"speed", "profile"} & set(parts(options)):
            wanted += [written(Path(sizes), size) for size in options.sizes]
        for model in wanted:
            place = folder / model.stem
            shutil.rmtree(place, ignore_errors=True)
            run([HERE / "pack.sh", *built(options, model), place])
            print(place, flush=True)
    if library := compiled_tracer(folder / "trace.so"):
        print(library)
    return 0


def program(options, model):
    """The start of a command of the model's program."""
    if options.programs:
        return [str(Path(options.programs).resolve() / Path(model).stem / "run")]
    return built(options, ROOT / model)


def built(options, model):
    done = run([camtlc(options), "build", str(model), "--device", options.device])
    return [done.stdout.strip().split(": ", 1)[1]]


def camtlc(options):
    if options.camtlc is None:
        run(["cargo", "build", "--release"])
        target = os.environ.get("CARGO_TARGET_DIR", ROOT / "target")
        options.camtlc = str(ROOT / target / "release" / "camtlc")
    return options.camtlc


def tracer(options):
    if options.programs:
        library = Path(options.programs).resolve() / "trace.so"
        return library if library.exists() else None
    return compiled_tracer(Path(tempfile.gettempdir()) / "camtl-trace.so")


def compiled_tracer(library):
    """Where there is a compiler, and CUPTI's headers."""
    toolkit = os.environ.get("CUDA_PATH", "/usr/local/cuda")
    headers = [f"{toolkit}/include", f"{toolkit}/extras/CUPTI/include"]
    command = ["g++", "-std=c++17", "-O2", "-shared", "-fPIC", "-static-libstdc++", "-static-libgcc"]
    command += [*(f"-I{folder}" for folder in headers), HERE / "trace.cpp", "-o", library, "-ldl"]
    try:
        done = run(command, check=False)
    except OSError:
        return None
    return library if done.returncode == 0 else None


def written(folder, size):
    """The model file of a network of this size."""
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
train {{ sampler proportional   batch {BATCH}   steps {WARM_UP} }}
"""
    )
    return model


def training(options, folder, size, precision, sampler, steps):
    """The command that trains a network of this size on texts of SEQUENCE word pieces; `folder/run` is the run."""
    model = written(folder, size)
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
    return [
        *[*program(options, model), "train", "--device", options.device, "--precision", precision],
        *["--data", str(folder / "data"), "--cache", str(folder / "cache"), "--out", str(folder / "run")],
        *["--steps", str(steps), "--set", f"evaluate_every={steps}", "--set", f"sampler={sampler}"],
    ]


def ours(options, size, precision, sampler):
    """Wall time from step to step. The program is ended when it has taken them: its checkpoint is large."""
    steps = WARM_UP + options.repeats
    with scratch() as folder:
        folder = Path(folder)
        before = held(options)
        command = training(options, folder, size, precision, sampler, 10 * steps)
        log, most = folder / "run" / "events.jsonl", 0
        began = time.monotonic()
        with open(folder / "stderr", "w") as errors:
            process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=errors, env=clean())
        try:
            while process.poll() is None and len(lines_of(log)) <= steps:
                most = max(most, held(options, process.pid))
                if time.monotonic() - began > 150:
                    raise RuntimeError(f"{len(lines_of(log))} steps in 150 seconds")
                time.sleep(0.2)
        finally:
            process.kill()
            process.wait()
        events = lines_of(log)[: steps + 1]
        if len(events) <= steps:
            raise RuntimeError(f"{len(events)} steps: {(folder / 'stderr').read_text()[-1500:]}")
        tokens = {event["tokens"] for event in events}
        if tokens != {BATCH * SEQUENCE}:
            raise RuntimeError(f"steps of {tokens} tokens instead of {BATCH * SEQUENCE}")
        ends = [event["time"]["seconds"] for event in events]
        times = [after - before for before, after in zip(ends, ends[1:])][WARM_UP:]
        losses = [event["loss"] for event in events]
        memory = most - (0 if options.device == "cpu" else before)
        return {"median_s": statistics.median(times), "times": times, "memory_mib": memory, "losses": losses}


# PyTorch's side: torch_peer.py.


def peers(options, size):
    """All that is measured of PyTorch at this size: a process for all, since it takes long to start."""
    precisions = [name for precision in options.precisions for name in PRECISIONS[precision]]
    command = peer_command(options, size) + ["--repeats", str(options.repeats), "--precisions"]
    done = run([*command, *(["f32"] if options.device == "cpu" else precisions)], limit=300)
    return json.loads(done.stdout.splitlines()[-1])


def peer_command(options, size):
    return [options.python, HERE / "torch_peer.py", "--size", size, "--device", options.device]


def fastest(theirs, precision, work):
    """Of the ways in which PyTorch can do this."""
    found = []
    for name, measured in theirs.items():
        if name.split()[0] in PRECISIONS[precision] and "median_s" in measured.get(work, {}):
            found.append({**measured[work], "name": name})
    return min(found, key=lambda one: one["median_s"], default=None)


# Running things.


def run(command, check=True, environment=None, limit=None):
    command = list(map(str, command))
    given = {"cwd": ROOT, "env": {**clean(), **(environment or {})}, "capture_output": True, "text": True}
    try:
        done = subprocess.run(command, timeout=limit, **given)
    except subprocess.TimeoutExpired:
        done = subprocess.CompletedProcess(command, 124, "", f"it took longer than {limit} seconds")
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(command[:4])} ..: {done.returncode}\n{done.stderr[-2000:]}")
    return done


def clean():
    """Without what would change precision behind the back of either side."""
    return {key: value for key, value in os.environ.items() if key not in ("NVIDIA_TF32_OVERRIDE", "CAMTL_MATMUL")}


class Memory(ctypes.Structure):
    _fields_ = [("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong)]


def held(options, pid=None):
    """MiB in use on the GPU, which is expected to be ours alone: in a container the processes cannot be told apart. On the
    CPU the most that this process has held."""
    if options.device == "cpu":
        try:
            status = Path(f"/proc/{pid}/status").read_text()
            return int(status.split("VmHWM:")[1].split()[0]) // 1024
        except (OSError, IndexError):
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024 if pid == os.getpid() else 0
    number = int(options.device.partition(":")[2] or 0)
    try:
        nvml, handle, memory = ctypes.CDLL("libnvidia-ml.so.1"), ctypes.c_void_p(), Memory()
        nvml.nvmlInit_v2()
        if nvml.nvmlDeviceGetHandleByIndex_v2(number, ctypes.byref(handle)) == 0:
            if nvml.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory)) == 0:
                return memory.used >> 20
    except (OSError, AttributeError):
        pass
    try:
        query = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
        return int(run(query, check=False).stdout.splitlines()[number])
    except (OSError, IndexError, ValueError):
        return 0


def placements(options, processor):
    """The CPU if asked for, and where there is a GPU that in each precision."""
    on_gpu = [] if options.device == "cpu" else [(options.device, precision) for precision in options.precisions]
    return ([("cpu", "f32")] if processor else []) + on_gpu


def scratch():
    """In memory where it suffices: a checkpoint of BERT-base is 1.3 GB."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 8 << 30
    return tempfile.TemporaryDirectory(prefix="camtl-", dir=memory if roomy else None)


def row(work, precision, mine, theirs):
    if theirs is None:
        return f"| {work} | {precision} | {1000 * mine:.2f} ms | | |"
    them = theirs["median_s"]
    return f"| {work} | {precision} | {1000 * mine:.2f} ms | {1000 * them:.2f} ms, {theirs['name']} | {them / mine:.2f}x |"


def lines_of(path):
    """The lines of JSON in a file, but for one that is being written."""
    try:
        text = path.read_text()
    except OSError:
        return []
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def parsed(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


def last(text):
    """What a program says of its failure, in a line."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return next((line for line in lines if "×" in line or "panicked" in line), (lines or [""])[-1])


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--data", help="a folder with the GLUE sets")
    parser.add_argument("--minilm", help="a folder with all-MiniLM-L6-v2")
    parser.add_argument("--golden", help="a folder with the authors' own numbers, tiny-base and tiny-large")
    parser.add_argument("--out", default="gpu_report")
    parser.add_argument("--only", nargs="*", choices=PARTS)
    parser.add_argument("--sizes", nargs="*", choices=SIZES)
    parser.add_argument("--precisions", nargs="*", choices=PRECISIONS, default=list(PRECISIONS))
    parser.add_argument("--gpu-only", action="store_true", help="do not train on the processor too, which takes long")
    parser.add_argument("--steps", type=int, help="of trainings on GLUE")
    parser.add_argument("--limit", type=int, help="seconds that a training may take")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--prepare", metavar="DIR", help="build the programs for these parts, and nothing else")
    parser.add_argument("--programs", metavar="DIR", help="what --prepare has built, instead of building")
    parser.add_argument("--camtlc", help="default: built here")
    parser.add_argument("--tiny", action="store_true", help="a small network, to try the script")
    options = parser.parse_args()
    options.sizes = options.sizes or (["tiny"] if options.tiny else ["minilm", "bert_base"])
    if options.only is not None:
        options.only = [name for name in PARTS if name in options.only]
    return options


if __name__ == "__main__":
    sys.exit(main())
