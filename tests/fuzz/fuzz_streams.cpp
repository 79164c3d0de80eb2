// Fuzzes what takes raw sound: any bytes become options and samples, pushed in pieces. A stream may refuse
// its options with an error; otherwise the pieces give the same bits as the whole, and the sanitizers are
// quiet.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <iostream>
#include <memory>

#include "core/error.hpp"
#include "core/rows/ring_buffer.hpp"
#include "helpers.hpp"
#include "live/capture_ring.hpp"
#include "nodes/resample.hpp"
#include "nodes/spectrogram.hpp"

namespace fastaudio::test {

namespace {

void require(bool holds, const char* law) {
  if (holds) return;
  std::cerr << "fuzz_streams: expected " << law << ", got another\n";
  std::abort();
}

/// Reads numbers off the fuzzer's bytes; zeros once they are used up.
class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}

  bool empty() const { return left_ == 0; }

  template <class T>
  T take() {
    T value{};
    const std::size_t n = std::min(left_, sizeof(T));
    if (n > 0) std::memcpy(&value, data_, n);
    data_ += n;
    left_ -= n;
    return value;
  }

  /// In [low, high].
  int integer(int low, int high) {
    return low + static_cast<int>(take<std::uint16_t>() % static_cast<std::uint32_t>(high - low + 1));
  }

  /// Up to `most` values: whatever the bytes hold, so that infinities and NaN are among them.
  Floats samples(std::size_t most) {
    Floats x;
    while (!empty() && x.size() < most) x.push_back(take<float>());
    return x;
  }

 private:
  const std::uint8_t* data_;
  std::size_t left_;
};

std::vector<std::size_t> pieces(Bytes& bytes, int largest) {
  std::vector<std::size_t> sizes(static_cast<std::size_t>(bytes.integer(0, 12)));
  for (std::size_t& n : sizes) n = static_cast<std::size_t>(bytes.integer(0, largest));
  return sizes;
}

/// A signal as long as asked for, which repeats the bytes that are left: 16-bit sound, or any floats.
Floats signal(Bytes& bytes, std::size_t n) {
  Floats few;
  if (bytes.integer(0, 3) == 0) {
    few = bytes.samples(n);
  } else {
    while (!bytes.empty() && few.size() < n) few.push_back(bytes.take<std::int16_t>() / 32768.0f);
  }
  Floats x(n, 0.0f);
  for (std::size_t i = 0; i < n && !few.empty(); ++i) x[i] = few[i % few.size()];
  return x;
}

/// The same bits, but for those of what is no number: sums of sound near the largest float overflow, and the
/// sign of the NaN that comes of it says nothing.
bool same_numbers(const Floats& a, const Floats& b) {
  const auto alike = [](float x, float y) {
    return std::memcmp(&x, &y, sizeof x) == 0 || (std::isnan(x) && std::isnan(y));
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), alike);
}

void chunked_equals_whole(const Node& node, Bytes& bytes) {
  std::vector<std::size_t> sizes = pieces(bytes, 700);
  const Floats x = signal(bytes, static_cast<std::size_t>(bytes.integer(0, 4000)));
  std::size_t left = x.size();
  for (std::size_t& n : sizes) left -= n = std::min(n, left);
  const StreamSpec input = node.input().value();
  require(same_numbers(run(node, input, x), run(node, input, x, sizes)), "the same bits in pieces");
}

void resampler(Bytes& bytes) {
  static const char* const kQualities[] = {"fast", "high", "best", "none"};
  Resample::Options options;
  options.input_rate = 100 * bytes.integer(0, 2000) + bytes.integer(0, 99);
  options.output_rate = 100 * bytes.integer(0, 500) + bytes.integer(0, 99);
  options.quality = kQualities[bytes.integer(0, 3)];
  // A table has up to millions of taps where the rates lie far apart: allowed, and slow.
  if (options.input_rate > 64 * options.output_rate || options.output_rate > 16 * options.input_rate) return;
  chunked_equals_whole(*std::make_shared<Resample>(options), bytes);
}

