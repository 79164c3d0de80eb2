"""From a file, or whatever else holds sound, to blocks of samples.

`audio_file` is the way in: `AudioFile` gives blocks, which `decode_thread` decodes. `sources` makes one file
of whatever sound is given as, `spooling` copies what can't seek, and `folders` finds the sound files in a
folder. `riff`, `ogg`, `mpeg` with `mpeg_frames`, and `headers` find where in a file the sound lies; `views`
are the files that they mend. `sndfile` decodes these, `chain` joins what follows one another, and `ffmpeg`
decodes what libsndfile refuses.
"""
