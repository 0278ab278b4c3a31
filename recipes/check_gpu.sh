#!/usr/bin/env bash
# Ten minutes on a machine with a GPU: egca doctor, and the one-GPU recipe of MBPP with vLLM for five steps, with EGCA and
# with plain GRPO. Writes gpu_check.json (EGCA_CHECK names another). Wants the data of recipes/mbpp/prepare.sh.
# Words go to the recipe: hardware=cpu tries the script itself where there is no GPU.
set -euo pipefail
exec python "$(dirname "$0")/shared/check_gpu.py" "$@"
