"""The package's surroundings.

`onnxruntime` finds ONNX Runtime's library, `versions` lists what is installed, `writing` writes files whole
or not at all, `indexing` finds items of results, `old_paths` keeps the module names of 0.1.0 importable.
"""
