"""Running a pipeline over a file, an array or blocks of sound.

`decode` reads files in blocks, `read_ahead` does so in a thread, `adapt` mixes and resamples, `stream` is one
run over blocks, `whole` runs arrays and files to their end, `times` says when rows begin and end,
`marks` which are silent,
`start_time` when a recording began. `folders` finds the sound files in a folder.
"""
