#!/usr/bin/env bash
# launch.sh [WORDS AND OPTIONS...]: train with TRL. cpu.sh and one_gpu.sh call it; ../shared/words.sh says which words
# there are. Options are those of TRL's GRPOConfig and ModelConfig, such as --max_steps 10; the last one counts.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../shared/words.sh
. "$here/../shared/words.sh" trl "$@"

export TENSORBOARD_LOGGING_DIR=$out/tensorboard
python "$here/train.py" --config "$here/$hardware.yaml" --model_name_or_path "$(policy)" --rows "$rows.parquet" \
  --validation "$validation.parquet" --output_dir "$out" "${ours[@]}" "${options[@]}"
egca report "$out/records" --out "$out/report.html"
