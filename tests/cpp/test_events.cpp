#include "nodes/events.hpp"

#include <doctest/doctest.h>

#include "helpers.hpp"
#include "nodes/tags.hpp"

using namespace fastaudio;
using namespace fastaudio::test;

namespace {

/// One window per second, each two seconds long.
StreamSpec scores_of(const std::vector<std::string>& labels) {
  return {1,
          {static_cast<std::int64_t>(labels.size())},
          "probability",
          labels,
          2,
          0,
          3,
          StreamSpec::Kind::scores};
}

const StreamSpec kOne = scores_of({"a"});
const StreamSpec kTwo = scores_of({"a", "b"});

Floats events(const Events::Options& options, const Floats& scores, const StreamSpec& input = kOne) {
  return run(*std::make_shared<Events>(options), input, scores);
}

double latency_of(const Events::Options& options) {
  return Events(options).outputs(kTwo).front().spec.latency_s;
}

}  // namespace

TEST_CASE("events: one goes from the window that reaches onset to the last that reaches offset") {
  const Events::Options options{.onset = {0.5}, .offset = {0.25}};
  CHECK(events(options, {0, 0.25, 0.5, 0.75, 0.25, 0, 0.25}) == Floats{0, 0, 2, 3, 0.75, 0.5});
  CHECK(events(options, {0.25, 0.25, 0.25}).empty());
  CHECK(events({}, {0.5, 0.25, 1}) == Floats{0, 0, 0, 1, 0.5, 0.5, 0, 0, 2, 1, 1, 1});
}

TEST_CASE("events: a threshold is compared in float32") {
  CHECK(events({.onset = {0.7}}, {0.7f}) == Floats{0, 0, 0, 1, 0.7f, 0.7f});
}

TEST_CASE("events: shorter dips are bridged, and shorter events dropped after that") {
  const Events::Options bridged{.min_off_s = {2}};
  CHECK(events(bridged, {1, 0, 0.5, 0, 0, 1}) == Floats{0, 0, 0, 3, 1, 0.5, 0, 0, 5, 1, 1, 1});
  const Events::Options kept{.min_on_s = {3}, .min_off_s = {2}};
  CHECK(events(kept, {1, 0, 0.5, 0, 0, 1, 1}) == Floats{0, 0, 0, 3, 1, 0.5});
}

TEST_CASE("events: the end of the signal ends them, and isn't bridged to") {
  CHECK(events({.min_off_s = {9}}, {0, 1, 1, 0, 0}) == Floats{0, 0, 1, 2, 1, 1});
  CHECK(events({.min_on_s = {3}, .min_off_s = {9}}, {0, 1, 1, 0, 0}).empty());
}

TEST_CASE("events: none begins during the cool-down of one that came out") {
  const Floats scores{1, 0, 1, 1, 1, 0};
  CHECK(events({.cool_down_s = {2}}, scores) == Floats{0, 0, 0, 1, 1, 1, 0, 0, 3, 2, 1, 1});
  CHECK(events({.min_on_s = {2}, .cool_down_s = {9}}, scores) == Floats{0, 0, 2, 3, 1, 1});
}

TEST_CASE("events: thresholds see the mean of the last windows, highest and mean don't") {
  const Floats scores{0, 0, 1, 1, 0, 0, 0};  // smoothed 0, 0, 0.33, 0.67, 0.67, 0.33, 0
  CHECK(events({.smoothing_s = 3}, scores) == Floats{0, 0, 3, 2, 1, 0.5});
  CHECK(events({.smoothing_s = 3}, {1, 0, 0}) == Floats{0, 0, 0, 2, 1, 0.5});  // smoothed 1, 0.5, 0.33
  const Events::Options long_dip{.onset = {0.5}, .min_off_s = {9}, .smoothing_s = 4};
  CHECK(events(long_dip, {0.5, 0.5, 0, 0.75}) == Floats{0, 0, 0, 2, 0.5, 0.5});  // the dip's are left out
}

