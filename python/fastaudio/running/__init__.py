"""Running a pipeline over a file, an array or blocks of sound.

`decode` reads files in blocks, `read_ahead` does so in a thread, `adapt` mixes and resamples, `stream` is
one run over blocks, `whole` runs arrays and files to their end, `times` says when rows begin and end,
`start_time` when a recording began, and `marks` which windows are silent.

Below `decode`, `sources` makes one file of whatever sound is given as. `riff`, `ogg`, `mpeg` with
`mpeg_frames`, and `headers` find where in it the sound lies; `views` are the files that they mend.
`sndfile` decodes these, `chain` joins what follows one another, and `ffmpeg` decodes what libsndfile
refuses. `folders` finds the sound files in a folder.
"""
