#!/usr/bin/env bash
# One GPU, all models on it: Qwen2.5-Coder-0.5B-Instruct with OpenRLHF's own trainer. Arguments are OpenRLHF's and --egca.*.
#   EGCA_TASKS  mbpp or humaneval (default: mbpp)      EGCA_MODEL  path or name
#   EGCA_DATA   where the prepared data is (default: data)     EGCA_RUNS   where checkpoints and records go (default: runs)
set -euo pipefail
tasks=${EGCA_TASKS:-mbpp} data=${EGCA_DATA:-data}
case $tasks in
  mbpp) rows="$data/mbpp-train.parquet" ;;
  humaneval) rows="$data/mbpp-train-clean.parquet" ;; # MBPP without what is near HumanEval
  *)
    echo "EGCA_TASKS=$tasks: expected mbpp or humaneval" >&2
    exit 2
    ;;
esac
if [ ! -f "$rows" ]; then
  echo "$rows is missing: run recipes/$tasks/prepare.sh first" >&2
  exit 4
fi
out="${EGCA_RUNS:-runs}/egca-openrlhf-$tasks"

exec python -m egca_plugin.adapters.openrlhf.train \
  --actor.model_name_or_path "${EGCA_MODEL:-Qwen/Qwen2.5-Coder-0.5B-Instruct}" \
  --actor.num_nodes 1 --actor.num_gpus_per_node 1 --vllm.num_engines 1 --vllm.tensor_parallel_size 1 \
  --train.colocate_all --vllm.enable_sleep --ds.enable_sleep --vllm.gpu_memory_utilization 0.5 \
  --ds.zero_stage 2 --actor.gradient_checkpointing_enable \
  --data.prompt_dataset "$rows" --data.input_key prompt --data.apply_chat_template --data.max_len 1536 \
  --rollout.max_new_tokens 512 --rollout.batch_size 32 --rollout.n_samples_per_prompt 8 --rollout.micro_batch_size 8 \
  --train.batch_size 256 --train.micro_batch_size 8 --train.num_episodes 3 --actor.adam.lr 1e-6 \
  --algo.advantage.estimator group_norm --algo.kl.init_coef 0 \
  --ckpt.path "$out/checkpoints" --ckpt.output_dir "$out/model" --logger.tensorboard_dir "$out/tensorboard" \
  --egca.records "$out/records" "$@"