TEST_CASE("events: a median sees as many windows after as before, so that events begin and end on time") {
  const Floats scores{0, 0, 1, 1, 1, 0, 1, 1, 0, 0, 1, 0};
  const Events::Options median{.smoothing_s = 3, .smoothing = "median"};
  CHECK(events(median, scores) == Floats{0, 0, 2, 6, 1, 5.0f / 6});  // the dip and the last one disappear
  CHECK(events(median, {1}) == Floats{0, 0, 0, 1, 1, 1});
  CHECK(events(median, {1, 0}) == Floats{});  // the lower of two in the middle
  CHECK(latency_of(median) == latency_of({}) + 1);
  CHECK(latency_of({.smoothing_s = 4, .smoothing = "median"}) == latency_of({}) + 2);
}

TEST_CASE("events: a dip is bridged by a score that reaches onset, if it has to") {
  const Floats scores{1, 0, 0.25, 0.25, 0, 1, 0, 0, 0};
  const Events::Options usual{.onset = {0.5}, .offset = {0.25}, .min_off_s = {3}};
  CHECK(events(usual, scores)[3] == 6);
  Events::Options strict = usual;
  strict.bridge = "onset";
  CHECK(events(strict, scores).size() == 12);
  strict.min_off_s = {5};
  CHECK(events(strict, scores)[3] == 6);
}

TEST_CASE("events: what is no score is refused") {
  for (const float score : {-0.5f, 2.0f, 1e30f}) {
    const std::string message = message_of<ValueError>([&] { events({}, {0, score}); });
    CHECK(message.find("Events: expected scores in [0, 1], got ") == 0);
  }
  CHECK(events({}, {1.0001f, 0}).size() == 6);  // rounding is none
}

TEST_CASE("events: a silent window, NaN and infinity are below every threshold and count as 0") {
  constexpr float kInfinite = std::numeric_limits<float>::infinity();
  for (const float score : {-kInfinite, kInfinite, std::numeric_limits<float>::quiet_NaN()}) {
    CHECK(events({.onset = {0}}, {score, score}).empty());
    CHECK(events({.min_off_s = {2}}, {1, score, 1}) == Floats{0, 0, 0, 3, 1, 2.0f / 3});
    CHECK(events({.smoothing_s = 2}, {1, score, 0}) == Floats{0, 0, 0, 1, 1, 1});
  }
}

TEST_CASE("events: a summary tells the highest score, and how many windows were heard and broken") {
  constexpr float kInfinite = std::numeric_limits<float>::infinity();
  const Events::Options options{.onset = {0.5, 0.75}, .summary = true};
  CHECK(events(options, {0.25, 0.375, 0, 0.125}, kTwo) == Floats{1, 0.75, 0, -1, 0.375, 2});
  const Floats broken{-kInfinite, -kInfinite, std::nanf(""), 0.25};
  CHECK(events(options, broken, kTwo) == Floats{1, 0.75, 1, -1, 0.25, 1});
  CHECK(events(options, {-kInfinite, -kInfinite}, kTwo) == Floats{0, 0.5, 0, -1, -kInfinite, 0});
  CHECK(events(options, {}, kTwo) == Floats{0, 0.5, 0, -1, 0, -1});
}

TEST_CASE("events: with onsets a row of no windows comes as soon as one is long enough") {
  const Events::Options options{.min_on_s = {2}, .min_off_s = {2}, .onsets = true};
  const auto stream = Events(options).open(kOne);
  Collector sink(Events(options), kOne);
  const auto after = [&](float score) {
    stream->push(&score, 1, sink);
    return sink.outputs.front().size() / 6;
  };
  CHECK(after(1) == 0);
  CHECK(after(0) == 0);  // bridged: the next one makes three
  CHECK(after(0.5) == 1);
  CHECK(after(0.5) == 1);
  CHECK(after(0) == 1);
  CHECK(after(0) == 2);
  stream->flush(sink);
  CHECK(sink.outputs.front() == Floats{0, 0, 0, 0, 1, 0.5, 0, 0, 0, 4, 1, 0.5});
}

TEST_CASE("events: rows of one window are in order of first window, then label") {
  const Floats scores{0, 1, 1, 1, 0, 0, 1, 1};  // b begins before a, and both end at once, twice
  CHECK(events({}, scores, kTwo) ==
        Floats{1, 0, 0, 2, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 3, 1, 1, 1, 1, 0, 3, 1, 1, 1});
}

TEST_CASE("events: each label has its own numbers where they are given") {
  const Events::Options options{.onset = {0.5, 0.9}, .offset = {0.25}, .min_on_s = {1, 2}};
  CHECK(events(options, {0.5, 0.5, 0.25, 1, 0, 0.25, 0, 0}, kTwo) ==
        Floats{0, 0, 0, 2, 0.5, 0.375, 1, 0, 1, 2, 1, 0.625});
}

