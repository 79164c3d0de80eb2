#include "nodes/patches.hpp"

#include "core/rows/cutter.hpp"

namespace fastaudio {

namespace {

class PatchStream final : public Stream {
 public:
  PatchStream(const Cutter::Options& options, std::size_t row_size) : cutter_(options, row_size) {}

 private:
  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    cutter_.push(rows, n_rows, [&](const float* patch) { sink.write(0, patch, 1); });
  }

  void do_flush(Sink& sink) override {
    cutter_.flush([&](const float* patch) { sink.write(0, patch, 1); });
  }

  Cutter cutter_;
};

}  // namespace

Patches::Patches(Options options) : options_(std::move(options)) { check_options(name, options_); }

Cutter::Options Patches::cut() const {
  return {.length = options_.length,
          .hop = options_.hop.value_or(options_.length),
          .context = options_.context,
          .last = options_.last,
          .pad_value = options_.pad_value};
}

std::vector<Output> Patches::outputs(const StreamSpec& input) const {
  return {{"", Cutter::spec(cut(), input)}};
}

std::unique_ptr<Stream> Patches::open(const StreamSpec& input) const {
  constexpr std::size_t kLargest = std::size_t{1} << 28;
  const std::size_t size = cut().rows() * input.row_size();
  if (size > kLargest) {
    throw ValueError("Patches: expected at most 2**28 values a patch, got " + std::to_string(size) +
                     "; choose a smaller length or context");
  }
  return std::make_unique<PatchStream>(cut(), input.row_size());
}

std::optional<Locality> Patches::locality() const { return Cutter::locality(cut()); }

NodePtr Patches::with_hop(int n_rows) const {
  Options options = options_;
  options.hop = n_rows;
  return std::make_shared<Patches>(std::move(options));
}

}  // namespace fastaudio
