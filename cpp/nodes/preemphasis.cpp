#include "nodes/preemphasis.hpp"

#include <algorithm>
#include <utility>

#include "nodes/support/require.hpp"

namespace fastaudio {

namespace {

class PreemphasisStream final : public Stream {
 public:
  PreemphasisStream(float coeff, bool skips_first)
      : coeff_(coeff), skip_(skips_first), in_(kBlock + 1), out_(kBlock) {}

 private:
  static constexpr std::size_t kBlock = 4096;

  void do_push(const float* samples, std::size_t n_samples, Sink& sink) override {
    while (n_samples > 0) {
      const std::size_t n = std::min(n_samples, kBlock);
      std::copy_n(samples, n, &in_[1]);  // behind the last sample before them
      for (std::size_t i = 0; i < n; ++i) out_[i] = in_[i + 1] - coeff_ * in_[i];
      in_[0] = in_[n];
      const std::size_t skipped = std::exchange(skip_, false) ? 1 : 0;
      if (n > skipped) sink.write(0, &out_[skipped], n - skipped);
      samples += n;
      n_samples -= n;
    }
  }

  float coeff_;
  bool skip_;  ///< whether the next result is none, because an advanced one needs two samples
  std::vector<float> in_;
  std::vector<float> out_;
};

}  // namespace

std::vector<Output> Preemphasis::describe(const StreamSpec& input) const {
  require_samples(name, input, options().sample_rate);
  return {{"", input}};
}

std::optional<Locality> Preemphasis::locality() const {
  if (options().advanced) return Locality{.after = 2};
  return Locality{.before = 1};
}

std::unique_ptr<Stream> Preemphasis::open(const StreamSpec& input) const {
  outputs(input);
  return std::make_unique<PreemphasisStream>(static_cast<float>(options().coeff), options().advanced);
}

}  // namespace fastaudio
