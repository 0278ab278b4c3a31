#!/usr/bin/env bash
# One GPU, Qwen2.5-Coder-0.5B-Instruct with LoRA: MBPP, or tasks=humaneval.
exec "$(dirname "$0")/launch.sh" hardware=one_gpu "$@"
