#!/usr/bin/env python3
"""PyTorch's side of gpu_report.py: training steps and scoring with plain BERT, timed; JSON on stdout.

    python3 scripts/cuda/torch_peer.py --size minilm --precisions f32 bf16 --attentions eager sdpa --works step score

All of it in one process, since that takes long to start. Memory is what the GPU has in use after the work, less what it had
before this process; what PyTorch keeps for later counts, as ours does.
"""

import sys

sys.dont_write_bytecode = True  # no folder beside this

import argparse
import json
import os
import statistics
import time

import torch
from gpu_report import BATCH, SEQUENCE, SIZES, TASKS, VOCAB, WARM_UP, held
from transformers import BertConfig, BertModel


def main():
    options = arguments()
    layers, hidden, heads, ffn, *_ = SIZES[options.size]
    device = torch.device("cuda" if options.device.startswith("cuda") else "cpu")
    before = held(options)
    found = {"torch": {"version": torch.__version__}}

    def exactness(precision):
        """f32 is f32, and tf32 is not: the error of a product says which."""
        torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
        a, b = torch.randn(2, 512, 512, device=device, dtype=torch.float64).unbind()
        error = float(((a.float() @ b.float()).double() - a @ b).norm() / (a @ b).norm())
        if device.type == "cuda" and (error > 1e-5) != (precision == "tf32"):
            raise RuntimeError(f"{precision}: products have an error of {error:.1e}")
        return error

    for attention in options.attentions:
        torch.manual_seed(0)
        shape = {"hidden_size": hidden, "num_hidden_layers": layers, "num_attention_heads": heads}
        shape |= {"intermediate_size": ffn, "vocab_size": VOCAB, "attn_implementation": attention}
        with device:
            bert = BertModel(BertConfig(**shape))
            head = torch.nn.Linear(hidden, 3)
        trained = [*bert.parameters(), *head.parameters()]
        for precision in options.precisions:
            here = found[f"{precision} {attention}"] = {}
            half = {"bf16": torch.bfloat16, "f16": torch.float16}.get(precision)
            mixed = torch.autocast(device.type, half or torch.bfloat16, enabled=half is not None)
            scaler = torch.amp.GradScaler(device.type, enabled=half is torch.float16)
            optimizer = torch.optim.AdamW(trained, lr=2e-5, fused=True)

            def logits(count):
                ids = torch.randint(1000, 30000, (count, SEQUENCE), device=device)
                with mixed:
                    return head(bert(input_ids=ids, attention_mask=torch.ones_like(ids)).pooler_output)

            def step():
                labels = torch.randint(0, 3, (BATCH,), device=device)
                loss = torch.nn.functional.cross_entropy(logits(BATCH).float(), labels)
                scaler.scale(loss).backward()
                # ours clips by the norm and looks at the loss
                scaler.unscale_(optimizer)
                torch.nn.utils.clip_grad_norm_(trained, 1.0)
                scaler.step(optimizer)
                scaler.update()
                optimizer.zero_grad()
                return loss.item()

            @torch.no_grad()
            def score():
                for _ in range(TASKS):
                    torch.distributions.Categorical(logits=logits(BATCH).float()).entropy().cpu()

            try:
                here["error"] = exactness(precision)
                for work in options.works:
                    bert.train(work == "step")
                    times = []
                    for _ in range(WARM_UP + options.repeats):
                        began = time.perf_counter()
                        step() if work == "step" else score()
                        if device.type == "cuda":
                            torch.cuda.synchronize()
                        times.append(time.perf_counter() - began)
                    counted = times[WARM_UP:]
                    memory = held(options, os.getpid()) - (0 if options.device == "cpu" else before)
                    here[work] = {"median_s": statistics.median(counted), "times": counted, "memory_mib": memory}
            except RuntimeError as error:  # memory does not suffice, say
                here["failed"] = str(error)
            del optimizer
            if device.type == "cuda":
                torch.cuda.empty_cache()
        del bert, head, trained
    print(json.dumps(found))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--size", choices=SIZES, default="minilm")
    parser.add_argument("--precisions", nargs="*", choices=["f32", "tf32", "bf16", "f16"], default=["f32"])
    parser.add_argument("--attentions", nargs="*", choices=["eager", "sdpa"], default=["eager", "sdpa"])
    parser.add_argument("--works", nargs="*", choices=["step", "score"], default=["step", "score"])
    parser.add_argument("--repeats", type=int, default=20)
    return parser.parse_args()


if __name__ == "__main__":
    main()
