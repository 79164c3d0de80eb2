"""Pipelines as one ONNX graph, from raw samples to scores: what `Pipeline.export_onnx` writes.

`model` builds and writes the file, and `check` compares it with the pipeline. `graph` holds operators while they
are added, and `registry` has a function for each class of nodes, which `probing` helps with tables read off the
nodes. `cutting` cuts frames and patches; `spectra`, `levels`, `shapes`, `bands`, `recurrent`, `pooling`, `patches`,
`resampling`, `networks` and `composites` are the functions. `refusing` says what a graph can't hold.
"""