TEST_CASE("events: windows are counted beyond what float32 counts") {
  const std::int64_t first = (std::int64_t{1} << 24) + 1;
  const auto stream = Events({}).open(kOne);
  Collector sink(Events({}), kOne);
  const Floats quiet(1 << 20, 0.0f);
  for (int i = 0; i < 16; ++i) stream->push(quiet.data(), quiet.size(), sink);
  const Floats last{0, 1};
  stream->push(last.data(), 2, sink);
  stream->flush(sink);
  const Floats& row = sink.outputs.front();
  CHECK(row == Floats{0, 256, 1, 1, 1, 1});
  CHECK(static_cast<std::int64_t>(row[1]) * 65536 + static_cast<std::int64_t>(row[2]) == first);
}

TEST_CASE("events: seconds become the nearest number of windows") {
  StreamSpec input = kOne;
  input.rate_hz = 3;
  const Floats two_long{1, 1, 0, 1, 0};
  CHECK(events({.min_on_s = {0.5}}, two_long, input).size() == 6);  // 1.5 windows: 2
  CHECK(events({.min_on_s = {0.45}}, two_long, input).size() == 12);
  CHECK(events({.min_on_s = {0.01}}, two_long, input).size() == 12);
  CHECK(events({.cool_down_s = {0.5}}, {1, 0, 1}, input).size() == 6);
  CHECK(events({.cool_down_s = {0.45}}, {1, 0, 1}, input).size() == 12);
  CHECK(events({.onset = {0.6}, .smoothing_s = 0.01}, {1, 0, 1}, input).size() == 12);
}

TEST_CASE("events: the time base stays, and what is waited for is stated") {
  const StreamSpec spec = Events({}).outputs(kTwo).front().spec;
  CHECK(spec.unit == "events");
  CHECK(spec.shape == std::vector<std::int64_t>{6});
  CHECK(spec.labels == kTwo.labels);
  CHECK(spec.rate_hz == 1);
  CHECK(spec.span_s == 2);
  CHECK(spec.latency_s == 3 + 1);
  CHECK(latency_of({.min_on_s = {9}, .min_off_s = {5, 2}}) == 3 + 5);
  CHECK(latency_of({.min_on_s = {9}, .min_off_s = {5, 2}, .onsets = true}) == 3 + 5 + 7);
  CHECK(latency_of({.onsets = true}) == 3 + 1);
}

TEST_CASE("events: what doesn't fit is refused in words") {
  const auto refused = [](const Events::Options& options, const StreamSpec& input) {
    return message_of<ValueError>([&] { Events(options).outputs(input); });
  };
  CHECK(refused({}, {1, {2}, "probability", {}, 0, 0, 0}) ==
        "Events: expected scores with names, got rows [1 Hz, 2] without labels; compose after Tags");
  const StreamSpec six = scores_of({"a", "b", "c", "d", "e", "f"});
  CHECK(refused({}, Events({}).outputs(six).front().spec) ==
        "Events: expected scores with names, got rows [1 Hz, 6] of events; compose after Tags");
  StreamSpec pooled = kTwo;
  pooled.rate_hz = 0;
  CHECK(refused({}, pooled) ==
        "Events: expected windows over time, got rows [once, 2]; leave out what pools the clip");
  CHECK(refused({.onset = {0.1, 0.2, 0.3}}, kTwo) ==
        "Events: expected 3 labels, as its options have items, got rows [1 Hz, 2]; give one number for each, "
        "or one for all");
  CHECK(refused({.onset = {0.1, 0.2, 0.3}, .min_on_s = {1, 2}}, kTwo) ==
        "Events: expected min_on_s of one item, or of 3 as another option, got 2 items");
  CHECK(refused({.onset = {}}, kTwo) == "Events: expected onset of at least one item, got 0 items");
  CHECK(refused({.onset = {0.5, 0.2}, .offset = {0.3}}, kTwo) ==
        "Events: expected offset at most onset = 0.2, got 0.3");
  StreamSpec fast = kTwo;
  fast.rate_hz = 384000;
  CHECK(refused({.smoothing_s = 86400}, fast).starts_with("Events: expected at most 2**28 values at a time"));
}
