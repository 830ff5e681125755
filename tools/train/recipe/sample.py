"""Samples of an exported model, made with transformers; prints Markdown.

usage: python -m recipe.sample MODEL_FOLDER [PROMPT ...]
"""

from __future__ import annotations

import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

PROMPTS = ("", "Once upon a time", "The dog chased another dog", "Lily was afraid of", "And God said")
LENGTH = 220


def main(folder: str, *prompts: str) -> None:
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    for seed, prompt in enumerate(prompts or PROMPTS, 1):
        torch.manual_seed(seed)
        ids = tokenizer(prompt, return_tensors="pt")["input_ids"]
        out = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=True,
            temperature=0.8,
            top_p=1.0,
            top_k=0,
            max_new_tokens=LENGTH,
            pad_token_id=tokenizer.eos_token_id,
        )[0]
        ended = out[-1] == tokenizer.eos_token_id
        text = tokenizer.decode(out, skip_special_tokens=True)
        print(f"Prompt `{prompt}`, seed {seed}, " if prompt else f"No prompt, seed {seed}, ", end="")
        print(f"{len(out) - ids.shape[1]} tokens{', ended by itself' if ended else ', cut off'}:\n")
        print("\n".join(f"> {line}".rstrip() for line in text.splitlines()), end="\n\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
