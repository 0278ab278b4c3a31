#!/usr/bin/env bash
# One GPU, Qwen2.5-Coder-0.5B-Instruct with LoRA.
exec "$(dirname "$0")/../shared/launch.sh" humaneval hardware=one_gpu "$@"
