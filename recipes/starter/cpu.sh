#!/usr/bin/env bash
# Train SmolLM2-135M-Instruct on the starter tasks with verl's own trainer, on this machine's CPU. Arguments are Hydra's.
#   EGCA_MODEL  a model's Hugging Face directory (default: SmolLM2-135M-Instruct, prepared in the user's cache)
#   EGCA_DATA   where the data goes (default: data)     EGCA_RUNS   where the records go (default: runs)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export EGCA_DATA=${EGCA_DATA:-data} EGCA_RUNS=${EGCA_RUNS:-runs}
export VERL_PLATFORM=cpu TOKENIZERS_PARALLELISM=false OMP_NUM_THREADS=${OMP_NUM_THREADS:-$(nproc)}
unset CUDA_VISIBLE_DEVICES # Ray refuses the label that verl counts devices by where this names fewer

for split in train test; do
  egca prepare starter --split "$split" --out "$EGCA_DATA"
done
if [ -z "${EGCA_MODEL:-}" ]; then
  EGCA_MODEL=$(python -c 'from egca_plugin.adapters import smollm2; print(smollm2.prepare())' | tail -n 1)
fi
export EGCA_MODEL

exec python -m verl.trainer.main_ppo --config-dir "$here" --config-name starter "$@"
