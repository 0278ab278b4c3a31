#!/usr/bin/env bash
# launch.sh RECIPE [OVERRIDES...]: check the machine and the data, then hand over to verl. The recipes' scripts call it.
#   EGCA_DATA   where the prepared data is (default: data, in the current directory)
#   EGCA_RUNS   where checkpoints and records go (default: runs)
#   GPUS        GPUs of this machine to use, or of each node, one to eight (default: one_gpu takes 1, node and cluster 8)
#   NODES       nodes, with hardware=cluster (default: 2)
#   EGCA_MODEL  with hardware=cpu: a Hugging Face directory (default: SmolLM2-135M-Instruct, made in the user's cache)
set -euo pipefail
recipe=$1
shift
EGCA_RECIPES=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export EGCA_RECIPES EGCA_DATA=${EGCA_DATA:-data} EGCA_RUNS=${EGCA_RUNS:-runs}

# shellcheck source=machine.sh
. "$EGCA_RECIPES/shared/machine.sh"

# The choices that decide what is needed and what is started; the last word wins, as in Hydra.
hardware=one_gpu mode=sync evaluate=no resume=auto
for word in "$@"; do
  case $word in
    hardware=*) hardware=${word#*=} ;;
    mode=*) mode=${word#*=} ;;
    trainer.val_only=*) evaluate=yes ;;
    trainer.resume_mode=*) resume=${word#*=} ;;
  esac
done
program=verl.trainer.main_ppo
if [ "$mode" = legacy ]; then program=egca_plugin.adapters.verl.legacy; fi

case ${GPUS:-8} in
  [1-8]) ;;
  *) refuse 2 "GPUS=$GPUS: expected a number from 1 to 8" ;;
esac
each=${GPUS:-8} nodes=1
case $hardware in
  cpu) each=0 ;;
  one_gpu) if [ "$mode" != separate_async ]; then each=${GPUS:-1}; fi ;;
  node) ;;
  cluster) nodes=${NODES:-2} ;;
  *) refuse 2 "hardware=$hardware: expected cpu, one_gpu, node or cluster" ;;
esac
if [ "$mode" = separate_async ] && [ "$each" = 1 ]; then
  refuse 2 "GPUS=1: mode=separate_async needs two at least, one to train and one to sample"
fi

gpus=$((nodes * each))
need_gpus "$gpus" "GPUS=FOUND takes fewer; with none, hardware=cpu trains SmolLM2-135M for a few steps (README.md)."

case $recipe in
  humaneval) needed=(mbpp-train-clean mbpp-validation humaneval) ;;
  *) needed=(mbpp-train mbpp-validation mbpp-test) ;;
esac
need_data "$recipe" "${needed[@]}"

# What other numbers of GPUs than the configurations' own change; the user's words come behind.
fit=()
if [ -n "${GPUS:-}" ] && [ "$hardware" != cpu ]; then
  training=$each sampling=$each
  if [ "$mode" = separate_async ]; then
    training=$((each / 2)) sampling=$((each - each / 2))
    fit+=("actor_rollout_ref.rollout.n_gpus_per_node=$sampling")
  fi
  fit+=("trainer.n_gpus_per_node=$training")
  if [ $((sampling % 2)) = 1 ]; then fit+=(actor_rollout_ref.rollout.tensor_model_parallel_size=1); fi
  if [ "$hardware" != one_gpu ] && [ "$training" -lt 4 ]; then
    fit+=(actor_rollout_ref.actor.fsdp_config.param_offload=true actor_rollout_ref.actor.fsdp_config.optimizer_offload=true)
  fi
fi

if [ "$hardware" = cpu ]; then
  export VERL_PLATFORM=cpu TOKENIZERS_PARALLELISM=false OMP_NUM_THREADS=${OMP_NUM_THREADS:-$(nproc)}
  export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive} # a waiting thread that spins takes the core from what it waits for
  unset CUDA_VISIBLE_DEVICES # Ray refuses the label that verl counts devices by where this names fewer
  if [ -z "${EGCA_MODEL:-}" ]; then
    EGCA_MODEL=$(smollm2)
  fi
  export EGCA_MODEL
fi

words=(--config-dir "$EGCA_RECIPES/$recipe" --config-name "$recipe" "${fit[@]}" "$@")
folder=
if [ "$evaluate" = yes ] || [ "$hardware" = cpu ]; then
  folder=$(python "$EGCA_RECIPES/shared/folder.py" "${words[@]}" | tail -n 1)
fi
if [ "$evaluate" = yes ] && [ "$resume" = auto ] && [ ! -f "$folder/latest_checkpointed_iteration.txt" ]; then
  refuse 5 "no checkpoint in $folder, so this would score the base model." \
    "Give the words that the training had; or trainer.resume_mode=disable, to score the base model on purpose."
fi
if [ "$hardware" != cpu ] || [ "$evaluate" = yes ]; then exec python -m "$program" "${words[@]}"; fi

python -m "$program" "${words[@]}"
egca report "$folder/records" --out "$folder/report.html"
