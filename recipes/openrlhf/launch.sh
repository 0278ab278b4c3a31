#!/usr/bin/env bash
# launch.sh [WORDS AND OPTIONS...]: train with OpenRLHF. cpu.sh and one_gpu.sh call it; ../shared/words.sh says which words
# there are. Options are OpenRLHF's own, such as --train.num_episodes 1; the last one counts.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../shared/words.sh
. "$here/../shared/words.sh" openrlhf "$@"

# The values of verl's recipes (../shared/grpo_code.yaml) under OpenRLHF's names.
recipe_options=(
  --data.input_key prompt --data.apply_chat_template
  --algo.advantage.estimator group_norm         # norm_adv_by_std_in_grpo
  --actor.loss_agg_mode seq-mean-token-mean     # each sample weighs alike, whatever its length
  --algo.kl.use_loss --algo.kl.estimator k3     # low_var_kl
  --algo.kl.init_coef 0.05 --actor.eps_clip 0.2 --rollout.temperature 1.0 --train.seed 1
  --actor.lr_scheduler constant --actor.lr_warmup_ratio 0 --actor.adam.lr 1e-6
  --actor.adam.betas 0.9 0.999 --actor.adam.weight_decay 0.01
  --actor.num_nodes 1 --actor.num_gpus_per_node 1 --ref.num_nodes 1 --ref.num_gpus_per_node 1
  --vllm.num_engines 1 --vllm.tensor_parallel_size 1 --ds.zero_stage 2
)
case $hardware in
  one_gpu) # all models on it; all weights, since OpenRLHF 0.11.2 cannot send its engine those of an adapter
    start=(-m egca_plugin.adapters.openrlhf.train)
    recipe_options+=(
      --train.colocate_all --vllm.enable_sleep --ds.enable_sleep --vllm.gpu_memory_utilization 0.5
      --actor.gradient_checkpointing_enable --data.max_len 1792 --rollout.max_new_tokens 768
      --rollout.batch_size 16 --rollout.n_samples_per_prompt 8 --rollout.micro_batch_size 8
      --train.batch_size 128 --train.micro_batch_size 8 --train.num_episodes 3
      # MBPP's validation split, one greedy sample each, steers the run.
      --eval.dataset "$validation.parquet" --eval.steps 5 --eval.temperature 0 --eval.n_samples_per_prompt 1
      --ckpt.save_steps 10 --ckpt.max_num 2
    )
    ;;
  cpu) # three steps of 4 prompts x 6 samples; what OpenRLHF needs of a GPU is mended by the tests' harness
    harness="$here/../../tests/adapters/openrlhf_cpu"
    if [ ! -d "$harness" ]; then refuse 6 "hardware=cpu needs a clone of the repository: no $harness"; fi
    start=("$harness/train.py")
    recipe_options+=(
      --vllm.enforce_eager --vllm.gpu_memory_utilization 0.05 --ds.attn_implementation eager
      --data.max_len 896 --data.max_samples 12 --rollout.max_new_tokens 128
      --rollout.batch_size 4 --rollout.n_samples_per_prompt 6 --rollout.micro_batch_size 6
      --train.batch_size 24 --train.micro_batch_size 6 --train.num_episodes 1
    )
    ;;
esac

python "${start[@]}" --actor.model_name_or_path "$(policy)" --data.prompt_dataset "$rows.parquet" \
  "${recipe_options[@]}" --ckpt.path "$out/checkpoints" --ckpt.output_dir "$out/model" \
  --logger.tensorboard_dir "$out/tensorboard" "${ours[@]}" "${options[@]}"
egca report "$out/records" --out "$out/report.html"
