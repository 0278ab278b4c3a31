#!/usr/bin/env bash
# Train SmolLM2-135M-Instruct on the starter tasks with TRL's own trainer, on this machine's CPU. Arguments are train.py's.
#   EGCA_DATA   where the data goes (default: data)     EGCA_RUNS   where the records go (default: runs)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export EGCA_DATA=${EGCA_DATA:-data} TOKENIZERS_PARALLELISM=false
egca prepare starter --split train --out "$EGCA_DATA"
exec python "$here/train.py" --cpu --steps 3 --data "$EGCA_DATA/starter-train.parquet" "$@"
