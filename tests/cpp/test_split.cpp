#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "core/compose/sequential.hpp"
#include "core/compose/split.hpp"
#include "helpers.hpp"
#include "nodes/all.hpp"

using namespace fastaudio;
using namespace fastaudio::test;

namespace {

constexpr std::int64_t kMinute = 16000 * 60;
const StreamSpec kInput = StreamSpec::samples(16000);

std::shared_ptr<MelSpectrogram> mel_of(int n_fft, int hop_length) {
  MelSpectrogram::Options options;
  options.sample_rate = 16000;
  options.n_fft = n_fft;
  options.hop_length = hop_length;
  options.n_mels = 1;
  return std::make_shared<MelSpectrogram>(options);
}

/// Memory for the rows of a part; the bindings have the like.
class Room final : public Sink {
 public:
  explicit Room(std::size_t n_values) { values.reserve(n_values); }
  void write(std::size_t, const float* rows, std::size_t n_rows) override {
    values.insert(values.end(), rows, rows + n_rows);
  }
  float* extend(std::size_t, std::size_t n_rows) override {
    n_placed += n_rows;
    values.resize(values.size() + n_rows);
    return values.data() + values.size() - n_rows;
  }
  Floats values;
  std::size_t n_placed = 0;
};

}  // namespace

TEST_CASE("split: parts follow each other and cover the signal") {
  const std::vector<NodePtr> nodes{mel_of(512, 160), std::make_shared<Log>(Log::Options{}),
                                   std::make_shared<Patches>(Patches::Options{.length = 7, .hop = 3})};
  const Sequential chain(nodes);
  for (const int n_parts : {2, 3, 8}) {
    CAPTURE(n_parts);
    const auto parts = split(chain, kInput, kMinute, n_parts);
    REQUIRE(static_cast<int>(parts.size()) == n_parts);
    CHECK(parts.front().first_input == 0);
    CHECK(parts.front().skip == 0);
    CHECK(parts.back().end_input == kMinute);
    CHECK(parts.back().last());
    for (std::size_t p = 0; p + 1 < parts.size(); ++p) {
      CHECK(!parts[p].last());
      CHECK(parts[p].first_row + parts[p].n_rows == parts[p + 1].first_row);
      CHECK(parts[p].end_input > parts[p + 1].first_input);
      CHECK(parts[p].end_input <= kMinute);
    }
  }
}

TEST_CASE("split: a chain looks as far as its nodes together") {
  const std::vector<NodePtr> nodes{mel_of(512, 160),
                                   std::make_shared<Patches>(Patches::Options{.length = 7, .hop = 3})};
  const Sequential chain(nodes);
  const auto near = chain.locality();
  REQUIRE(near);
  CHECK(near->n_in == 3 * 160);
  CHECK(near->n_out == 1);
  CHECK(near->before == 256);
  CHECK(near->after == 256 + 6 * 160);
  CHECK(chain.receptive_field_s(kInput) == doctest::Approx((512 + 6 * 160) / 16000.0));
}

TEST_CASE("split: one part where a row depends on all before it, or the signal is short") {
  const Sequential chain({mel_of(512, 160), std::make_shared<Mean>(Mean::Options{})});
  CHECK(!chain.locality());
  CHECK(split(chain, kInput, kMinute, 4).size() == 1);
  CHECK(split(*mel_of(512, 160), kInput, 20000, 4).size() == 1);
  CHECK(split(*mel_of(512, 160), kInput, 0, 4).size() == 1);
  CHECK(split(*mel_of(512, 160), kInput, kMinute, 1).size() == 1);
}

TEST_CASE(
    "split: the rows of a part are written where they belong, and are those of one stream bit for bit") {
  const auto mel = mel_of(512, 160);
  const Floats samples = Random(60).samples(kMinute);
  Floats joined;
  for (const Part& part : split(*mel, kInput, kMinute, 3)) {
    Room room(10000);
    PartSink sink(part, room);
    const auto stream = mel->open(kInput);
    for (std::int64_t first = part.first_input; first < part.end_input; first += 40000) {
      const std::int64_t n = std::min<std::int64_t>(40000, part.end_input - first);
      stream->push(samples.data() + first, static_cast<std::size_t>(n), sink);
    }
    if (part.last()) stream->flush(sink);
    CHECK(room.n_placed > room.values.size() * 9 / 10);
    joined.insert(joined.end(), room.values.begin(), room.values.end());
  }
  CHECK(same_bits(joined, run(*mel, kInput, samples)));
}