void framer(Bytes& bytes) {
  static const char* const kPadding[] = {"constant", "reflect", "kaldi", "none"};
  Spectrogram::Options options;
  options.n_fft = bytes.integer(0, 600);
  options.hop_length = bytes.integer(0, 700);
  options.center = bytes.integer(0, 1) == 1;
  options.pad_mode = kPadding[bytes.integer(0, 3)];
  options.power = bytes.integer(0, 1) == 1 ? std::optional<double>(2) : std::nullopt;
  chunked_equals_whole(*std::make_shared<Spectrogram>(options), bytes);
}

/// The ring of samples against a queue.
void ring_buffer(Bytes& bytes) {
  const auto capacity = static_cast<std::size_t>(bytes.integer(1, 64));
  const auto window = static_cast<std::size_t>(bytes.integer(1, static_cast<int>(capacity)));
  RingBuffer ring(capacity, window);
  std::deque<float> model;
  float next = 0;
  while (!bytes.empty()) {
    Floats items(std::min(static_cast<std::size_t>(bytes.integer(0, 64)), ring.free()));
    for (float& item : items) item = ++next;
    ring.write(items.data(), items.size());
    model.insert(model.end(), items.begin(), items.end());
    require(ring.size() == model.size(), "as many items as written and not discarded");
    const std::size_t n = std::min(window, model.size());
    for (std::size_t at = 0; n > 0 && at + n <= model.size(); ++at) {
      const float* got = ring.at(ring.begin() + static_cast<std::int64_t>(at));
      require(std::equal(got, got + n, model.begin() + static_cast<std::ptrdiff_t>(at)),
              "a window as written");
    }
    const auto gone = static_cast<std::size_t>(bytes.integer(0, static_cast<int>(model.size())));
    ring.discard_before(ring.begin() + static_cast<std::int64_t>(gone));
    model.erase(model.begin(), model.begin() + static_cast<std::ptrdiff_t>(gone));
  }
}

/// The ring between a sound card and its readers, by one thread: what is not overwritten reads as written,
/// with silence where a value was no sound: beyond 1e12, or not a number.
void capture_ring(Bytes& bytes) {
  const auto capacity = static_cast<std::size_t>(bytes.integer(1, 64));
  const auto channels = static_cast<std::size_t>(bytes.integer(1, 4));
  const std::int64_t first = bytes.take<std::int32_t>();
  live::CaptureRing ring(capacity, channels, first);
  Floats written;
  while (!bytes.empty()) {
    Floats frames = bytes.samples(channels * static_cast<std::size_t>(bytes.integer(0, 100)));
    frames.resize(frames.size() / channels * channels);
    ring.write(frames.data(), frames.size() / channels);
    for (const float value : frames) written.push_back(std::abs(value) <= 1e12f ? value : 0.0f);
    const std::int64_t begin = ring.begin();
    const auto n = static_cast<std::size_t>(ring.end() - begin);
    Floats got(n * channels);
    require(ring.read(begin, n, got.data()) == 0, "nothing overwritten between begin and end");
    const auto from =
        written.begin() + static_cast<std::ptrdiff_t>(begin - first) * static_cast<int>(channels);
    require(same_bits(got, Floats(from, written.end())), "the frames as written");
  }
}

}  // namespace

}  // namespace fastaudio::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fastaudio::test;
  Bytes bytes(data, size);
  try {
    switch (bytes.take<std::uint8_t>() % 4) {
      case 0:
        resampler(bytes);
        break;
      case 1:
        framer(bytes);
        break;
      case 2:
        ring_buffer(bytes);
        break;
      default:
        capture_ring(bytes);
    }
  } catch (const fastaudio::Error&) {
    // An option out of range.
  }
  return 0;
}
