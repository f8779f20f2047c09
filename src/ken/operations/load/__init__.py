"""A load test: stepped concurrency or arrival rates against a running Ken, or any server that speaks chat completions."""
