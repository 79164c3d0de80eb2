"""Running a pipeline over a file, an array or blocks of sound.

`adapt` mixes and resamples, `stream` is one run over blocks, `whole` runs arrays and files to their end,
`workers` are the threads of many files, and `limits` end a call early. `times` says when rows begin and end,
`start_time` when a recording began, and `marks` which are silent.
"""
