"""OpenRLHF's own actor, replay buffer, loss and DeepSpeed engine in this process, on responses that the test chooses.

Nothing of it is imitated but the transport: a group of Ray actors is one object here, an engine a list of answers.
"""

from __future__ import annotations

import asyncio
import os
import runpy
import sys
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

HARNESS = Path(__file__).with_name("openrlhf_cpu")
sys.path[:0] = [str(HARNESS / "mends"), str(HARNESS / "stand_in")]
os.environ.setdefault("DS_ACCELERATOR", "cpu")

import on_cpu  # noqa: E402

on_cpu.install()

import openrlhf.trainer.ppo_utils.experience_maker as maker_module  # noqa: E402
import openrlhf.utils as utils  # noqa: E402
import ray  # noqa: E402
import tiny_policy as policy  # noqa: E402
import torch  # noqa: E402
from openrlhf.trainer.ppo_utils.experience import Experience, balance_experiences  # noqa: E402
from openrlhf.trainer.ppo_utils.experience_maker import RemoteExperienceMaker  # noqa: E402
from openrlhf.trainer.ppo_utils.kl_controller import FixedKLController  # noqa: E402
from openrlhf.trainer.ppo_utils.samples_generator import SamplesGenerator  # noqa: E402
from openrlhf.trainer.ray.launcher import ReferenceModelActor  # noqa: E402
from openrlhf.trainer.ray.ppo_actor import PolicyModelActor  # noqa: E402
from vllm import SamplingParams  # noqa: E402

from egca_plugin.adapters.groups import Judge, Together  # noqa: E402
from egca_plugin.adapters.observer import Observer  # noqa: E402
from egca_plugin.adapters.openrlhf.asking import Answer, Ask  # noqa: E402
from egca_plugin.adapters.openrlhf.executor import SingleTurn  # noqa: E402
from egca_plugin.adapters.openrlhf.experience import EgcaExperienceMaker  # noqa: E402
from egca_plugin.adapters.openrlhf.trainer import under  # noqa: E402
from egca_plugin.adapters.settings import Settings  # noqa: E402
from egca_plugin.config import EgcaConfig  # noqa: E402
from egca_plugin.tasks import parquet  # noqa: E402
from egca_plugin.types import Task  # noqa: E402

PROGRAM = "openrlhf.cli.train_ppo_ray"
GROUP = 4  # right, wrong, raising, broken: what tiny_policy.answers gives, one of each
OPTIONS = f"""
    --actor.num_gpus_per_node 1 --ref.num_gpus_per_node 1 --vllm.num_engines 1 --ds.attn_implementation eager
    --train.agent_func_path x.py --data.label_key reward_model --data.max_len 160 --rollout.max_new_tokens 96
    --rollout.n_samples_per_prompt {GROUP} --rollout.batch_size 2 --train.batch_size {2 * GROUP}
    --train.micro_batch_size 2 --rollout.micro_batch_size 3 --algo.kl.init_coef 0 --algo.advantage.estimator group_norm
    --actor.adam.lr 1e-3 --actor.lr_warmup_ratio 0
"""
ON = Settings(True, EgcaConfig(traces=""))
CONSERVE = Settings(True, EgcaConfig(scale="conserve", traces=""))

maker_module.ray = SimpleNamespace(put=lambda value: value, get=lambda value: value)  # all in this process


class _Found(Exception):
    """OpenRLHF's parsed options."""


def parsed(model: Path, *more: str) -> Any:
    """What OpenRLHF's own parser and its checks make of a command line."""

    def stop(args: Any) -> Any:
        raise _Found(args)

    words = [PROGRAM, "--actor.model_name_or_path", str(model), *OPTIONS.split()]
    argv, sys.argv = sys.argv, [*words, *more]
    stock, utils.get_strategy = utils.get_strategy, stop
    started, ray.is_initialized = ray.is_initialized, lambda: True  # it would start one
    try:
        runpy.run_module(PROGRAM, run_name="__main__")
    except _Found as found:
        return found.args[0]
    finally:
        sys.argv, utils.get_strategy, ray.is_initialized = argv, stock, started
    raise AssertionError("OpenRLHF did not ask for a strategy")


class Local:
    """A RayActorGroup of one actor, in this process."""

    def __init__(self, actor: Any) -> None:
        self.actor = actor

    def async_run_method_batch(self, method_name: str, **kwargs: Any) -> list[Any]:
        count = len(next(iter(kwargs.values())))
        method = getattr(self.actor, method_name)
        return [[method(**{k: v[i] for k, v in kwargs.items()}) for i in range(count)]]

    def async_run_method(self, method_name: str, *args: Any, **kwargs: Any) -> list[Any]:
        return [getattr(self.actor, method_name)(*args, **kwargs)]


class Engine:
    """Says ``texts``, one a call, whatever it is asked; call ``k`` breaks off behind ``cut[k]`` tokens."""

    def __init__(self, tokenizer: Any, texts: Sequence[str], cut: dict[int, int]) -> None:
        self._tokenizer, self._texts, self._cut, self._calls = tokenizer, list(texts), cut, 0

    async def generate(self, prompt: list[int], params: Any, multi_modal_data: Any = None) -> Any:
        place, self._calls = self._calls, self._calls + 1
        ids = [*self._tokenizer(self._texts[place]).input_ids, self._tokenizer.eos_token_id]
        ids = ids[: self._cut.get(place, len(ids))]
        logprobs = [{i: SimpleNamespace(logprob=-0.5)} for i in ids] if params.logprobs is not None else None
        reason = "length" if place in self._cut else "stop"
        one = SimpleNamespace(token_ids=ids, finish_reason=reason, logprobs=logprobs, text=self._texts[place])
        return SimpleNamespace(outputs=[one])


