#!/usr/bin/env bash
# launch.sh RECIPE GPUS [OVERRIDES...]: check the GPUs and the data, then hand over to verl. The recipes' scripts call it.
#   EGCA_DATA   where the prepared data is (default: data, in the current directory)
#   EGCA_RUNS   where checkpoints and records go (default: runs)
#   CLUSTER=1   count the GPUs of the running Ray cluster rather than this machine's
set -euo pipefail
recipe=$1 gpus=$2
shift 2
EGCA_RECIPES=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export EGCA_RECIPES EGCA_DATA=${EGCA_DATA:-data} EGCA_RUNS=${EGCA_RUNS:-runs}

count_gpus() {
  if [ -n "${CLUSTER:-}" ]; then
    python - <<'PYTHON' || echo 0
import ray
ray.init("auto", log_to_driver=False, logging_level="ERROR")
print(int(ray.cluster_resources().get("GPU", 0)))
PYTHON
  elif command -v nvidia-smi >/dev/null; then
    nvidia-smi --list-gpus 2>/dev/null | grep -c '^GPU' || true
  else
    echo 0
  fi
}

found=$(count_gpus | tail -n 1)
if [ "$found" -lt "$gpus" ]; then
  where=${CLUSTER:+"the Ray cluster"}
  {
    echo "recipes/$recipe: needs $gpus NVIDIA GPU(s), found $found on ${where:-this machine}."
    echo "Without one, \`egca demo\` and recipes/starter train on a CPU; with fewer, take another hardware=... (README.md)."
  } >&2
  exit 3
fi

case $recipe in
  humaneval) needed=(mbpp-train-clean mbpp-validation humaneval) ;;
  *) needed=(mbpp-train mbpp-validation mbpp-test) ;;
esac
for name in "${needed[@]}"; do
  if [ ! -f "$EGCA_DATA/$name.parquet" ]; then
    echo "recipes/$recipe: no $EGCA_DATA/$name.parquet; run recipes/$recipe/prepare.sh first" >&2
    exit 4
  fi
done

exec python -m verl.trainer.main_ppo --config-dir "$EGCA_RECIPES/$recipe" --config-name "$recipe" "$@"
