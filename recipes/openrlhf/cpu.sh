#!/usr/bin/env bash
# Train SmolLM2-135M-Instruct on the starter tasks with OpenRLHF's own trainer, on this machine's CPU, from a clone of this
# repository: what OpenRLHF needs of a GPU is mended by tests/adapters/openrlhf_cpu, which says what to install.
#   EGCA_MODEL  a model's Hugging Face directory     EGCA_DATA, EGCA_RUNS  as in one_gpu.sh
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
harness="$root/tests/adapters/openrlhf_cpu" data=${EGCA_DATA:-data}
egca prepare starter --split train --out "$data"
if [ -z "${EGCA_MODEL:-}" ]; then
  EGCA_MODEL=$(python -c 'from egca_plugin.adapters import smollm2; print(smollm2.prepare())' | tail -n 1)
fi
exec python "$harness/train.py" "$EGCA_MODEL" "$data/starter-train.parquet" "${EGCA_RUNS:-runs}/egca-openrlhf" "$@"