def says(task: Task, place: int) -> str:
    """Each group holds one answer of each kind, and no two are of one length."""
    return "So. " * place + "\n" + policy.answers(task)[place % GROUP]


def executor(judge: Judge, kind: Any = SingleTurn) -> Any:
    """One of ``kind`` whose groups ``judge`` judges."""
    one = kind()
    one._together = Together(judge)
    return one


def sampled(
    executor: Any,
    tokenizer: Any,
    args: Any,
    tasks: Sequence[Task] = policy.TASKS[:2],
    cut: dict[int, int] | None = None,
    texts: Sequence[str] | None = None,
    labels: Sequence[Any] | None = None,
) -> list[Experience]:
    """:func:`sampled_of` the tiny policy's tasks, with references unlike what it says; ``texts`` by default its own."""
    said = texts or [says(t, g * GROUP + k) for g, t in enumerate(tasks) for k in range(GROUP)]
    return sampled_of(executor, tokenizer, args, list(map(policy.otherwise, tasks)), said, cut, labels)


def sampled_of(
    executor: Any,
    tokenizer: Any,
    args: Any,
    tasks: Sequence[Task],
    texts: Sequence[str],
    cut: dict[int, int] | None = None,
    labels: Sequence[Any] | None = None,
    settings: Settings = ON,
) -> list[Experience]:
    """Rollout samples as OpenRLHF's generator makes them of what its executor says, a prompt's side by side."""
    level, group = args.algo.advantage.is_correction_level, args.rollout.n_samples_per_prompt
    params = SamplingParams(max_tokens=args.rollout.max_new_tokens, logprobs=1 if level != "off" else None)
    generator = SamplesGenerator.__new__(SamplesGenerator)
    engine = Engine(tokenizer, texts, cut or {})
    rows = [parquet.row(task, data_source="x", split="train", index=0) for task in tasks]

    async def run() -> list[Experience]:
        found = []
        for row, label in zip(rows, labels or [row["reward_model"] for row in rows], strict=True):
            prompt = tokenizer.apply_chat_template(row["prompt"], tokenize=False, add_generation_prompt=True)
            ask = Ask(label, settings, group, 1)
            answers = await asyncio.gather(
                *(
                    executor.execute(prompt, ask, deepcopy(params), args.data.max_len, tokenizer, engine, images=None)
                    for _ in range(group)
                )
            )
            found += [generator._process_response_into_experience(one, max_len=args.data.max_len) for one in answers]
        return found

    return asyncio.run(run())


def uniform(samples: list[Experience]) -> list[Experience]:
    """The judge's verdicts without its spans."""
    out = deepcopy(samples)
    for sample in out:
        (one,) = sample.labels
        assert isinstance(one, Answer)
        assert one.row is not None
        row = replace(one.row, spans=(), credit=replace(one.row.credit, spans=()))
        sample.labels = [replace(one, row=row)]
    return out


def bare(samples: list[Experience]) -> list[Experience]:
    """What OpenRLHF without the plugin would have sampled: the same rewards, its own labels."""
    out = deepcopy(samples)
    for sample in out:
        sample.labels = [sample.labels[0].label]
    return out


class Run:
    """One actor (and reference) of OpenRLHF's, and an experience maker over them; OpenRLHF's own without ``egca``."""

    def __init__(self, model: Path, args: Any, *, reference: Path | None = None, egca: Settings | None = None) -> None:
        self.args = args
        strategy = utils.get_strategy(args)
        self.actor = under(PolicyModelActor)(1, 0, None, None)
        self.actor.init_model_from_pretrained(strategy, str(model), 100, None)
        ref = None
        if reference is not None:
            ref = under(ReferenceModelActor)(1, 0, None, None)
            ref.init_model_from_pretrained(strategy, str(reference))
        self.maker = (RemoteExperienceMaker if egca is None else EgcaExperienceMaker)(
            Local(self.actor),
            None,
            None,
            None if ref is None else Local(ref),
            FixedKLController(args.algo.kl.init_coef),
            strategy,
            self.actor.tokenizer,
        )
        if egca is not None:
            self.maker.settings = egca
            self.maker.observer = Observer(egca.egca.records, self.actor.tokenizer)

    def experiences(self, samples: list[Experience]) -> list[Experience]:
        return self.maker.make_experience_batch(deepcopy(samples))

    def step(self, samples: list[Experience]) -> dict[str, torch.Tensor]:
        """The parameters after one step of OpenRLHF's own on ``samples``."""
        experiences = self.experiences(samples)
        self.made = [(e.advantages.clone(), e.returns.clone(), e.action_mask.clone()) for e in experiences]
        if self.args.train.dynamic_batch_enable:
            experiences = balance_experiences(experiences, self.args)
        Local(self.actor).async_run_method_batch("append", experience=experiences)
        torch.manual_seed(0)
        self.status = self.actor.fit(self.args.algo.kl.init_coef)
        return self.parameters()

    def parameters(self) -> dict[str, torch.Tensor]:
        named = self.actor.actor.model.module.named_parameters()
        return {name: value.detach().clone() for name, value in named}


def by_sample(experiences: Sequence[Experience]) -> dict[int, tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Advantages, action mask and the ids behind each of its columns, all (T,), by the sample's place in the batch."""
    return {
        i: (e.advantages[k], e.action_mask[k].bool(), e.sequences[k][1:])
        for e in experiences
        for k, i in enumerate(e.index)
    }
