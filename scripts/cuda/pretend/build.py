#!/usr/bin/env python3
"""Makes libraries that pretend to be a GPU's: a program built for CUDA runs with them on any machine, slowly.

    python3 scripts/cuda/pretend/build.py FOLDER
    LD_LIBRARY_PATH=FOLDER PROGRAM compare --golden tests/golden/reference/base --tolerance 1e-4

The kernels are dfdx's own, compiled for the host from the sources that cargo has fetched, and ours
(src/kernels/cuda/*.cu): so their indexing and their formulas are checked, and what is asked of cuBLAS and of the
driver. Speed, rounding and races of a GPU are not. `driver.cpp` names what can be asked for by the environment. Needs g++.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
# With the version of the names that the toolchain's libraries for linking have.
SONAMES = {"cuda": "libcuda.so.1", "nvrtc": "libnvrtc.so.13", "cublas": "libcublas.so.13", "cublasLt": "libcublasLt.so.13"}
UNUSED = ["conv2d", "convtrans2d", "pool2d", "upscale2d", "attention_reshape", "to_dtype", "optim", "adam", "sgd", "rmsprop"]


def main():
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    registry = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo")) / "registry" / "src"
    operations = next(registry.glob("*/dfdx-0.13.0")) / "src" / "tensor_ops"
    objects = []
    sources = [path for path in sorted(operations.glob("*/*.cu")) if path.parent.name not in UNUSED]
    for source in [*sources, *sorted((ROOT / "src/kernels/cuda").glob("*.cu"))]:
        unit = folder / f"{source.parent.name}_{source.stem}.cpp"
        made = compiled(unit, folder, translated(source, operations / "utilities"))
        if made is None:
            print(f"left out: {source.name}", file=sys.stderr)
        else:
            objects.append(made)
    for unit in ["fibers.cpp", "driver.cpp"]:
        made = compiled(folder / unit, folder, (HERE / unit).read_text())
        if made is None:
            sys.exit(1)
        objects.append(made)
    link(folder, next(registry.glob("*/cudarc-0.9.*")) / "src", objects)


def translated(source, utilities):
    """A kernel's file as C++, with its kernels entered by their names; those of half precision are left out."""
    text = inlined(source.read_text(), utilities, set())
    text = "\n".join(line for line in text.splitlines() if not ("__half" in line and "__device__" in line))
    text = without_half(text)
    # its size is the launch's
    text = re.sub(r"extern\s+__shared__\s+([\w\s]+?)\s*(\w+)\[\];", r"\1 *\2 = (\1 *)pretend_dynamic();", text)
    shim = f'#include <cstdio>\n#include "{HERE}/shim.h"\n'
    unit = subprocess.run(["g++", "-std=c++20", "-E", "-P", "-x", "c++", "-"], input=shim + text, capture_output=True, text=True)
    names = sorted(set(re.findall(r'extern "C"[^;{}(]*\(\(weak\)\)\s+void (\w+)\(', unit.stdout)))
    entries = "".join(f'static Register entry_{name}("{name}", {name});\n' for name in names)
    return f"{shim}{text}\n{entries}"


def inlined(text, utilities, seen):
    lines = []
    for line in text.splitlines():
        found = re.match(r'\s*#include "(\w+\.cuh?|cuda_fp16\.h)"', line)
        if not found:
            lines.append(line)
        elif found[1] in ("cuda_fp16.h", "compatibility.cuh") or found[1] in seen:
            pass  # the shim has what is used of these
        else:
            seen.add(found[1])
            lines.append(inlined((utilities / found[1]).read_text(), utilities, seen))
    return "\n".join(lines)


def without_half(text):
    """Drops each use of a macro whose first argument is __half, over several lines."""
    while found := re.search(r"^\w+\(\s*__half\b", text, flags=re.M):
        end, depth = text.index("(", found.start()), 0
        while True:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
            if depth == 0:
                break
        text = text[: found.start()] + text[end:].lstrip(";")
    return text


def compiled(unit, folder, text):
    made = folder / f"{unit.stem}.o"
    text += "".join(f"\n// {line}" for line in (HERE / "shim.h").read_text().splitlines())
    if made.exists() and unit.exists() and unit.read_text() == text:
        return made
    made.unlink(missing_ok=True)
    unit.write_text(text)
    command = ["g++", "-std=c++20", "-O2", "-ftree-vectorize", "-march=native", "-ffp-contract=off", "-fPIC", "-w", "-I", str(HERE), "-c", str(unit), "-o", str(made)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print(done.stderr[:1500], file=sys.stderr)
        return None
    return made


def link(folder, declarations, objects):
    """One library with everything, and one of each name that the program is linked with, which passes on to it."""
    modules = {"cuda": "driver", "nvrtc": "nvrtc", "cublas": "cublas", "cublasLt": "cublaslt"}
    core = folder / "libpretend.so"
    subprocess.run(["g++", "-shared", "-o", str(core), *map(str, objects)], check=True)
    defined = subprocess.run(["nm", "-D", "--defined-only", str(core)], capture_output=True, text=True, check=True).stdout
    defined = {line.split()[-1] for line in defined.splitlines()}
    for name, soname in SONAMES.items():
        text = (declarations / modules[name] / "sys.rs").read_text()
        names = sorted(set(re.findall(r"pub fn ((?:cu|nvrtc|cublas)\w+)", text)))
        stub = folder / f"stub_{name}.c"
        text = "\n".join(f"int {function}(void) {{ return 801; }}" for function in names if function not in defined)
        stub.write_text(text + "\n")
        command = ["gcc", "-shared", "-fPIC", "-w", f"-Wl,-soname,{soname}", "-o", str(folder / soname), str(stub)]
        command += ["-Wl,--no-as-needed", str(core), "-Wl,-rpath,$ORIGIN"]
        subprocess.run(command, check=True)
    print(folder)


if __name__ == "__main__":
    main()
