#include "nodes/patches.hpp"

#include "core/extent.hpp"
#include "nodes/support/require.hpp"

namespace fastaudio {

namespace {

class PatchStream final : public Stream, public ExtentSource {
 public:
  PatchStream(const Cutter::Options& options, const StreamSpec& input)
      : cutter_(options, input.row_size()), extent_(std::make_shared<Extent>(input.rate_hz)) {}

  std::shared_ptr<const Extent> extent() const override { return extent_; }

 private:
  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    extent_->n_rows += static_cast<std::int64_t>(n_rows);
    cutter_.push(rows, n_rows, [&](const float* patch) { sink.write(0, patch, 1); });
  }

  void do_flush(Sink& sink) override {
    extent_->ended = true;
    cutter_.flush([&](const float* patch) { sink.write(0, patch, 1); });
  }

  Cutter cutter_;
  std::shared_ptr<Extent> extent_;
};

}  // namespace

Cutter::Options Patches::cut() const {
  return {.length = options().length,
          .hop = options().hop.value_or(options().length),
          .context = options().context,
          .last = options().last,
          .pad_value = options().pad_value};
}

std::vector<Output> Patches::describe(const StreamSpec& input) const {
  require_memory(name, cut().rows(), input, "length or context");
  return {{"", Cutter::spec(cut(), input)}};
}

std::unique_ptr<Stream> Patches::open(const StreamSpec& input) const {
  outputs(input);
  return std::make_unique<PatchStream>(cut(), input);
}

NodePtr Patches::with_hop(int n_rows) const {
  Options changed = options();
  changed.hop = n_rows;
  return std::make_shared<Patches>(std::move(changed));
}

}  // namespace fastaudio
