#!/usr/bin/env bash
# Sourced, not run: what every recipe looks at before it starts, whatever framework it is for. They stop with a sentence
# and exit code 3 where there are too few GPUs, 4 where the data is not prepared. They read:
#   recipe, hardware   the recipe's name and its word      EGCA_DATA   where the prepared data is
# shellcheck disable=SC2154  # of whoever sources this

refuse() { # STATUS LINE...
  printf '%s\n' "recipes/$recipe: $2" "${@:3}" >&2
  exit "$1"
}

count_gpus() {
  if [ "$hardware" = cluster ]; then
    python - <<'PYTHON' || echo 0
import ray
ray.init("auto", log_to_driver=False, logging_level="ERROR")
print(int(ray.cluster_resources().get("GPU", 0)))
PYTHON
  elif ! command -v nvidia-smi >/dev/null; then
    echo 0
  elif [ -n "${CUDA_VISIBLE_DEVICES+set}" ]; then
    # As CUDA reads it: names up to the first that is none of this machine's.
    local listed name count=0
    listed=$(nvidia-smi --list-gpus 2>/dev/null || true)
    for name in ${CUDA_VISIBLE_DEVICES//,/ }; do
      grep -q -e "^GPU $name:" -e "UUID: $name" <<<"$listed" || break
      count=$((count + 1))
    done
    echo "$count"
  else
    nvidia-smi --list-gpus 2>/dev/null | grep -c '^GPU' || true
  fi
}

need_gpus() { # COUNT [HINT]
  local found where
  found=$(count_gpus | tail -n 1)
  if [ "$found" -ge "$1" ]; then return; fi
  where="this machine${CUDA_VISIBLE_DEVICES+ (CUDA_VISIBLE_DEVICES=$CUDA_VISIBLE_DEVICES)}"
  if [ "$hardware" = cluster ]; then where="the Ray cluster"; fi
  refuse 3 "needs $1 NVIDIA GPU(s), found $found on $where." "${2//FOUND/$found}"
}

need_data() { # TASKS NAME...
  local name
  for name in "${@:2}"; do
    if [ ! -f "$EGCA_DATA/$name.parquet" ]; then
      refuse 4 "no $EGCA_DATA/$name.parquet; run recipes/$1/prepare.sh first"
    fi
  done
}

smollm2() { # prints the directory of the model, made in the user's cache where it is not there yet
  python -c 'from egca_plugin.adapters import smollm2; print(smollm2.prepare())' | tail -n 1
}
