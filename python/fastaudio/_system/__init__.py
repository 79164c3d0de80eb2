"""The package's surroundings.

`onnxruntime` finds ONNX Runtime's library, `versions` lists what is installed, `extras` imports optional
packages, `frames` makes data frames by one of them, `lazy` imports the modules of a package when they are
used, and `old_paths` keeps the module names of 0.1.0 importable. `writing` writes files whole or not at all,
`growing` those that grow or that one run keeps, both in a `folder` that is held open; `holding` lets one run
at a time have a file that users name. `reading` reads files of bounded length, `arrays` reads .npz files,
`text` makes text fit to be shown, and `commas` writes CSV.
`waiting` waits for threads so that the wait can be ended. `keywords` refuses unknown keywords with a guess,
`warning` warns at the caller's line, `instances` lets results pass for instances of the node that they are
named after, and `indexing` finds items of results.
"""
