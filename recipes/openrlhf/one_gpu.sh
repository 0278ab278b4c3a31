#!/usr/bin/env bash
# One GPU, all models on it, Qwen2.5-Coder-0.5B-Instruct with all its weights: MBPP, or tasks=humaneval.
exec "$(dirname "$0")/launch.sh" hardware=one_gpu "$@"
