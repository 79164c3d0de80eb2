#include "nodes/events.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/budget.hpp"
#include "core/rows/pace.hpp"
#include "core/rows/row_block.hpp"
#include "core/rows/row_ring.hpp"
#include "nodes/support/numbers.hpp"
#include "nodes/support/require.hpp"

namespace fastaudio {

namespace {

constexpr std::size_t kRowSize = 6;
constexpr std::int64_t kLow = 65536;  // first window = high * kLow + low, both exact in float32 for 2**40

/// At most 2**40, which no stream reaches.
std::int64_t windows_of(double seconds, double rate_hz) {
  return std::llround(std::min(seconds * rate_hz, 0x1p40));
}

/// A label's options, with times as numbers of windows.
struct Rule {
  float onset;
  float offset;
  std::int64_t n_on;         ///< an event has at least this many
  std::int64_t n_off;        ///< this many below offset end it
  std::int64_t n_cool_down;  ///< after an event no other begins for this many
};

Buffer<Rule> rules_of(const Events::Options& options, const StreamSpec& input) {
  Buffer<Rule> rules;
  const auto windows = [&](const Numbers& seconds, std::size_t k) {
    return windows_of(at(seconds, k), input.rate_hz);
  };
  for (std::size_t k = 0; k < input.row_size(); ++k) {
    const auto offset = at(options.offset.empty() ? options.onset : options.offset, k);
    rules.push_back({static_cast<float>(at(options.onset, k)), static_cast<float>(offset),
                     std::max<std::int64_t>(1, windows(options.min_on_s, k)),
                     std::max<std::int64_t>(1, windows(options.min_off_s, k)),
                     windows(options.cool_down_s, k)});
  }
  return rules;
}

/// How far a score may lie outside [0, 1] by rounding.
constexpr float kRounding = 1e-3f;

/// What a score counts as: a silent window has -inf, and a network may give NaN or infinity.
float counted(float score) { return std::isfinite(score) ? score : 0.0f; }

/// Scores as thresholds see them: each label's mean over the last `n` windows, or its median over those
/// around a window. The mean is computed anew each time, because a running sum would keep rounding errors of
/// rows that have left it.
class Smoothing {
 public:
  Smoothing(const Events::Options& options, double rate_hz, std::size_t row_size)
      : n_(windows_of(options.smoothing_s, rate_hz)),
        later_(look_ahead(options, rate_hz)),
        median_(options.smoothing == "median"),
        ring_(static_cast<std::size_t>(std::max<std::int64_t>(1, median_ ? 2 * later_ + 1 : n_)), row_size),
        smooth_(row_size),
        sums_(row_size) {
    if (median_) sorted_.reserve(static_cast<std::size_t>(2 * later_ + 1));
  }

  /// Windows that come in before one is decided.
  static std::int64_t look_ahead(const Events::Options& options, double rate_hz) {
    return options.smoothing == "median" ? windows_of(options.smoothing_s, rate_hz) / 2 : 0;
  }

  void push(const float* row) { ring_.push(row); }
  std::int64_t n_pushed() const { return ring_.end(); }
  std::int64_t later() const { return later_; }
  const float* row(std::int64_t window) const { return ring_.at(window); }

  /// Valid until the next call. All windows that it depends on are there, except past the signal's ends.
  const float* smooth(std::int64_t window) {
    const std::int64_t first = std::max(ring_.begin(), median_ ? window - later_ : window - n_ + 1);
    const std::int64_t end = std::min(ring_.end(), window + later_ + 1);
    pace_.did(static_cast<std::size_t>(end - std::min(first, window)) * smooth_.size());
    if (median_) {
      for (std::size_t k = 0; k < smooth_.size(); ++k) smooth_[k] = median(k, first, end);
      return smooth_.data();
    }
    std::fill(sums_.begin(), sums_.end(), 0.0);
    for (std::int64_t t = std::min(first, window); t < end; ++t) {
      const float* past = ring_.at(t);
      for (std::size_t k = 0; k < sums_.size(); ++k) sums_[k] += counted(past[k]);
    }
    const auto n_held = static_cast<double>(end - std::min(first, window));
    for (std::size_t k = 0; k < sums_.size(); ++k) smooth_[k] = static_cast<float>(sums_[k] / n_held);
    return smooth_.data();
  }

 private:
  float median(std::size_t k, std::int64_t first, std::int64_t end) {
    sorted_.clear();
    for (std::int64_t t = first; t < end; ++t) sorted_.push_back(counted(ring_.at(t)[k]));
    std::sort(sorted_.begin(), sorted_.end());
    return sorted_[(sorted_.size() - 1) / 2];
  }

