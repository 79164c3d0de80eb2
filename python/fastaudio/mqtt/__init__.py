"""What is heard, told to an MQTT broker, and to Home Assistant by its discovery.

`broker` says where the broker is and how to be let in, `topics` makes topics of names that may be anything,
`discovery` describes sensors to Home Assistant, and `publisher` sends, keeps what was retained, and connects
again.
"""
