"""Live sound: the options that choose its source, and the source."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from fastaudio.cli.arguments import positive, seconds
from fastaudio.cli.start import add_start
from fastaudio.live.microphone import Microphone
from fastaudio.live.sources import ENCODINGS, FileSource, PcmSource, Source
from fastaudio.live.urls import UrlSource, is_url

if TYPE_CHECKING:
    from fastaudio.live import Overflow

_BLOCK_S = 0.05
_RETRY_S = 30.0


def add_input_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose the source of the sound."""
    parser.add_argument(
        "device",
        nargs="?",
        metavar="DEVICE|URL|-",
        help="number or name of a microphone (the default one), an address such as rtsp://CAMERA/1 or "
        "https://RADIO, or - for raw PCM on stdin",
    )
    group = parser.add_argument_group("sound")
    group.add_argument("--realtime", metavar="FILE", help="play an audio file instead, in real time")
    group.add_argument("--rate", type=positive, metavar="HZ", help="sample rate of the sound (the device's)")
    group.add_argument(
        "--channels", type=positive, metavar="N", help="channels of the device or of raw PCM (1)"
    )
    group.add_argument("--encoding", choices=list(ENCODINGS), help="sample format of raw PCM (s16le)")
    group.add_argument("--block", type=seconds, metavar="S", help=f"seconds per block ({_BLOCK_S})")
    group.add_argument("--seconds", type=seconds, metavar="N", help="end after N seconds of sound")
    group.add_argument(
        "--overflow",
        choices=["drop_oldest", "block", "raise"],
        help="if sound comes too fast: lose the oldest, wait, or fail (block for - and http:, "
        "else drop_oldest)",
    )

    group.add_argument(
        "--retry",
        type=_retry,
        nargs="?",
        const=_RETRY_S,
        metavar="S",
        help="look for a lost microphone or address again and again, after 1 s and then less often, "
        f"at the latest after S seconds each time ({_RETRY_S:.0f})",
    )
    add_start(group, "a pipe or file")


def _retry(text: str) -> float:
    try:
        return seconds(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{error}; a device's name comes before --retry") from error


def source_of(args: argparse.Namespace) -> Source:
    """Return the source that the options choose.

    Raises:
        ValueError: options that don't go together.
        DeviceError: there is no such device, or it refuses the rate or channels.
        DecodeError: there is no such file.
    """
    if args.realtime is not None:
        _refuse(args, "device", "rate", "channels", "encoding", "retry", given="a file")
        return FileSource(args.realtime, block_s=args.block or _BLOCK_S, duration_s=args.seconds)
    if args.device == "-":
        _refuse(args, "block", "retry", given="stdin")
        if sys.stdin is None:
            raise ValueError("listen -: expected raw PCM on stdin, got a closed one; pipe sound into it")
        if args.rate is None:
            raise ValueError("listen -: expected --rate, got none; raw PCM doesn't say: state it in Hz")
        return PcmSource(
            sys.stdin.buffer,
            sample_rate=args.rate,
            channels=args.channels or 1,
            encoding=args.encoding or "s16le",
            duration_s=args.seconds,
        )
    if is_url(args.device):
        _refuse(args, "rate", "channels", "encoding", "block", given="an address")
        return UrlSource(args.device, endless=args.retry is not None, duration_s=args.seconds)
    _refuse(args, "encoding", "start", given="a microphone")
    if args.overflow == "block":
        raise ValueError(
            "listen: expected --overflow drop_oldest or raise, got block; a microphone can't wait"
        )
    device = args.device
    return Microphone(
        int(device) if device is not None and device.isdecimal() else device,
        sample_rate=args.rate,
        channels=args.channels or 1,
        block_s=args.block or _BLOCK_S,
    )


def wants_microphone(args: argparse.Namespace) -> bool:
    """Tell whether the source is a microphone, not stdin, a file or an address."""
    return args.realtime is None and args.device != "-" and not is_url(args.device)


def overflow_of(args: argparse.Namespace) -> Overflow:
    """Return the policy for sound that comes too fast; only a pipe and http wait by default."""
    overflow: Overflow | None = args.overflow
    waits = args.device == "-" or (is_url(args.device) and args.device.lower().startswith("http"))
    return overflow or ("block" if waits else "drop_oldest")


def _refuse(args: argparse.Namespace, *names: str, given: str) -> None:
    for name in names:
        if getattr(args, name) is not None:
            what = "DEVICE" if name == "device" else f"--{name}"
            raise ValueError(f"listen: expected no {what} with {given}, got {getattr(args, name)}")
