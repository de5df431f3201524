#!/usr/bin/env python3
"""Golden hidden states of PyTorch transformers' BERT on a small random checkpoint.

    pip install torch transformers safetensors
    python tests/golden/bert.py tests/golden/bert

Writes a Hugging Face folder (config.json, model.safetensors), and golden.safetensors: two sequences of different
length, each run alone (so there is no padding), in eval mode, fp32, eager attention: word_ids.i, token_types.i,
hidden.i.k (k = 0: embeddings, then each layer), pooled.i, and the gradient of sum(pooled * probe) for some weights.
Tolerance: 1e-5 of a tensor's largest value.
"""
import json, pathlib, sys

import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertModel

SIZES = dict(vocab_size=40, hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=48,
             max_position_embeddings=24, type_vocab_size=2)
GRADIENTS = ["embeddings.word_embeddings.weight", "embeddings.LayerNorm.weight",
             "encoder.layer.0.attention.self.query.weight", "encoder.layer.1.attention.output.LayerNorm.bias",
             "encoder.layer.2.intermediate.dense.weight", "pooler.dense.weight"]


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(11)
    config = BertConfig(attn_implementation="eager", **SIZES)
    model = BertModel(config).eval()
    with torch.no_grad():  # weights large enough that every part matters
        for p in model.parameters():
            p.copy_(torch.randn_like(p) * 0.15)
        for name, p in model.named_parameters():
            if name.endswith("LayerNorm.weight"):
                p.add_(1.0)

    golden, loss = {}, 0.0
    for i, (length, split) in enumerate([(7, 4), (12, 12)]):
        ids = torch.randint(5, SIZES["vocab_size"], (1, length))
        types = (torch.arange(length) >= split).long()[None]
        out = model(input_ids=ids, token_type_ids=types, output_hidden_states=True)
        probe = torch.randn_like(out.pooler_output)
        loss = loss + (out.pooler_output * probe).sum()
        golden[f"word_ids.{i}"], golden[f"token_types.{i}"] = ids[0].int(), types[0].int()
        golden[f"probe.{i}"], golden[f"pooled.{i}"] = probe[0], out.pooler_output[0]
        for k, h in enumerate(out.hidden_states):
            golden[f"hidden.{i}.{k}"] = h[0]
    loss.backward()
    named = dict(model.named_parameters())
    for name in GRADIENTS:
        golden[f"gradient.{name}"] = named[name].grad

    save_file({k: v.detach().contiguous() for k, v in model.state_dict().items()}, folder / "model.safetensors")
    save_file({k: v.detach().contiguous() for k, v in golden.items()}, folder / "golden.safetensors")
    fields = dict(SIZES, model_type="bert", hidden_act="gelu", layer_norm_eps=config.layer_norm_eps,
                  position_embedding_type="absolute")
    (folder / "config.json").write_text(json.dumps(fields, indent=2) + "\n")


if __name__ == "__main__":
    main()
