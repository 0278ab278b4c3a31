"""GRPO with execution-grounded credit in plain PyTorch: no trainer, any causal language model, any tasks.

    egca prepare starter --out data
    python examples/grpo_loop.py MODEL data/starter.jsonl --steps 20

MODEL is a Hugging Face directory or name. What EGCA adds are the two lines that say so.
"""

import argparse

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

import egca_plugin as egca


def sample(model, tokenizer, task, group, tokens):
    """``group`` answers to one task: all ids (G, P + T), the answers' ids (G, T), and which of them count (G, T)."""
    chat = [{"role": "user", "content": task.prompt}]
    prompt = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    prompt |= {"do_sample": True, "top_k": 0, "pad_token_id": tokenizer.pad_token_id}
    ids = model.generate(**prompt, num_return_sequences=group, max_new_tokens=tokens)
    answers = ids[:, prompt["input_ids"].shape[1] :]
    ends = (answers == tokenizer.eos_token_id).long()
    return ids, answers, (ends.cumsum(1) - ends == 0).long()


def train(model, tokenizer, tasks, judge, *, steps, group=8, tokens=96, rate=1e-5):
    """One task a step; yields the mean reward and the share of the tokens that carried an advantage."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    for step in range(steps):
        task = tasks[step % len(tasks)]
        ids, answers, mask = sample(model, tokenizer, task, group, tokens)
        texts = [egca.decode(ids, tokenizer) for ids in answers]
        siblings = [egca.Completion(text, f"{step}") for text in texts]
        credits = judge.assess(task, siblings, step=step)  # EGCA: rewards, and who is to blame
        rewards = torch.tensor([credit.reward for credit in credits])
        level = ((rewards - rewards.mean()) / (rewards.std() + 1e-6)).tolist()
        rows = zip(credits, answers, level, mask, strict=True)
        advantages = torch.tensor([egca.token_advantages(c, y, tokenizer, a, m) for c, y, a, m in rows])  # EGCA: where

        logits = model(ids).logits[:, -answers.shape[1] - 1 : -1]
        logprobs = torch.log_softmax(logits.float(), -1).gather(2, answers.unsqueeze(2)).squeeze(2)
        loss = -(advantages * logprobs).sum() / mask.sum()  # on policy: ratio 1
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield rewards.mean().item(), (advantages != 0).sum().item() / mask.sum().item()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="GRPO with EGCA in plain PyTorch.")
    parser.add_argument("model")
    parser.add_argument("tasks")
    parser.add_argument("--steps", type=int, default=20)
    args = parser.parse_args()
    policy, tokenizer = AutoModelForCausalLM.from_pretrained(args.model), AutoTokenizer.from_pretrained(args.model)
    with egca.Judge() as judge:
        for n, told in enumerate(train(policy, tokenizer, egca.load_tasks(args.tasks), judge, steps=args.steps), 1):
            print(f"step {n}: reward {told[0]:.2f}, {told[1]:.0%} of the tokens carry an advantage", flush=True)
