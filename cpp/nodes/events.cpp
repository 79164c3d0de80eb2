#include "nodes/events.hpp"

#include <algorithm>
#include <cmath>

#include "core/rows/row_block.hpp"
#include "core/rows/row_ring.hpp"
#include "nodes/support/numbers.hpp"
#include "nodes/support/require.hpp"

namespace fastaudio {

namespace {

constexpr std::size_t kRowSize = 6;
constexpr std::int64_t kLow = 65536;  // first window = high * kLow + low, both exact in float32 for 2**40

std::int64_t windows_of(double seconds, double rate_hz) { return std::llround(seconds * rate_hz); }

/// A label's options, with times as numbers of windows.
struct Rule {
  float onset;
  float offset;
  std::int64_t n_on;         ///< an event has at least this many
  std::int64_t n_off;        ///< this many below offset end it
  std::int64_t n_cool_down;  ///< after an event no other begins for this many
};

std::vector<Rule> rules_of(const Events::Options& options, const StreamSpec& input) {
  std::vector<Rule> rules;
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

/// Mean of each label over the last `n` rows. It is computed anew each time, because a running sum would keep
/// rounding errors of rows that have left it.
class Smoothing {
 public:
  Smoothing(std::size_t n, std::size_t row_size)
      : n_(n), ring_(n > 1 ? n : 0, row_size), sums_(row_size), means_(row_size) {}

  /// Valid until the next call.
  const float* add(const float* row) {
    if (n_ <= 1) return row;
    ring_.push(row);
    std::fill(sums_.begin(), sums_.end(), 0.0);
    for (std::int64_t t = ring_.begin(); t < ring_.end(); ++t) {
      const float* past = ring_.at(t);
      for (std::size_t k = 0; k < sums_.size(); ++k) sums_[k] += past[k];
    }
    const auto n_held = static_cast<double>(ring_.end() - ring_.begin());
    for (std::size_t k = 0; k < sums_.size(); ++k) means_[k] = static_cast<float>(sums_[k] / n_held);
    return means_.data();
  }

 private:
  std::size_t n_;
  RowRing ring_;
  std::vector<double> sums_;
  std::vector<float> means_;
};

/// A label's event that is going on, with totals up to now and up to the event's last window so far.
struct Running {
  bool on = false;
  bool announced = false;
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
  EventStream(std::vector<Rule> rules, std::size_t n_smoothing, bool onsets)
      : rules_(std::move(rules)),
        running_(rules_.size()),
        smoothing_(n_smoothing, rules_.size()),
        onsets_(onsets),
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
    for (; n_rows > 0; --n_rows, rows += rules_.size(), ++now_) {
      const float* smooth = smoothing_.add(rows);
      for (std::size_t k = 0; k < rules_.size(); ++k) step(k, rows[k], smooth[k]);
      if (!due_.empty()) write_due(sink);
    }
    block_.write(sink);
  }

  void do_flush(Sink& sink) override {
    for (std::size_t k = 0; k < rules_.size(); ++k) {
      if (running_[k].on) end(k);
    }
    write_due(sink);
    block_.write(sink);
  }

  void step(std::size_t k, float score, float smooth) {
    const Rule& rule = rules_[k];
    Running& event = running_[k];
    if (!event.on) {
      if (!(smooth >= rule.onset) || now_ < event.free_from) return;
      event = {.on = true, .first = now_, .free_from = event.free_from, .peak = score};
    }
    event.sum += score;
    event.peak = std::max(event.peak, score);
    if (smooth >= rule.offset) {
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

  std::vector<Rule> rules_;
  std::vector<Running> running_;
  Smoothing smoothing_;
  bool onsets_;
  std::vector<Due> due_;  ///< rows that this window gives, at most one per label
  RowBlock block_;
  std::int64_t now_ = 0;  ///< index of this window
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
  const std::int64_t n_smoothing = windows_of(options().smoothing_s, input.rate_hz);
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
  spec.latency_s += static_cast<double>(latest) / input.rate_hz;
  return {{"", spec}};
}

std::unique_ptr<Stream> Events::open(const StreamSpec& input) const {
  outputs(input);
  const std::int64_t n_smoothing = windows_of(options().smoothing_s, input.rate_hz);
  return std::make_unique<EventStream>(rules_of(options(), input), static_cast<std::size_t>(n_smoothing),
                                       options().onsets);
}

}  // namespace fastaudio