  std::int64_t n_;
  std::int64_t later_;
  bool median_;
  RowRing ring_;
  Buffer<float> smooth_;
  Buffer<double> sums_;
  Buffer<float> sorted_;
  Pace pace_;
};

/// A label's event that is going on, with totals up to now and up to the event's last window so far.
struct Running {
  bool on = false;
  bool announced = false;
  bool dipped = false;  ///< its last score was below the threshold
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t free_from = 0;  ///< first window that may begin another
  double sum = 0;
  double sum_to_last = 0;
  float peak = 0;
  float peak_to_last = 0;

  std::int64_t n() const { return last - first + 1; }
};

class EventStream final : public Stream {
 public:
  EventStream(const Events::Options& options, const StreamSpec& input)
      : rules_(rules_of(options, input)),
        labels_(input.labels.begin(), input.labels.end()),
        running_(rules_.size()),
        smoothing_(options, input.rate_hz, rules_.size()),
        onsets_(options.onsets),
        summary_(options.summary),
        bridge_at_onset_(options.bridge == "onset"),
        block_(kRowSize) {
    due_.reserve(rules_.size());
  }

 private:
  struct Due {
    std::size_t label;
    std::int64_t first;
    std::int64_t n;  ///< 0 for one that has only begun
    float peak;
    float mean;
  };

  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    for (; n_rows > 0; --n_rows, rows += rules_.size()) {
      check(rows);
      smoothing_.push(rows);
      if (smoothing_.n_pushed() > now_ + smoothing_.later()) decide(sink);
    }
    block_.write(sink);
  }

  void do_flush(Sink& sink) override {
    while (now_ < smoothing_.n_pushed()) decide(sink);
    for (std::size_t k = 0; k < rules_.size(); ++k) {
      if (running_[k].on) end(k);
    }
    write_due(sink);
    if (summary_) write_summary(sink);
    block_.write(sink);
  }

  /// Counts a window, and refuses what can't be a score.
  void check(const float* row) {
    bool heard = false;
    bool broken = false;
    for (std::size_t k = 0; k < rules_.size(); ++k) {
      const float score = row[k];
      if (score < -kRounding || score > 1 + kRounding) {
        if (std::isfinite(score)) refuse(score, k);
      }
      heard = heard || !(std::isinf(score) && score < 0);
      broken = broken || std::isnan(score) || (std::isinf(score) && score > 0);
    }
    n_heard_ += heard ? 1 : 0;
    n_broken_ += broken ? 1 : 0;
  }

  [[noreturn]] void refuse(float score, std::size_t k) const {
    throw ValueError("Events: expected scores in [0, 1], got " + format(static_cast<double>(score)) +
                     " for " + format(labels_[k]) +
                     "; put Sigmoid() or Softmax() before Events if these are logits, " +
                     "MinMaxScale() if they have another range");
  }

  /// Takes the scores of the window `now_`.
  void decide(Sink& sink) {
    const float* smooth = smoothing_.smooth(now_);
    const float* scores = smoothing_.row(now_);
    for (std::size_t k = 0; k < rules_.size(); ++k) {
      const bool known = std::isfinite(scores[k]);
      step(k, counted(scores[k]), smooth[k], known);
      if (!known || !(smooth[k] > best_)) continue;
      best_ = smooth[k];
      best_label_ = k;
    }
    if (!due_.empty()) write_due(sink);
    ++now_;
  }

  void step(std::size_t k, float score, float smooth, bool known) {
    const Rule& rule = rules_[k];
    Running& event = running_[k];
    if (!event.on) {
      if (!known || !(smooth >= rule.onset) || now_ < event.free_from) return;
      event = {.on = true, .first = now_, .free_from = event.free_from, .peak = score};
    }
    event.sum += score;
    event.peak = std::max(event.peak, score);
    const float stays = bridge_at_onset_ && event.dipped ? rule.onset : rule.offset;
    event.dipped = !known || !(smooth >= stays);
    if (!event.dipped) {
      event.last = now_;
      event.sum_to_last = event.sum;
      event.peak_to_last = event.peak;
      if (!onsets_ || event.announced || event.n() < rule.n_on) return;
      event.announced = true;
      due_.push_back(due(k, 0));
    } else if (now_ - event.last >= rule.n_off) {
      end(k);
    }
  }

  void end(std::size_t k) {
    Running& event = running_[k];
    event.on = false;
    if (event.n() < rules_[k].n_on) return;
    event.free_from = event.last + 1 + rules_[k].n_cool_down;
    due_.push_back(due(k, event.n()));
  }

  Due due(std::size_t k, std::int64_t n) const {
    const Running& event = running_[k];
    const double mean = event.sum_to_last / static_cast<double>(event.n());
    return {k, event.first, n, event.peak_to_last, static_cast<float>(mean)};
  }

