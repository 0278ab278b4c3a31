#!/usr/bin/env bash
# One GPU, Qwen2.5-Coder-0.5B-Instruct with LoRA.
exec "$(dirname "$0")/../shared/launch.sh" mbpp hardware=one_gpu "$@"
