"""`aggregator serve-diffusers`: diffusers pipelines behind the OpenAI dialect, for weights without an engine.

Owns: the queue, the jobs on disk, the rules of sizes and frames, and the wire. Only `loading` knows torch.
Refuses: to fetch what a request names, to load what was not named at the start, and to round anything silently.
"""