  void write_due(Sink& sink) {
    std::sort(due_.begin(), due_.end(), [](const Due& a, const Due& b) {
      return a.first != b.first ? a.first < b.first : a.label < b.label;
    });
    for (const Due& event : due_) {
      const auto row = {static_cast<float>(event.label),
                        static_cast<float>(event.first / kLow),
                        static_cast<float>(event.first % kLow),
                        static_cast<float>(event.n),
                        event.peak,
                        event.mean};
      std::copy(row.begin(), row.end(), block_.next(sink));
    }
    due_.clear();
  }

  void write_summary(Sink& sink) {
    const auto row = {static_cast<float>(best_label_), rules_[best_label_].onset,
                      static_cast<float>(n_broken_),   -1.0f,
                      now_ == 0 ? 0.0f : best_,        static_cast<float>(now_ == 0 ? -1 : n_heard_)};
    std::copy(row.begin(), row.end(), block_.next(sink));
  }

  Buffer<Rule> rules_;
  Buffer<std::string> labels_;
  Buffer<Running> running_;
  Smoothing smoothing_;
  bool onsets_;
  bool summary_;
  bool bridge_at_onset_;
  Buffer<Due> due_;  ///< rows that this window gives, at most one per label
  RowBlock block_;
  std::int64_t now_ = 0;                                  ///< index of the window that is decided next
  float best_ = -std::numeric_limits<float>::infinity();  ///< highest smoothed score so far
  std::size_t best_label_ = 0;
  std::int64_t n_heard_ = 0;   ///< windows that weren't silent
  std::int64_t n_broken_ = 0;  ///< windows with NaN or infinity
};

}  // namespace

void Events::check(const Options& options) {
  std::size_t n = 1;  // labels that the lists are for; 1 for any number of them
  const auto check_length = [&](const char* field, const Numbers& numbers) {
    const std::string got = std::to_string(numbers.size()) + " items";
    if (numbers.empty()) detail::throw_outside(name, field, "of at least one item", got);
    if (n > 1 && numbers.size() > 1 && numbers.size() != n) {
      detail::throw_outside(name, field, "of one item, or of " + std::to_string(n) + " as another option",
                            got);
    }
    n = std::max(n, numbers.size());
  };
  check_length("onset", options.onset);
  if (!options.offset.empty()) check_length("offset", options.offset);
  check_length("min_on_s", options.min_on_s);
  check_length("min_off_s", options.min_off_s);
  check_length("cool_down_s", options.cool_down_s);
  for (std::size_t k = 0; !options.offset.empty() && k < n; ++k) {
    const double onset = at(options.onset, k);
    const double offset = at(options.offset, k);
    if (offset <= onset) continue;
    detail::throw_outside(name, "offset", "at most onset = " + format(onset), format(offset));
  }
}

std::vector<Output> Events::describe(const StreamSpec& input) const {
  const std::string subject = std::string(name) + ": expected ";
  const std::string got = ", got rows " + to_string(input);
  const auto n = static_cast<std::int64_t>(input.labels.size());
  const bool events = input.kind == StreamSpec::Kind::events;
  if (n == 0 || input.shape != std::vector<std::int64_t>{n} || events) {
    const std::string other = events ? " of events" : " without labels";
    throw ValueError(subject + "scores with names" + got + other + "; compose after Tags");
  }
  if (input.once()) {
    throw ValueError(subject + "windows over time" + got + "; leave out what pools the clip");
  }
  for (const auto* numbers : {&options().onset, &options().offset, &options().min_on_s, &options().min_off_s,
                              &options().cool_down_s}) {
    if (numbers->size() <= 1 || numbers->size() == input.labels.size()) continue;
    throw ValueError(subject + std::to_string(numbers->size()) + " labels, as its options have items" + got +
                     "; give one number for each, or one for all");
  }
  const std::int64_t n_smoothing = windows_of(options().smoothing_s, input.rate_hz) + 1;
  require_memory(name, static_cast<std::size_t>(n_smoothing), input, "smoothing_s");
  std::int64_t latest = 0;
  for (const Rule& rule : rules_of(options(), input)) {
    const std::int64_t before_onset = options().onsets ? std::max<std::int64_t>(0, rule.n_on - 2) : 0;
    latest = std::max(latest, rule.n_off + before_onset);
  }
  StreamSpec spec = input;
  spec.shape = {kRowSize};
  spec.unit = "events";
  spec.kind = StreamSpec::Kind::events;
  latest += Smoothing::look_ahead(options(), input.rate_hz);
  spec.latency_s += static_cast<double>(latest) / input.rate_hz;
  return {{"", spec}};
}

std::unique_ptr<Stream> Events::open(const StreamSpec& input) const {
  outputs(input);
  return std::make_unique<EventStream>(options(), input);
}

}  // namespace fastaudio
