"""Models that vLLM runs in this process (docs/vllm.md)."""
