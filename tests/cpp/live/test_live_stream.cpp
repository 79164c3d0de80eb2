#include <doctest/doctest.h>

#include <cmath>
#include <thread>

#include "live_helpers.hpp"
#include "onnx_models.hpp"

using namespace fastaudio;
using namespace fastaudio::test;
using live::LiveOptions;
using live::LiveStream;
using live::Pool;

namespace {

std::vector<NodePtr> both_networks() {
  std::vector<NodePtr> all{mel(), in_a_row(front()), front_and(std::make_shared<Mean>())};
  if (has_runtime()) {
    all.push_back(front_and(read_model(FASTAUDIO_GOLDEN "/onnx/ntf.onnx")));
    all.push_back(in_a_row({mel(), running_sum()}));
  }
  return all;
}

}  // namespace

TEST_CASE("live stream: any blocks give the rows of one push, bit for bit, run by hand") {
  const Floats x = sound(40, 20);
  for (const NodePtr& node : both_networks()) {
    CAPTURE(node->repr());
    const Floats expected = run(*node, kSound, x);
    for (const int largest : {1000, 10 * kRate}) {
      LiveStream stream(node, kSound, kLong, false);
      std::size_t done = 0;
      for (const std::size_t n : Random(41).pieces(x.size(), largest)) {
        stream.push(x.data() + done, n);
        done += n;
        serve(stream);
      }
      stream.finish();
      serve(stream);
      CHECK(stream.done());
      CHECK(same_bits(rows_of(stream), expected));
    }
  }
}

TEST_CASE("live stream: so they do when a pool runs it and a push waits for room") {
  const Floats x = sound(42, 20);
  for (const NodePtr& node : both_networks()) {
    CAPTURE(node->repr());
    Pool pool({.workers = 2});
    const auto stream = open_live(node, {.overflow = "block", .buffer_s = 0.5});
    pool.add(stream);
    std::thread source([&] {
      push_in_pieces(*stream, x, 10 * kRate, 43);
      stream->finish();
    });
    const Floats rows = rows_of(*stream);
    source.join();
    CHECK(same_bits(rows, run(*node, kSound, x)));
    const auto stats = stream->stats();
    CHECK(stats.captured == static_cast<std::int64_t>(x.size()));
    CHECK(stats.delivered == stats.captured);
    CHECK(stats.gaps == 0);
  }
}

TEST_CASE("live stream: 16-bit samples and several channels") {
  const NodePtr node = in_a_row({std::make_shared<Mono>(Mono::Options{}), mel()});
  const StreamSpec stereo{kRate, {2}, "samples"};
  Random random(44);
  std::vector<std::int16_t> integers(2 * 5000);
  for (auto& value : integers) value = static_cast<std::int16_t>(random.integer(-32768, 32767));
  Floats x;
  for (const auto value : integers) x.push_back(static_cast<float>(value) / 32768.0f);
  LiveStream stream(node, stereo, kLong, false);
  stream.push(integers.data(), 5000);
  stream.finish();
  serve(stream);
  CHECK(same_bits(rows_of(stream), run(*node, stereo, x)));
  CHECK(stream.take_peak() <= 1);
}

TEST_CASE("live stream: time stamps begin at the start sample, beyond 31 and 32 bits too") {
  const Floats x = sound(45, 3);
  const NodePtr node = in_a_row(front());
  for (const std::int64_t first : {(std::int64_t{1} << 31) - 9000, (std::int64_t{1} << 32) - 9000}) {
    LiveOptions options = kLong;
    options.start_sample = first;
    LiveStream stream(node, kSound, options, false);
    push_in_pieces(stream, x, 500, 46);
    stream.finish();
    serve(stream);
    const auto stretches = all_of(stream.results());
    REQUIRE(stretches.size() == 1);
    CHECK(stretches.front().base_s == static_cast<double>(first) / kRate);
    CHECK(same_bits(stretches.front().rows, run(*node, kSound, x)));
    CHECK(stream.ring().end() == first + static_cast<std::int64_t>(x.size()));
    CHECK(stream.stats().captured == static_cast<std::int64_t>(x.size()));
  }
}

TEST_CASE("live stream: a provisional clip gives what the first part gives offline, row by row") {
  const Floats x = sound(47, 4);
  LiveOptions options = kLong;
  options.provisional_s = 1.3;
  for (const NodePtr& node : {mel(), in_a_row(front()), front_and(std::make_shared<Mean>())}) {
    LiveStream stream(node, kSound, options, false);
    std::size_t done = 0;
    for (const std::size_t n : Random(48).pieces(x.size(), 700)) {
      stream.push(x.data() + done, n);
      done += n;
      serve(stream);
    }
    stream.finish();
    serve(stream);
    auto stretches = all_of(stream.results());
    REQUIRE(stretches.size() == 2);
    if (!stretches.front().provisional) std::swap(stretches.front(), stretches.back());
    CHECK(stretches[0].provisional);
    CHECK(same_bits(stretches[0].rows, run(*node, kSound, part_of(x, 0, 10400))));
    CHECK(!stretches[1].provisional);
    CHECK(same_bits(stretches[1].rows, run(*node, kSound, x)));
  }
}

