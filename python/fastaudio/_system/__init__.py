"""The package's surroundings.

`onnxruntime` finds ONNX Runtime's library, `versions` lists what is installed, `writing` writes files whole
or not at all, and `old_paths` keeps the module names of 0.1.0 importable. `keywords` refuses unknown keywords
with a guess, `waiting` waits for threads, `warning` warns at the caller's line, `instances` lets results pass
for instances of the node that they are named after, and `indexing` finds items of results.
"""
