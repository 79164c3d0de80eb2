// Replaces the global operator new of the test program, to count what a push allocates.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <new>

#include "core/compose/concat.hpp"
#include "core/compose/each.hpp"
#include "core/compose/film.hpp"
#include "core/compose/parallel.hpp"
#include "core/compose/sequential.hpp"
#include "live/live_stream.hpp"
#include "node_examples.hpp"
#include "nodes/support/silence.hpp"
#include "onnx_models.hpp"

namespace {

thread_local long allocations = 0;
thread_local std::size_t allocated = 0;  // bytes

void* counted(std::size_t size) {
  ++allocations;
  allocated += size;
  void* memory = std::malloc(std::max<std::size_t>(size, 1));
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void* counted_aligned(std::size_t size, std::align_val_t boundary) {
  ++allocations;
  const auto step = static_cast<std::size_t>(boundary);
  const std::size_t whole = std::max<std::size_t>((size + step - 1) / step * step, step);
#ifdef _MSC_VER
  void* memory = _aligned_malloc(whole, step);
#else
  void* memory = std::aligned_alloc(step, whole);
#endif
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void release_aligned(void* memory) {
#ifdef _MSC_VER
  _aligned_free(memory);
#else
  std::free(memory);
#endif
}

}  // namespace

// The standard library's other forms, for arrays and without exceptions, call these.
void* operator new(std::size_t size) { return counted(size); }
void* operator new(std::size_t size, std::align_val_t boundary) { return counted_aligned(size, boundary); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release_aligned(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release_aligned(memory); }

using namespace fastaudio;
using namespace fastaudio::test;

namespace {

class Discard final : public Sink {
 public:
  void write(std::size_t, const float*, std::size_t n_rows) override { n_rows_ += n_rows; }
  std::size_t n_rows() const { return n_rows_; }

 private:
  std::size_t n_rows_ = 0;
};

/// Allocations made by pushes of many sizes, after a first push of one row.
long allocations_of(const Node& node, const StreamSpec& input, bool gives_rows = true) {
  const std::size_t most = input.shape.empty() ? 60000 : 20000;
  Random random(70);
  const Floats rows = rows_for(node, input, most, random);
  const auto stream = node.open(input);
  Discard sink;
  stream->push(rows.data(), 1, sink);
  const long before = allocations;
  for (const std::size_t n : {0u, 1u, 7u, 160u, 441u, 4096u, 60000u, 3u, 20000u}) {
    stream->push(rows.data(), std::min(n, most), sink);
  }
  const long made = allocations - before;
  if (gives_rows) CHECK(sink.n_rows() > 0);
  return made;
}

NodePtr mel(const char* pad_mode) {
  MelSpectrogram::Options options;
  options.sample_rate = 16000;
  options.n_fft = 512;
  options.hop_length = 256;
  options.pad_mode = pad_mode;
  return std::make_shared<MelSpectrogram>(options);
}

}  // namespace

TEST_CASE("allocations: they are counted") {
  const long before = allocations;
  const auto one = std::make_unique<int>(1);
  const auto many = std::make_unique<float[]>(100);
  struct alignas(64) Wide {
    float values[16];
  };
  const auto wide = std::make_unique<Wide>();
  const auto row = std::make_unique<Wide[]>(2);
  CHECK(allocations - before == 4);
}

TEST_CASE("allocations: no node makes any after its first push, unless it has to keep the clip and says so") {
  const auto each = [&]<class T>(std::type_identity<T> type) {
    for (const auto& options : examples(type)) {
      const NodePtr node = std::make_shared<T>(options);
      const std::string name = node->repr();
      CAPTURE(name);
      const StreamSpec input = input_of(*node);
      const StreamSpec output = node->outputs(input).front().spec;
      const bool waits = output.once() || std::isinf(output.latency_s);
      const long made = allocations_of(*node, input, !waits);
      const bool may = waits && std::string(T::doc).find("memory grows with") != std::string::npos;
      if (!may) CHECK(made == 0);
    }
  };
  std::apply([&](auto... type) { (each(type), ...); }, AllNodes{});
}

TEST_CASE("allocations: a whole pipeline makes none after its first push") {
  const StreamSpec stereo{44100, {2}, "samples", {}, 0, 0};
  const auto log = std::make_shared<Log>(Log::Options{});
  const auto patches = std::make_shared<Patches>(Patches::Options{30, 10, "drop", 0});
  const std::vector<NodePtr> front{std::make_shared<Mono>(Mono::Options{}),
                                   std::make_shared<Resample>(Resample::Options{}), mel("reflect"), log};
  auto nodes = front;
  nodes.push_back(patches);
  CHECK(allocations_of(*std::make_shared<Sequential>(nodes), stereo) == 0);
  nodes.back() = std::make_shared<Parallel>(
      std::vector<NamedNode>{{"patches", patches}, {"highest", std::make_shared<Max>()}});
  CHECK(allocations_of(*std::make_shared<Sequential>(nodes), stereo) == 0);
}

TEST_CASE("allocations: nor does a pipeline that marks silence") {
  const StreamSpec samples = StreamSpec::samples(22050);
  const auto tags = std::make_shared<Tags>(Tags::Options{{"loud"}});
  const auto node =
      std::make_shared<Sequential>(std::vector<NodePtr>{std::make_shared<RMS>(RMS::Options{}), tags});
  const auto found = std::make_shared<Sequential>(
      std::vector<NodePtr>{node, std::make_shared<Sigmoid>(), std::make_shared<Events>(Events::Options{})});
  CHECK(allocations_of(*with_silence(node, samples, -70.0), samples) == 0);
  CHECK(allocations_of(*with_silence(found, samples, -70.0), samples, false) == 0);
}

TEST_CASE("allocations: a stream whose scores come at an unknown time reserves no more than others") {
  const StreamSpec samples = StreamSpec::samples(22050);
  const std::vector<NodePtr> parts{std::make_shared<RMS>(RMS::Options{}),
                                   std::make_shared<Normalize>(Normalize::Options{.over = "clip"}),
                                   std::make_shared<Tags>(Tags::Options{{"loud"}})};
  const NodePtr node = with_silence(std::make_shared<Sequential>(parts), samples, -70.0);
  const std::size_t before = allocated;
  const auto stream = node->open(samples);
  CHECK(allocated - before < std::size_t{1} << 20);
}

TEST_CASE("allocations: a sound card's callback makes none, nor does a push or a look for work") {
  const StreamSpec stereo{44100, {2}, "samples", {}, 0, 0, 0};
  const auto node = std::make_shared<Mono>(Mono::Options{});
  live::LiveStream stream(node, stereo, {.overflow = "drop_oldest", .buffer_s = 0.5}, false);
  const Floats rows = Random(72).samples(2 * 50000);
  const std::vector<std::int16_t> integers(2 * 441, 1000);
  const long before = allocations;
  for (const std::size_t n : {0u, 1u, 441u, 4096u, 50000u}) {
    stream.capture(rows.data(), n, n == 1);
    stream.push(rows.data(), n);
  }
  stream.push(integers.data(), 441);
  CHECK(stream.ready());
  CHECK(stream.take_peak() > 0);
  CHECK(allocations == before);
}

TEST_CASE("allocations: a live stream's worker makes those of its results alone") {
  const StreamSpec samples = StreamSpec::samples(16000);
  const auto patches = std::make_shared<Patches>(Patches::Options{30, 30, "drop", 0});
  const auto node = std::make_shared<Sequential>(std::vector<NodePtr>{mel("reflect"), patches});
  live::LiveStream stream(node, samples, {}, false);
  const Floats rows = Random(73).samples(160);
  long made = 0;
  std::size_t n_results = 0;
  for (int i = 0; i < 500; ++i) {
    stream.push(rows.data(), rows.size());
    const long before = allocations;
    if (stream.ready()) stream.service();
    made += allocations - before;
    while (stream.results().take(std::chrono::nanoseconds(0))) ++n_results;
  }
  CHECK(n_results == 10);
  // The values of each, and a new piece of the queue now and then.
  CHECK(made <= 2 * static_cast<long>(n_results));
}

TEST_CASE("allocations: nor do branches of different rates that are joined") {
  const StreamSpec samples = StreamSpec::samples(16000);
  const auto frames = mel("reflect");
  const auto tenths = std::make_shared<Statistics>(Statistics::Options{.kinds = {"mean"}, .window = 6});
  const auto seconds = std::make_shared<Statistics>(Statistics::Options{.kinds = {"mean"}, .window = 62});
  const auto slow = std::make_shared<Sequential>(std::vector<NodePtr>{frames, seconds});
  const auto fast = std::make_shared<Sequential>(std::vector<NodePtr>{frames, tenths});
  for (const char* align : {"repeat", "average"}) {
    const Concat::Options options{.rate_of = std::string(align) == "average" ? 0 : 1, .align = align};
    CHECK(allocations_of(*std::make_shared<Concat>(std::vector<NodePtr>{slow, fast}, options), samples) == 0);
    const auto scales = std::make_shared<Parallel>(
        std::vector<NamedNode>{{"gamma", std::make_shared<L2Normalize>(L2Normalize::Options{})},
                               {"beta", std::make_shared<Standardize>(Standardize::Options{{0.5}, {2}})}});
    const auto condition = std::make_shared<Sequential>(std::vector<NodePtr>{fast, scales});
    CHECK(allocations_of(*std::make_shared<Film>(slow, condition, Film::Options{align}), samples) == 0);
  }
}

TEST_CASE("allocations: Each alone is exempt, for it opens a stream for each clip") {
  const auto node = std::make_shared<Each>(mel("reflect"), Each::Options{.clip_length = 1600});
  const Floats rows = Random(71).samples(2 * 1600);
  const auto stream = node->open(*node->input());
  Discard sink;
  stream->push(rows.data(), 2 * 1600, sink);
  const long before = allocations;
  stream->push(rows.data(), 0, sink);
  CHECK(allocations == before);
  stream->push(rows.data(), 2 * 1600, sink);
  CHECK(allocations > before);
  CHECK(sink.n_rows() == 4);
}

TEST_CASE("allocations: a network with state makes none but those of ONNX Runtime") {
  if (!has_runtime()) return;
  const auto count = [](auto&& call) {
    const long before = allocations;
    for (int i = 0; i < 20; ++i) call();
    return allocations - before;
  };
  const auto model = running_sum();
  const auto stream = model->open({10, {3}, "", {}, 0, 0});
  const Floats row(3, 1.0f);
  Discard sink;
  stream->push(row.data(), 1, sink);
  const long pushed = count([&] { stream->push(row.data(), 1, sink); });

  Floats x(3), h(3), y(3), next(3);
  const auto& session = model->session();
  std::vector<onnx::Handle<onnx::OrtValue>> tensors;
  for (Floats* values : {&x, &h, &y, &next})
    tensors.push_back(session.tensor(values->data(), onnx::kFloat, {1, 3}));
  const std::vector<onnx::OrtValue*> inputs{tensors[0].get(), tensors[1].get()};
  std::vector<onnx::OrtValue*> outputs{tensors[2].get(), tensors[3].get()};
  const std::vector<const char*> in{"x", "h"}, out{"y", "h_next"};
  session.run(in, inputs, out, outputs, 3);
  CHECK(pushed == count([&] { session.run(in, inputs, out, outputs, 3); }));
  CHECK(sink.n_rows() == 21);
}
