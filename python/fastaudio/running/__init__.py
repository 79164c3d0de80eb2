"""Running a pipeline: sound is decoded, adapted to the network, and run whole or as a stream."""
