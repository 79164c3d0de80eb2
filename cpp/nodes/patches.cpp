#include "nodes/patches.hpp"

#include "nodes/support/require.hpp"

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
  return std::make_unique<PatchStream>(cut(), input.row_size());
}

NodePtr Patches::with_hop(int n_rows) const {
  Options changed = options();
  changed.hop = n_rows;
  return std::make_shared<Patches>(std::move(changed));
}

}  // namespace fastaudio
