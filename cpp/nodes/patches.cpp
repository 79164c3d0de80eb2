#include "nodes/patches.hpp"

#include <algorithm>
#include <cstring>

#include "nodes/support/require.hpp"

namespace fastaudio {

namespace {

class PatchStream final : public Stream {
 public:
  PatchStream(std::shared_ptr<const Patches> node, std::size_t row_size)
      : node_(std::move(node)),
        context_(static_cast<std::size_t>(node_->options().context)),
        length_(context_ + static_cast<std::size_t>(node_->options().length)),
        hop_(static_cast<std::size_t>(node_->hop())),
        row_size_(row_size),
        patch_(length_ * row_size, static_cast<float>(node_->options().pad_value)),
        filled_(context_) {}

 private:
  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    while (n_rows > 0) {
      if (skip_ > 0) {  // rows between patches, when hop is longer than a patch
        const std::size_t n = std::min(n_rows, skip_);
        skip_ -= n;
        rows += n * row_size_;
        n_rows -= n;
        continue;
      }
      const std::size_t n = std::min(n_rows, length_ - filled_);
      std::memcpy(&patch_[filled_ * row_size_], rows, n * row_size_ * sizeof(float));
      filled_ += n;
      rows += n * row_size_;
      n_rows -= n;
      fresh_ = filled_ > context_;
      if (filled_ == length_) emit(sink);
    }
  }

  void do_flush(Sink& sink) override {
    const std::string& last = node_->options().last;
    if (!fresh_ || (last == "drop" && emitted_)) return;
    if (last == "pad") {
      const auto value = static_cast<float>(node_->options().pad_value);
      std::fill(patch_.begin() + static_cast<std::ptrdiff_t>(filled_ * row_size_), patch_.end(), value);
    } else {
      const std::size_t have = (filled_ - context_) * row_size_;
      for (std::size_t i = filled_ * row_size_; i < patch_.size(); ++i) patch_[i] = patch_[i - have];
    }
    emit(sink);
  }

  void emit(Sink& sink) {
    sink.write(0, patch_.data(), 1);
    emitted_ = true;
    fresh_ = false;
    const std::size_t kept = hop_ < length_ ? length_ - hop_ : 0;
    skip_ = hop_ > length_ ? hop_ - length_ : 0;
    std::memmove(patch_.data(), &patch_[(length_ - kept) * row_size_], kept * row_size_ * sizeof(float));
    filled_ = kept;
  }

  std::shared_ptr<const Patches> node_;
  std::size_t context_;
  std::size_t length_;  ///< of a patch with its context
  std::size_t hop_;
  std::size_t row_size_;
  std::vector<float> patch_;
  std::size_t filled_;
  std::size_t skip_ = 0;
  bool emitted_ = false;
  bool fresh_ = false;  ///< whether a row that is no context came since the last patch
};

}  // namespace

std::vector<Output> Patches::describe(const StreamSpec& input) const {
  const std::int64_t n_rows = std::int64_t{options().context} + options().length;
  require_memory(name, static_cast<std::size_t>(n_rows), input, "length or context");
  StreamSpec spec = input;
  spec.shape.insert(spec.shape.begin(), n_rows);
  if (!input.once()) {
    spec.rate_hz = input.rate_hz / hop();
    spec.span_s = input.span_s + (options().length - 1) / input.rate_hz;
  }
  return {{"", spec}};
}

std::unique_ptr<Stream> Patches::open(const StreamSpec& input) const {
  outputs(input);
  return std::make_unique<PatchStream>(keep(this), input.row_size());
}

}  // namespace fastaudio