TEST_CASE("live stream: sound shorter than the provisional clip gives no provisional rows") {
  LiveOptions options = kLong;
  options.provisional_s = 2;
  LiveStream stream(mel(), kSound, options, false);
  const Floats x = sound(49, 1);
  stream.push(x.data(), x.size());
  stream.finish();
  serve(stream);
  const auto stretches = all_of(stream.results());
  REQUIRE(stretches.size() == 1);
  CHECK(!stretches.front().provisional);
}

TEST_CASE("live stream: finish ends at what was taken until then, even while a device goes on") {
  const Floats x = sound(50, 2);
  LiveStream stream(mel(), kSound, kLong, false);
  stream.capture(x.data(), 9000, false);
  stream.finish();
  stream.capture(x.data() + 9000, 7000, true);
  stream.finish();
  while (!stream.done()) stream.service();
  CHECK(same_bits(rows_of(stream), run(*mel(), kSound, part_of(x, 0, 9000))));
  const auto stats = stream.stats();
  CHECK(stats.captured == 16000);
  CHECK(stats.delivered == 9000);
  CHECK(stats.dropped == 7000);
  CHECK(stats.device_overflows == 1);
  CHECK(message_of<StateError>([&] { stream.push(x.data(), 1); }) ==
        "live: expected no sound after finish, got some; open a new stream");
}

TEST_CASE("live stream: without any sound it ends without results") {
  LiveStream stream(in_a_row(front()), kSound, kLong, false);
  CHECK(!stream.ready());
  stream.finish();
  serve(stream);
  CHECK(all_of(stream.results()).empty());
}

TEST_CASE("live stream: values that aren't finite become silence and are counted") {
  LiveStream stream(mel(), kSound, kLong, false);
  Floats x = sound(51, 1);
  Floats silenced = x;
  x[100] = std::nanf("");
  x[200] = std::numeric_limits<float>::infinity();
  silenced[100] = silenced[200] = 0;
  stream.capture(x.data(), 150, false);
  stream.push(x.data() + 150, x.size() - 150);
  stream.finish();
  serve(stream);
  CHECK(same_bits(rows_of(stream), run(*mel(), kSound, silenced)));
  CHECK(stream.stats().bad_values == 2);
}

TEST_CASE("live stream: another network goes on between two patches, and says so") {
  const Floats x = sound(52, 3);
  LiveStream stream(front_and(through("a", 2)), kSound, kLong, false);
  stream.push(x.data(), 10000);
  serve(stream);
  stream.swap(front_and(through("skipped", 7)), 1);
  stream.swap(front_and(through("b", 2)), 2);
  stream.push(x.data() + 10000, x.size() - 10000);
  stream.finish();
  serve(stream);
  const auto stretches = all_of(stream.results());
  REQUIRE(stretches.size() == 2);
  CHECK(stretches[0].network == 0);
  CHECK(stretches[1].network == 2);
  CHECK(stretches[1].base_s == doctest::Approx(static_cast<double>(stretches[0].n_rows) / 25));
  Floats rows = stretches[0].rows;
  rows.insert(rows.end(), stretches[1].rows.begin(), stretches[1].rows.end());
  CHECK(same_bits(rows, run(*front_and(through("a", 2)), kSound, x)));
}

TEST_CASE("live stream: its statistics add up") {
  const Floats x = sound(53, 2);
  LiveStream stream(in_a_row(front()), kSound, kLong, false);
  stream.push(x.data(), x.size());
  CHECK(stream.stats().waiting == 16000);
  serve(stream);
  const auto stats = stream.stats();
  CHECK(stats.captured == stats.delivered + stats.waiting);
  CHECK(stats.sound_s == static_cast<double>(stats.delivered) / kRate);
  CHECK(stats.busy_s > 0);
  CHECK(stats.parts.size() == 3);
  CHECK(stats.latency_p50_s > 0);
  CHECK(stats.latency_p50_s <= stats.latency_p99_s);
  CHECK(stats.latency_p99_s <= stats.latency_max_s);
  CHECK(stats.results_waiting > 0);
}

TEST_CASE("live stream: options outside their range are refused") {
  const auto refusal = [](const LiveOptions& options, const StreamSpec& input) {
    return message_of<ValueError>([&] { LiveStream(mel(), input, options, false); });
  };
  CHECK(refusal({.overflow = "wait"}, kSound) ==
        "live: expected overflow as one of 'block', 'drop_oldest', 'raise', got 'wait'");
  CHECK(refusal({.buffer_s = 0.001}, kSound) == "live: expected buffer_s in [0.01, 3600] s, got 0.001");
  CHECK(refusal({.buffer_s = std::nan("")}, kSound).starts_with("live: expected buffer_s in "));
  CHECK(refusal({.provisional_s = -1}, kSound).starts_with("live: expected provisional_s in "));
  CHECK(refusal({.start_sample = -1}, kSound).starts_with("live: expected start_sample in "));
  CHECK(refusal({.max_results = 0}, kSound).starts_with("live: expected max_results in "));
  CHECK(refusal({}, StreamSpec::samples(0)).starts_with("live: expected sound with a rate, got "));
  CHECK(refusal({}, StreamSpec::samples(1e300)).starts_with("live: expected sample_rate in "));
}
