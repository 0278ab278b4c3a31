#!/usr/bin/env bash
# launch.sh RECIPE [OVERRIDES...]: check the GPUs and the data, then hand over to verl. The recipes' scripts call it.
#   EGCA_DATA   where the prepared data is (default: data, in the current directory)
#   EGCA_RUNS   where checkpoints and records go (default: runs)
#   NODES       nodes of eight GPUs, with hardware=cluster (default: 2)
set -euo pipefail
recipe=$1
shift
EGCA_RECIPES=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export EGCA_RECIPES EGCA_DATA=${EGCA_DATA:-data} EGCA_RUNS=${EGCA_RUNS:-runs}

# The choices that decide what is needed and what is started; the last word wins, as in Hydra.
hardware=one_gpu mode=sync
for word in "$@"; do
  case $word in
    hardware=*) hardware=${word#*=} ;;
    mode=*) mode=${word#*=} ;;
  esac
done
case $hardware in
  one_gpu) gpus=1 ;;
  node) gpus=8 ;;
  cluster) gpus=$((8 * ${NODES:-2})) ;;
  *)
    echo "recipes/$recipe: hardware=$hardware: expected one_gpu, node or cluster" >&2
    exit 2
    ;;
esac
if [ "$mode" = separate_async ] && [ "$gpus" -lt 8 ]; then gpus=8; fi # four train, four sample
program=verl.trainer.main_ppo
if [ "$mode" = legacy ]; then program=egca_plugin.adapters.verl.legacy; fi

count_gpus() {
  if [ "$hardware" = cluster ]; then
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
  where="this machine"
  if [ "$hardware" = cluster ]; then where="the Ray cluster"; fi
  {
    echo "recipes/$recipe: needs $gpus NVIDIA GPU(s), found $found on $where."
    echo "Without one, \`egca demo\` and recipes/starter train on a CPU; with fewer, take another hardware=... (README)."
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

exec python -m "$program" --config-dir "$EGCA_RECIPES/$recipe" --config-name "$recipe" "$@"
